import { inDisplayOrder, type ListedFrames, type ShownFrames } from "./shown-frames.ts";
import { keptEntries, type ListedEntry } from "./stream-entries.ts";

export interface StreamSpan {
  startSeconds: number;
  endSeconds: number;
}

/** What the packets of a file say of its time: every frame of the picture, and the span of every stream. */
export interface PacketTable {
  /** From the first keyframe on: what comes before it cannot be decoded. */
  frames: ShownFrames;
  /** Every frame of the picture has its own time of showing. */
  hasAllTimes: boolean;
  /** Frames of the picture that have no time at all. */
  timelessFrames: number;
  /** Where the picture can be entered, in the order of the file; none where its packets' places or times leave a doubt. */
  entries: ListedEntry[];
  /** Of every stream that holds at least one packet with a time. */
  spans: ReadonlyMap<number, StreamSpan>;
  /** Streams of which at least one packet is encrypted. */
  encrypted: ReadonlySet<number>;
  /**
   * The frames are reckoned from those of both ends (core/film-ends.ts): all in one rhythm, or in one that is moved on the way by a join. Absent where each
   * has been seen.
   */
  reckoned?: "even" | "moved";
}

/** A day at 60 per second. Beyond it nothing more is kept: the table is then longer than any film. */
export const MOST_FRAMES = 24 * 3600 * 60;

/**
 * ffprobe's entries, in the order in which its csv writer prints them; kinds of side data stand last. The codec's tag is no
 * word on encryption: ffprobe 5 tells the one beneath it.
 */
export const PACKET_ENTRIES =
  "packet=stream_index,pts_time,dts_time,duration_time,flags:packet_side_data=side_data_type";
/** The same with each packet's place in the file, for containers that have no index of their own. */
export const PLACED_PACKET_ENTRIES = "packet=stream_index,pts_time,dts_time,duration_time,pos,flags";

/** One packet as a demuxer lists it; a time that the file leaves out is NaN, as is a place that is not told. */
export interface ListedPacket {
  streamIndex: number;
  presentationSeconds: number;
  decodeSeconds: number;
  durationSeconds: number;
  isKeyframe: boolean;
  /** An edit list leaves it out. */
  isHidden: boolean;
  isEncrypted: boolean;
  /** Where it begins in the file. */
  at: number;
}

export interface PacketCollector {
  add(packet: ListedPacket): void;
  /** One of ffprobe's csv lines. `isPlaced`: made for `PLACED_PACKET_ENTRIES`. */
  addLine(line: string, isPlaced?: boolean): void;
  table(): PacketTable;
}

/**
 * Collects ffprobe's packet lines (`PACKET_ENTRIES` as csv) as they come: hours of film are a hundred
 * megabytes of text that is never held. Packets that an edit list hides are left out.
 */
export function packetCollector(picture: { index: number; has_b_frames?: number }): PacketCollector {
  const listed = new ListedPicture();
  const spans = new Map<number, StreamSpan>();
  const encrypted = new Set<number>();
  let timelessFrames = 0;
  let isKeyframeHidden = false;
  const add = (packet: ListedPacket): void => {
    const { streamIndex, presentationSeconds, decodeSeconds, durationSeconds, isKeyframe } = packet;
    const isPicture = streamIndex === picture.index;
    if (packet.isEncrypted) encrypted.add(streamIndex);
    if (packet.isHidden) {
      isKeyframeHidden ||= isPicture && isKeyframe && listed.length === 0;
      return;
    }
    const seconds = Number.isFinite(presentationSeconds) ? presentationSeconds : decodeSeconds;
    if (!Number.isFinite(seconds)) {
      if (isPicture) timelessFrames += 1;
      return;
    }
    widen(spans, streamIndex, seconds, durationSeconds);
    if (isPicture && listed.length <= MOST_FRAMES) listed.add(packet, seconds);
  };
  return {
    add,
    addLine(line, isPlaced = false) {
      const fields = line.split(",");
      const [stream, pts, dts, duration] = fields;
      const flags = fields[isPlaced ? 5 : 4];
      if (stream === undefined || flags === undefined) return;
      add({
        streamIndex: Number(stream),
        presentationSeconds: Number(pts),
        decodeSeconds: Number(dts),
        durationSeconds: Number(duration) || 0,
        isKeyframe: flags.startsWith("K"),
        // D marks what an edit list hides: decoded, never shown.
        isHidden: flags.includes("D"),
        isEncrypted: line.includes("Encryption info"),
        at: isPlaced ? Number(fields[4]) : Number.NaN,
      });
    },
    table() {
      const hasAllTimes = timelessFrames === 0 && listed.isComplete;
      return {
        frames: inDisplayOrder(listed.frames(picture.has_b_frames ?? 0), isKeyframeHidden),
        hasAllTimes,
        timelessFrames,
        entries: hasAllTimes && listed.isInOrder ? keptEntries(listed.keyframes) : [],
        spans,
        encrypted,
      };
    },
  };
}

function widen(
  spans: Map<number, StreamSpan>,
  streamIndex: number,
  seconds: number,
  durationSeconds: number,
): void {
  const span = spans.get(streamIndex) ?? { startSeconds: seconds, endSeconds: seconds };
  span.startSeconds = Math.min(span.startSeconds, seconds);
  span.endSeconds = Math.max(span.endSeconds, seconds + durationSeconds);
  spans.set(streamIndex, span);
}

/** The packets of the picture in the order in which they stand in the file, in columns. */
class ListedPicture {
  readonly #seconds: number[] = [];
  readonly #decodeSeconds: number[] = [];
  readonly #durationSeconds: number[] = [];
  readonly #isKeyframe: number[] = [];
  #hasDecodeTimes = true;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Each has its own time of showing. */
  isComplete = true;
  /** Each has a place and a time of decoding, and neither goes back: a seek by time finds one place. */
  isInOrder = true;
  readonly keyframes: ListedEntry[] = [];

  get length(): number {
    return this.#seconds.length;
  }

  /** `seconds`: when it is shown, or where nothing says that, decoded. */
  add(
    { presentationSeconds, decodeSeconds, durationSeconds, isKeyframe, at }: ListedPacket,
    seconds: number,
  ) {
    const lastDecoded = this.#decodeSeconds.at(-1) ?? Number.NEGATIVE_INFINITY;
    const isPlaced = Number.isFinite(at) && Number.isFinite(decodeSeconds);
    this.isInOrder &&= isPlaced && this.#lastAt < at && lastDecoded < decodeSeconds;
    this.isComplete &&= Number.isFinite(presentationSeconds);
    this.#hasDecodeTimes &&= Number.isFinite(decodeSeconds);
    this.#lastAt = at;
    this.#seconds.push(seconds);
    this.#decodeSeconds.push(decodeSeconds);
    this.#durationSeconds.push(durationSeconds);
    this.#isKeyframe.push(isKeyframe ? 1 : 0);
    if (isKeyframe) this.keyframes.push({ decodeSeconds, at });
  }

  /**
   * AVI and MPEG programme streams give reordered pictures only the time of their decoding. The decoder shows as
   * many frames later as it reorders by: the times of showing are those of decoding, moved on by that many.
   */
  frames(reorderedBy: number): ListedFrames {
    const count = this.length;
    const listed = { durationSeconds: this.#durationSeconds, isKeyframe: this.#isKeyframe };
    if (reorderedBy === 0 || this.isComplete || !this.#hasDecodeTimes || count < 2)
      return { ...listed, seconds: Float64Array.from(this.#seconds) };
    const times = Float64Array.from(this.#decodeSeconds).sort();
    const last = times[count - 1]!;
    const frameSeconds = (last - times[0]!) / (count - 1);
    const shownAt = (at: number): number => times[at] ?? last + (at - count + 1) * frameSeconds;
    return { ...listed, seconds: times.map((_, index) => shownAt(index + reorderedBy)) };
  }
}
