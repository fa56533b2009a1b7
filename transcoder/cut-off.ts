import { type FileHandle, open } from "node:fs/promises";

/**
 * Whether a file ends before its own framing says it may, for containers that state no length which could be compared with
 * what was found. Reads headers only. A transport stream that ends between two packets is taken as it is: recordings off
 * the air end like that, and nothing in them tells how long they were to be.
 */
export async function cutOffReason(path: string, container: string): Promise<string | null> {
  const check = CHECKS.find(([name]) => container.split(",").includes(name))?.[1];
  if (check === undefined) return null;
  const file = await open(path);
  try {
    const { size } = await file.stat();
    return await check(async (at, bytes) => readAt(file, at, bytes), size);
  } finally {
    await file.close();
  }
}

/** Reads up to so many bytes at a place; fewer where the file ends. */
type ReadAt = (at: number, bytes: number) => Promise<Buffer>;
type Check = (read: ReadAt, sizeBytes: number) => Promise<string | null>;

/** By the names of ffmpeg's demuxers. */
const CHECKS: readonly (readonly [string, Check])[] = [
  ["mpegts", transportPackets],
  ["mov", fragments],
  ["ogg", lastPage],
];

/** ISO/IEC 13818-1; with a time stamp before each packet (Blu-ray); with error correction behind it. */
const PACKET_BYTES = [188, 192, 204];
const SYNC_BYTE = 0x47;
const SYNCS_NEEDED = 5;

async function transportPackets(read: ReadAt, sizeBytes: number): Promise<string | null> {
  const head = await read(0, 4096);
  for (const packetBytes of PACKET_BYTES)
    for (let start = 0; start < packetBytes; start++) {
      const syncs = Array.from({ length: SYNCS_NEEDED }, (_, index) => head[start + index * packetBytes]);
      if (!syncs.every((byte) => byte === SYNC_BYTE)) continue;
      const rest = (sizeBytes - start) % packetBytes;
      // A time stamp stands before its packet, and belongs to the next one.
      const lead = packetBytes === 192 ? 4 : 0;
      return rest === 0 || rest + lead === packetBytes ? null : "it ends in the middle of a packet";
    }
  return null;
}

/** More boxes than a day of fragments a tenth of a second long. */
const MOST_BOXES = 2_000_000;

/**
 * A fragmented film (14496-12 8.8) has no table of all its samples: each fragment is found behind the one before it, and
 * what stands behind a broken one is never seen. Others may have anything behind their last box.
 */
async function fragments(read: ReadAt, sizeBytes: number): Promise<string | null> {
  let isFragmented = false;
  for (let at = 0, boxes = 0; at < sizeBytes; boxes++) {
    const header = await read(at, 16);
    const type = header.toString("latin1", 4, 8);
    isFragmented ||= type === "moof";
    const size = header.length < 8 ? 0 : header.readUInt32BE(0);
    const large = size === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : size;
    // 14496-12 4.2: 0 means until the end of the file.
    if (size === 0 && type === "mdat") return null;
    const isBox = /^[\x20-\x7e\xa9]{4}$/.test(type) && large >= 8 && at + large <= sizeBytes;
    if (!isBox || boxes > MOST_BOXES)
      return isFragmented ? `its chain of fragments breaks off at byte ${at}` : null;
    at += large;
  }
  return null;
}

const OGG_PAGE_BYTES = 65_307;
const OGG_END_OF_STREAM = 4;

/** RFC 3533 6: a page says how long it is, and the last one of a stream is marked. */
async function lastPage(read: ReadAt, sizeBytes: number): Promise<string | null> {
  const from = Math.max(0, sizeBytes - OGG_PAGE_BYTES);
  const tail = await read(from, OGG_PAGE_BYTES);
  const at = tail.lastIndexOf("OggS");
  const segments = tail[at + 26];
  if (at < 0 || segments === undefined) return "its last page is missing";
  const lengths = tail.subarray(at + 27, at + 27 + segments);
  const pageEnd = at + 27 + segments + lengths.reduce((sum, length) => sum + length, 0);
  if (pageEnd > tail.length) return "it ends in the middle of a page";
  return (tail[at + 5]! & OGG_END_OF_STREAM) === 0 ? "its last page is not the end of a stream" : null;
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, at);
  return buffer.subarray(0, bytesRead);
}
