/** One box, element, chunk, packet or triplet of a file, and where its size is written. */
export interface Part {
  start: number;
  /** First byte behind the header. */
  body: number;
  end: number;
  size: { offset: number; bytes: number; littleEndian: boolean } | null;
  /** Parts that it stands in, from the outermost. */
  parents: Part[];
}

type Reader = (bytes: Uint8Array) => Part[];

/** How each clean source is put together. */
export const PARTS_OF: Readonly<Record<string, Reader>> = {
  mp4: isoBoxes,
  fmp4: isoBoxes,
  mov: isoBoxes,
  mkv: ebmlElements,
  webm: ebmlElements,
  ts: transportPackets,
  avi: riffChunks,
  mxf: triplets,
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const textAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

/** A reader of nested parts: `header` understands what stands at a place, or ends the list with null. */
function nested(
  bytes: Uint8Array,
  header: (at: number, end: number) => (Omit<Part, "parents"> & { inside: number | null }) | null,
): Part[] {
  const parts: Part[] = [];
  const read = (from: number, end: number, parents: Part[]): void => {
    for (let at = from; at < end; ) {
      const found = header(at, end);
      if (found === null) return;
      const { inside, ...rest } = found;
      const part: Part = { ...rest, parents };
      parts.push(part);
      if (inside !== null) read(inside, part.end, [...parents, part]);
      at = part.end;
    }
  };
  read(0, bytes.length, []);
  return parts;
}

/** ISO/IEC 14496-12. */
function isoBoxes(bytes: Uint8Array): Part[] {
  const containers = new Set("moov trak mdia minf dinf stbl edts udta mvex moof traf mfra".split(" "));
  return nested(bytes, (at, end) => {
    if (at + 8 > end) return null;
    const size = viewOf(bytes).getUint32(at);
    if (size < 8 || at + size > end) return null;
    return {
      ...{ start: at, body: at + 8, end: at + size },
      size: { offset: at, bytes: 4, littleEndian: false },
      inside: containers.has(textAt(bytes, at + 4)) ? at + 8 : null,
    };
  });
}

/** RFC 8794: Segment, Info, Tracks and what stands in them, Cluster, BlockGroup, Cues, Tags hold elements. */
function ebmlElements(bytes: Uint8Array): Part[] {
  const masters = new Set(
    "1a45dfa3 18538067 1549a966 1654ae6b ae e0 e1 1f43b675 a0 1c53bb6b bb b7 1254c367".split(" "),
  );
  return nested(bytes, (at, end) => {
    const idBytes = Math.clz32(bytes[at]!) - 23;
    const sizeAt = at + idBytes;
    if (sizeAt >= end) return null;
    const sizeBytes = Math.clz32(bytes[sizeAt]!) - 23;
    const body = sizeAt + sizeBytes;
    if (body > end || sizeBytes > 8) return null;
    let value = bytes[sizeAt]! & (0xff >> sizeBytes);
    for (let index = sizeAt + 1; index < body; index++) value = value * 256 + bytes[index]!;
    if (body + value > end) return null;
    const id = Buffer.from(bytes.subarray(at, sizeAt)).toString("hex");
    return {
      ...{ start: at, body, end: body + value },
      size: { offset: sizeAt, bytes: sizeBytes, littleEndian: false },
      inside: masters.has(id) ? body : null,
    };
  });
}

/** RIFF: chunks of even length; RIFF and LIST hold chunks behind four letters. */
function riffChunks(bytes: Uint8Array): Part[] {
  return nested(bytes, (at, end) => {
    if (at + 8 > end) return null;
    const size = viewOf(bytes).getUint32(at + 4, true);
    const chunkEnd = at + 8 + size + (size % 2);
    if (chunkEnd > end) return null;
    const isList = ["RIFF", "LIST"].includes(textAt(bytes, at));
    return {
      ...{ start: at, body: at + 8, end: chunkEnd },
      size: { offset: at + 4, bytes: 4, littleEndian: true },
      inside: isList ? at + 12 : null,
    };
  });
}

/** SMPTE 336: a key of 16 bytes, a length in one byte or in the bytes that it counts, a value. */
function triplets(bytes: Uint8Array): Part[] {
  return nested(bytes, (at, end) => {
    if (at + 17 > end) return null;
    const first = bytes[at + 16]!;
    const lengthBytes = first < 0x80 ? 1 : 1 + (first & 0x7f);
    const body = at + 16 + lengthBytes;
    let value = first < 0x80 ? first : 0;
    for (let index = at + 17; index < body; index++) value = value * 256 + bytes[index]!;
    if (body + value > end) return null;
    return {
      ...{ start: at, body, end: body + value },
      size: { offset: at + 16, bytes: lengthBytes, littleEndian: false },
      inside: null,
    };
  });
}

/** ISO/IEC 13818-1: 188 bytes each. Only the first bytes of a packet describe it. */
function transportPackets(bytes: Uint8Array): Part[] {
  return Array.from({ length: Math.floor(bytes.length / 188) }, (_, index) => ({
    start: index * 188,
    body: index * 188 + 1,
    end: (index + 1) * 188,
    size: null,
    parents: [],
  }));
}
