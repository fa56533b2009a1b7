import type { StreamSpan } from "./stream-entries.ts";
import {
  type PacketShape,
  readTransportPacket,
  stampedTimes,
  type TransportPacket,
} from "./transport-packets.ts";
import { tableReader } from "./transport-tables.ts";

/**
 * Whether a demuxer that is given the beginning of a transport stream and one stretch of it finds there what it would find
 * in the whole file. Everything that could make a difference, and everything that is not plain, is a doubt.
 */
export interface TransportCheck {
  /** Whole packets that follow on those before; false once there is a doubt. */
  add(bytes: Uint8Array): boolean;
  /** What is added from here on is the stretch, from this byte of the file on, and does not follow on the beginning. */
  cut(at: number): void;
  /** What speaks against it when all has been added; null where nothing does. */
  doubt(): string | null;
}

/** ffprobe prints six decimals. */
const SAME_TIME_SECONDS = 0.000_1;
/** ffmpeg takes a longer step for a jump of the clock, and moves all that follows. */
const LONGEST_STEP_SECONDS = 5;
/** So much must be there before the entry: more than what ffmpeg takes off where pictures are reordered. */
const LEAST_MARGIN_SECONDS = 0.2;
/** The picture before the one that closes the stretch may be decoded a little before the time asked for. */
const LONGEST_LAG_SECONDS = 0.5;

const NOT_AS_NOTED = "no picture begins where and when one was noted";

/** Begins a check of the beginning and the stretch that `span` describes, whose packets lie as `shape` says. Holds a few sections of tables, no more. */
export function checkTransport(
  { entries, entry, untilSeconds }: StreamSpan,
  { unitBytes, leadBytes }: PacketShape,
): TransportCheck {
  let doubt: string | null = null;
  let fileAt = Number.NaN;
  let isEntered = entry === null;
  const tables = tableReader();
  const picture = pictureReader();

  const isEntry = ({ packetId, isStart, payload }: TransportPacket, seconds: number): boolean => {
    const found =
      packetId === entries.packetId && isStart ? (stampedTimes(payload)?.decodeSeconds ?? null) : null;
    return found !== null && Math.abs(found - seconds) <= SAME_TIME_SECONDS;
  };
  const look = (bytes: Uint8Array, at: number): string | null => {
    const packet = readTransportPacket(bytes, at);
    if (packet === null) return "its packets do not lie in a row";
    if (entry !== null && fileAt === entry.at) {
      isEntered = isEntry(packet, entry.seconds);
      if (!isEntered) return NOT_AS_NOTED;
    }
    return packet.packetId === entries.packetId ? picture.add(packet) : tables.add(packet);
  };

  return {
    add(bytes) {
      for (let at = leadBytes; doubt === null && at < bytes.length; at += unitBytes) {
        doubt = look(bytes, at);
        fileAt += unitBytes;
      }
      return doubt === null;
    },
    cut(at) {
      fileAt = at;
      picture.cut();
    },
    doubt() {
      if (doubt !== null) return doubt;
      if (tables.map() === null) return "it does not say which programme it holds";
      if (!isEntered) return NOT_AS_NOTED;
      const { firstSeconds, lastSeconds } = picture.decoded();
      if (entry !== null && firstSeconds > entry.seconds - LEAST_MARGIN_SECONDS)
        return "it begins too near to where it is entered";
      const isShort = untilSeconds !== null && !(lastSeconds >= untilSeconds - LONGEST_LAG_SECONDS);
      return isShort ? "its pictures end too soon" : null;
    },
  };
}

interface PictureReader {
  /** A doubt, or null. */
  add(packet: TransportPacket): string | null;
  cut(): void;
  /** The first picture since the cut, and the last of all; NaN where there is none. */
  decoded(): { firstSeconds: number; lastSeconds: number };
}

/** Follows the packets of the picture: all of them, readable, and decoded one after the other. */
function pictureReader(): PictureReader {
  let counter: number | null = null;
  let firstSeconds = Number.NaN;
  let lastSeconds = Number.NaN;
  return {
    add({ isUnreadable, isDiscontinuity, hasPayload, isStart, payload, ...packet }) {
      if (isUnreadable) return "the picture is scrambled or damaged";
      // Writers may say so of the very first packet, before which nothing was.
      const isBegun = counter !== null || !Number.isNaN(lastSeconds);
      if (isDiscontinuity && isBegun) return "the picture's clock or counter jumps";
      if (!hasPayload) return null;
      if (counter !== null && packet.counter !== (counter + 1) % 16)
        return "packets of the picture are missing";
      counter = packet.counter;
      const seconds = isStart ? (stampedTimes(payload)?.decodeSeconds ?? null) : null;
      if (seconds === null) return null;
      if (seconds < lastSeconds) return "the picture's clock goes back";
      const isFirst = Number.isNaN(firstSeconds);
      if (!isFirst && seconds - lastSeconds > LONGEST_STEP_SECONDS) return "the picture's clock jumps";
      if (isFirst) firstSeconds = seconds;
      lastSeconds = seconds;
      return null;
    },
    cut() {
      counter = null;
      firstSeconds = Number.NaN;
    },
    decoded: () => ({ firstSeconds, lastSeconds }),
  };
}
