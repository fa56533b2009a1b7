/**
 * The frames of a picture as its container places them, in columns and in the order of display: an hour at 60 a second has
 * 216,000, and an object for each costs more than all else that is known of a film.
 */
export interface ShownFrames {
  /** When each is shown; ascending. */
  seconds: Float64Array;
  /** The same of the keyframes alone. */
  keyframeSeconds: Float64Array;
  /** How long the one that is shown last is said to stand; 0 where nothing is said, or there is none. */
  lastDurationSeconds: number;
}

/** The same in the order in which they lie in the file, one row a frame. */
export interface ListedFrames {
  seconds: Float64Array;
  durationSeconds: ArrayLike<number>;
  /** 1 of a keyframe, 0 of any other. */
  isKeyframe: ArrayLike<number>;
}

/** Places that a frame may be moved by on average: pictures are reordered by sixteen at most (ITU-T H.264 A.3.1). */
const MOST_MOVES = 16;

/**
 * Puts them in order. What stands before the first keyframe, or is shown before it, cannot be decoded and is left out;
 * `keepsAll`: the keyframe that they hang on is there and only hidden.
 */
export function inDisplayOrder(listed: ListedFrames, keepsAll: boolean): ShownFrames {
  const { seconds, durationSeconds, isKeyframe } = listed;
  const firstSeconds = keepsAll ? Number.NEGATIVE_INFINITY : firstKeyframeSeconds(listed);
  const shown = new Float64Array(seconds.length);
  const keyframes = new Float64Array(seconds.length);
  let [frameCount, keyframeCount] = [0, 0];
  let latest = Number.NEGATIVE_INFINITY;
  let lastDurationSeconds = 0;
  for (let at = 0; at < seconds.length; at++) {
    const time = seconds[at]!;
    if (time < firstSeconds) continue;
    shown[frameCount++] = time;
    if (isKeyframe[at] === 1) keyframes[keyframeCount++] = time;
    // Of several that are shown at the same time, the one that lies last.
    if (time >= latest) [latest, lastDurationSeconds] = [time, durationSeconds[at]!];
  }
  return {
    seconds: ascending(shown.subarray(0, frameCount)),
    keyframeSeconds: ascending(keyframes.slice(0, keyframeCount)),
    lastDurationSeconds,
  };
}

function firstKeyframeSeconds({ seconds, isKeyframe }: ListedFrames): number {
  for (let at = 0; at < seconds.length; at++) if (isKeyframe[at] === 1) return seconds[at]!;
  return Number.NEGATIVE_INFINITY;
}

/**
 * Sorted in place. Pictures are shown a few places from where they lie, so that each is moved there by itself; where a file has them
 * further apart, which no encoder's has, they are sorted as anything else is.
 */
function ascending(times: Float64Array): Float64Array {
  let movesLeft = MOST_MOVES * times.length;
  for (let at = 1; at < times.length; at++) {
    const time = times[at]!;
    let to = at;
    for (; to > 0 && times[to - 1]! > time; to--) times[to] = times[to - 1]!;
    times[to] = time;
    movesLeft -= at - to;
    if (movesLeft < 0) return times.sort();
  }
  return times;
}
