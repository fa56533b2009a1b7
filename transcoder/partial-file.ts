import { type FileHandle, open, truncate } from "node:fs/promises";
import { type ByteRange, coveredBytes, inPieces, joined, missing } from "../core/byte-ranges.ts";
import { asDiskFailure } from "./disk-failure.ts";

/**
 * A local file of the master's full length that holds only what was asked for: the rest is a hole, which costs no disk and
 * reads as zeros. ffmpeg opens it like the whole, with the same arguments, and finds every byte in its place.
 */
export interface PartialFile {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Resolves when all of `ranges` is there; each byte is fetched once, however many ask for it. Of what is not here, spans at most
   * `gapBytes` apart are fetched with what lies between, and with what was put between.
   */
  fill(ranges: readonly ByteRange[], signal: AbortSignal, gapBytes?: number): Promise<void>;
  /** What of `ranges` is not here. */
  absent(ranges: readonly ByteRange[]): ByteRange[];
  /** Puts bytes that came from elsewhere, those of `spans` one after the other, in their places. They must be the master's. */
  put(spans: readonly ByteRange[], bytes: Uint8Array): Promise<void>;
  /** Bytes on disk. */
  heldBytes(): number;
  isWhole(): boolean;
}

/**
 * Gets one span of the master, at most `PIECE_BYTES` long, and gives `take` what has come of it with its place in the master. Some
 * may come twice, where a try failed. What was taken belongs to the taker.
 */
export type FetchRange = (range: ByteRange, take: TakePieces, signal: AbortSignal) => Promise<void>;
export type TakePieces = (pieces: readonly Uint8Array[], position: number) => Promise<void>;

/** What one request fetches at most: where it fails, so much is fetched again. */
const PIECE_BYTES = 8 * 2 ** 20;
/** A request costs more than so many bytes, whoever pays for them. */
const GAP_BYTES = 64 * 2 ** 10;
const PARALLEL_REQUESTS = 4;

interface Flight extends ByteRange {
  landed: Promise<void>;
}

/** Makes the file, empty. `fetch` must fail rather than answer short. */
export async function makePartialFile(
  path: string,
  sizeBytes: number,
  fetch: FetchRange,
): Promise<PartialFile> {
  await (await open(path, "w")).close();
  await truncate(path, sizeBytes);
  let held: ByteRange[] = [];
  let given: ByteRange[] = [];
  const flights = new Set<Flight>();

  const bring = async (piece: ByteRange, signal: AbortSignal): Promise<void> => {
    const file = await open(path, "r+");
    try {
      const take: TakePieces = async (pieces, position) => {
        await writeAt(file, pieces, position);
        giveBack(pieces);
      };
      await fetch(piece, take, signal);
    } finally {
      await file.close();
    }
    held = joined([...held, piece]);
  };
  const take = (piece: ByteRange, signal: AbortSignal): Promise<void> => {
    const flight: Flight = { ...piece, landed: bring(piece, signal) };
    flights.add(flight);
    // Whoever waits for it hears of its failure; without anyone it must not end the process.
    flight.landed.catch(() => undefined).finally(() => flights.delete(flight));
    return flight.landed;
  };

  /** What of a piece nobody has brought, or is bringing, since it was found missing. */
  const leftOf = (piece: ByteRange): ByteRange[] => {
    const meets = ({ start, end }: ByteRange): boolean => end > piece.start && start < piece.end;
    return missing([piece], [...held.filter(meets), ...[...flights].filter(meets)]);
  };

  const absent: PartialFile["absent"] = (ranges) =>
    missing(
      ranges.map(({ start, end }) => ({ start, end: Math.min(end, sizeBytes) })),
      [...held, ...given],
    );

  const fill: PartialFile["fill"] = async (ranges, signal, gapBytes = GAP_BYTES) => {
    for (;;) {
      signal.throwIfAborted();
      const lacking = absent(ranges);
      if (lacking.length === 0) return;
      // What was put here lies in little pieces: to ask for the pictures around each would be as many requests.
      const wanted = missing(joined(lacking, gapBytes), held);
      const pieces = inPieces(missing(wanted, [...flights]), PIECE_BYTES);
      // What others are fetching already is waited for; where they fail, the next round fetches it.
      const others = [...flights].map(({ landed }) => landed.catch(() => undefined));
      await inLanes(pieces, async (piece) => {
        for (const span of leftOf(piece)) await take(span, signal);
      });
      if (pieces.length === 0) await Promise.all(others);
    }
  };

  return {
    path,
    sizeBytes,
    fill,
    absent,
    async put(spans, bytes) {
      await writeSpans(path, spans, bytes);
      given = joined([...given, ...spans]);
    },
    heldBytes: () => coveredBytes([...held, ...given]),
    isWhole: () => absent([{ start: 0, end: sizeBytes }]).length === 0,
  };
}

async function writeSpans(path: string, spans: readonly ByteRange[], bytes: Uint8Array): Promise<void> {
  const file = await open(path, "r+");
  try {
    let at = 0;
    for (const { start, end } of spans) {
      await writeAt(file, [bytes.subarray(at, at + end - start)], start);
      at += end - start;
    }
  } finally {
    await file.close();
  }
}

/** Hands the pieces to the system as they are, since joining them first would copy the whole master once more. */
async function writeAt(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  try {
    let at = position;
    for (let left = pieces; left.length > 0; ) {
      const { bytesWritten } = await file.writev(left, at);
      at += bytesWritten;
      left = behind(left, bytesWritten);
    }
  } catch (thrown) {
    throw asDiskFailure(thrown);
  }
}

/**
 * Frees the memory of pieces at once. What is left to the garbage collector counts as if it were still in use, and every 64 MiB
 * of it makes V8 look through its whole heap: two dozen times for a master of 600 MB.
 */
function giveBack(pieces: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of pieces) {
    // A part of something larger is not ours to free.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
  }
}

/** What is left of pieces once so many bytes of them are gone: a write may take fewer than it was given. */
export function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let gone = bytes;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(gone, piece.length));
    gone -= piece.length - rest.length;
    return rest.length === 0 ? [] : [rest];
  });
}

/** The bytes of several spans of a local file, one after the other. */
export async function readSpans(path: string, spans: readonly ByteRange[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(coveredBytes(spans));
  const file = await open(path, "r");
  try {
    let at = 0;
    for (const { start, end } of spans) {
      await file.read(bytes, at, end - start, start);
      at += end - start;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

/** The bytes of one span of a local file. */
export async function readSpan(path: string, { start, end }: ByteRange): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array(end - start);
    await file.read(bytes, 0, bytes.length, start);
    return bytes;
  } finally {
    await file.close();
  }
}

async function inLanes(
  pieces: readonly ByteRange[],
  work: (piece: ByteRange) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let piece = pieces[next++]; piece !== undefined; piece = pieces[next++]) await work(piece);
  };
  await Promise.all(Array.from({ length: PARALLEL_REQUESTS }, lane));
}
