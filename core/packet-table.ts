import { keptEntries, type ListedEntry } from "./stream-entries.ts";

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
  /** Every frame of the picture has its own time of showing. */
  hasAllTimes: boolean;
  /** Frames of the picture that have no time at all. */
  timelessFrames: number;
  /** Where the picture can be entered, in the order of the file; none where its packets' places or times leave a doubt. */
  entries: ListedEntry[];
  /** Of every stream that holds at least one packet with a time. */
  spans: ReadonlyMap<number, { startSeconds: number; endSeconds: number }>;
  /** Streams of which at least one packet is encrypted. */
  encrypted: ReadonlySet<number>;
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

/** A packet of the picture, in the order in which it stands in the file. */
interface PicturePacket extends ProbedFrame {
  presentationSeconds: number;
  decodeSeconds: number;
  at: number;
}

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
  const packets: PicturePacket[] = [];
  const spans = new Map<number, { startSeconds: number; endSeconds: number }>();
  const encrypted = new Set<number>();
  let timelessFrames = 0;
  let isKeyframeHidden = false;
  const add = (packet: ListedPacket): void => {
    const { streamIndex, presentationSeconds, decodeSeconds, durationSeconds, isKeyframe, at } = packet;
    const isPicture = streamIndex === picture.index;
    if (packet.isEncrypted) encrypted.add(streamIndex);
    if (packet.isHidden) {
      isKeyframeHidden ||= isPicture && isKeyframe && packets.length === 0;
      return;
    }
    const seconds = Number.isFinite(presentationSeconds) ? presentationSeconds : decodeSeconds;
    if (!Number.isFinite(seconds)) {
      if (isPicture) timelessFrames += 1;
      return;
    }
    widen(spans, streamIndex, seconds, durationSeconds);
    if (!isPicture || packets.length > MOST_FRAMES) return;
    packets.push({ seconds, durationSeconds, isKeyframe, presentationSeconds, decodeSeconds, at });
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
      const timed = withShownTimes(packets, picture.has_b_frames ?? 0);
      const frames = isKeyframeHidden ? timed : fromFirstKeyframe(timed);
      frames.sort((a, b) => a.seconds - b.seconds);
      const hasAllTimes = timelessFrames === 0 && isComplete(packets);
      return {
        frames,
        hasAllTimes,
        timelessFrames,
        entries: hasAllTimes && isInOrder(packets) ? entriesOf(packets) : [],
        spans,
        encrypted,
      };
    },
  };
}

/** Every packet has a place and a time of decoding, and neither goes back: a seek by time finds one place. */
function isInOrder(packets: readonly PicturePacket[]): boolean {
  return packets.every(({ at, decodeSeconds }, index) => {
    const before = packets[index - 1];
    if (!Number.isFinite(at) || !Number.isFinite(decodeSeconds)) return false;
    return before === undefined || (before.at < at && before.decodeSeconds < decodeSeconds);
  });
}

function entriesOf(packets: readonly PicturePacket[]): ListedEntry[] {
  return keptEntries(packets.filter(({ isKeyframe }) => isKeyframe));
}

function widen(
  spans: Map<number, { startSeconds: number; endSeconds: number }>,
  streamIndex: number,
  seconds: number,
  durationSeconds: number,
): void {
  const span = spans.get(streamIndex) ?? { startSeconds: seconds, endSeconds: seconds };
  span.startSeconds = Math.min(span.startSeconds, seconds);
  span.endSeconds = Math.max(span.endSeconds, seconds + durationSeconds);
  spans.set(streamIndex, span);
}

/**
 * AVI and MPEG programme streams give reordered pictures only the time of their decoding. The decoder shows as
 * many frames later as it reorders by: the times of showing are those of decoding, moved on by that many.
 */
function withShownTimes(packets: readonly PicturePacket[], reorderedBy: number): ProbedFrame[] {
  const plain = packets.map(({ seconds, durationSeconds, isKeyframe }) => ({
    seconds,
    durationSeconds,
    isKeyframe,
  }));
  const hasDecodeTimes = packets.every((packet) => Number.isFinite(packet.decodeSeconds));
  if (reorderedBy === 0 || isComplete(packets) || !hasDecodeTimes || packets.length < 2) return plain;
  const times = packets.map((packet) => packet.decodeSeconds).sort((a, b) => a - b);
  const last = times.at(-1)!;
  const frameSeconds = (last - times[0]!) / (times.length - 1);
  return plain.map((frame, index) => {
    const at = index + reorderedBy;
    return { ...frame, seconds: times[at] ?? last + (at - times.length + 1) * frameSeconds };
  });
}

function isComplete(packets: readonly PicturePacket[]): boolean {
  return packets.every((packet) => Number.isFinite(packet.presentationSeconds));
}

/** Without what stands before the first keyframe, or is shown before it: it cannot be decoded. */
function fromFirstKeyframe(frames: readonly ProbedFrame[]): ProbedFrame[] {
  const start = frames.find((frame) => frame.isKeyframe)?.seconds ?? Number.NEGATIVE_INFINITY;
  return frames.filter((frame) => frame.seconds >= start);
}
