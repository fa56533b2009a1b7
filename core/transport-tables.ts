import type { TransportPacket } from "./transport-packets.ts";

/** The tables of a transport stream that name its streams (ISO/IEC 13818-1 2.4.4): one programme, and the same all along. */
export interface TableReader {
  /** A doubt, or null. */
  add(packet: TransportPacket): string | null;
  /** The programme's map; null until it and what names it have been seen. */
  map(): Uint8Array | null;
}

const PROGRAMME_TABLE = 0;

/** Follows the tables. What is not plain, and whatever changes, is a doubt. */
export function tableReader(): TableReader {
  const seen = new Map<number, string>();
  const open = new Map<number, Uint8Array>();
  let map: number | null = null;
  let found: Uint8Array | null = null;

  const take = (packetId: number, section: Uint8Array): string | null => {
    const text = Buffer.from(section).toString("latin1");
    const before = seen.get(packetId);
    seen.set(packetId, text);
    if (before !== undefined) return before === text ? null : "its programme changes";
    if (packetId !== PROGRAMME_TABLE) {
      found = Uint8Array.from(section);
      return null;
    }
    const maps = programmeMaps(section);
    if (maps.length !== 1) return `it holds ${maps.length} programmes`;
    map = maps[0]!;
    return null;
  };
  return {
    add({ packetId, isStart, payload }) {
      if (packetId !== PROGRAMME_TABLE && packetId !== map) return null;
      // 2.4.4.1: a byte tells how far behind it the section begins.
      const begun = isStart ? payload.subarray(1 + (payload[0] ?? 0)) : open.get(packetId);
      if (begun === undefined) return null;
      const gathered = isStart ? begun : Buffer.concat([begun, payload]);
      const bytes = gathered.length < 3 ? 3 : 3 + lengthAt(gathered, 1);
      if (gathered.length < bytes) {
        open.set(packetId, gathered);
        return null;
      }
      open.delete(packetId);
      return take(packetId, gathered.subarray(0, bytes));
    },
    map: () => found,
  };
}

/** 2.4.4.3: the identifiers of the tables of all programmes, between eight bytes of header and four of checksum. */
function programmeMaps(section: Uint8Array): number[] {
  const maps: number[] = [];
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    const programme = (section[at]! << 8) | section[at + 1]!;
    if (programme !== 0) maps.push(packetIdAt(section, at + 2));
  }
  return maps;
}

export interface MappedStream {
  packetId: number;
  /** What it is coded as (2.4.4.9, table 2-34). */
  type: number;
}

/** 2.4.4.8: the streams of a programme, behind twelve bytes of header and what describes the programme. */
export function mappedStreams(section: Uint8Array): MappedStream[] {
  const streams: MappedStream[] = [];
  let at = 12 + lengthAt(section, 10);
  while (at + 5 <= section.length - 4) {
    streams.push({ type: section[at]!, packetId: packetIdAt(section, at + 1) });
    at += 5 + lengthAt(section, at + 3);
  }
  return streams;
}

function packetIdAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) & 0x1f) << 8) | (bytes[at + 1] ?? 0);
}

/** Twelve bits of two bytes. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) & 0x0f) << 8) | (bytes[at + 1] ?? 0);
}
