/** One frame of the picture as the container places it. */
export interface ProbedFrame {
  seconds: number;
  durationSeconds: number;
  isKeyframe: boolean;
}

/** What the packets of a file say of its time: every frame of the picture, and the span of every stream. */
export interface PacketTable {
  /** In order of display, from the first keyframe on: what comes before it cannot be decoded. */
  frames: ProbedFrame[];
  /** Frames of the picture that have no time at all. */
  timelessFrames: number;
  /** Of every stream that holds at least one packet with a time. */
  spans: ReadonlyMap<number, { startSeconds: number; endSeconds: number }>;
}

/** A day at 60 per second. Beyond it nothing more is kept: the table is then longer than any film. */
export const MOST_FRAMES = 24 * 3600 * 60;

/** ffprobe's entries, in the order in which its csv writer prints them. */
export const PACKET_ENTRIES = "packet=stream_index,pts_time,dts_time,duration_time,flags";

/**
 * Collects ffprobe's packet lines (`PACKET_ENTRIES` as csv) as they come: hours of film are a hundred
 * megabytes of text that is never held. Packets that an edit list hides are left out.
 */
export function packetCollector(pictureStream: number): { add(line: string): void; table(): PacketTable } {
  const frames: ProbedFrame[] = [];
  const spans = new Map<number, { startSeconds: number; endSeconds: number }>();
  let timelessFrames = 0;
  let firstKeyframeSeconds: number | null = null;
  return {
    add(line) {
      const [stream, pts, dts, duration, flags] = line.split(",");
      if (stream === undefined || flags === undefined) return;
      const streamIndex = Number(stream);
      const seconds = Number(pts === "N/A" ? dts : pts);
      // D marks what an edit list hides: decoded, never shown.
      const isHidden = flags.includes("D");
      if (streamIndex === pictureStream && flags.startsWith("K") && firstKeyframeSeconds === null)
        firstKeyframeSeconds = isHidden ? Number.NEGATIVE_INFINITY : seconds;
      if (isHidden) return;
      if (!Number.isFinite(seconds)) {
        if (streamIndex === pictureStream) timelessFrames += 1;
        return;
      }
      const durationSeconds = Number(duration) || 0;
      const span = spans.get(streamIndex);
      if (span === undefined)
        spans.set(streamIndex, { startSeconds: seconds, endSeconds: seconds + durationSeconds });
      else {
        span.startSeconds = Math.min(span.startSeconds, seconds);
        span.endSeconds = Math.max(span.endSeconds, seconds + durationSeconds);
      }
      if (streamIndex === pictureStream && frames.length <= MOST_FRAMES)
        frames.push({ seconds, durationSeconds, isKeyframe: flags.startsWith("K") });
    },
    table() {
      const start = firstKeyframeSeconds ?? Number.NEGATIVE_INFINITY;
      const shown = Number.isNaN(start) ? frames : frames.filter((frame) => frame.seconds >= start);
      shown.sort((a, b) => a.seconds - b.seconds);
      return { frames: shown, timelessFrames, spans };
    },
  };
}
