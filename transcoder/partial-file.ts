import { open, truncate } from "node:fs/promises";
import { type ByteRange, coveredBytes, inLoads, inPieces, joined, missing } from "../core/byte-ranges.ts";
import { giveBack, writeAt, writeSpans } from "./file-spans.ts";
import { inLanes } from "./lanes.ts";

/**
 * A local file of the master's full length that holds only what was asked for: the rest is a hole, which costs no disk and
 * reads as zeros. ffmpeg opens it like the whole, with the same arguments, and finds every byte in its place.
 */
export interface PartialFile {
  readonly path: string;
  readonly sizeBytes: number;
  /**
   * Resolves when all of `ranges` is there; each byte is fetched once, however many ask for it. Of what is not here, spans at most
   * `gapBytes` apart are fetched with what lies between, and with what was put between or is little.
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

/** Little pieces are asked for in turn and noted together: each by itself would have all that is here gone over once more. */
const MOST_TOGETHER = 256;
/** So little is fetched again along with what lies around it: to leave it out would be a request more. */
const LITTLE_BYTES = 16 * 2 ** 10;

interface Flight {
  spans: readonly ByteRange[];
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

  const bring = async (spans: readonly ByteRange[], signal: AbortSignal): Promise<void> => {
    const file = await open(path, "r+");
    try {
      const take: TakePieces = async (pieces, position) => {
        await writeAt(file, pieces, position);
        giveBack(pieces);
      };
      for (const span of spans) await fetch(span, take, signal);
    } finally {
      await file.close();
    }
    held = joined([...held, ...spans]);
  };
  const take = (spans: readonly ByteRange[], signal: AbortSignal): Promise<void> => {
    const flight: Flight = { spans, landed: bring(spans, signal) };
    flights.add(flight);
    // Whoever waits for it hears of its failure; without anyone it must not end the process.
    flight.landed.catch(() => undefined).finally(() => flights.delete(flight));
    return flight.landed;
  };

  const absent: PartialFile["absent"] = (ranges) =>
    missing(
      ranges.map(({ start, end }) => ({ start, end: Math.min(end, sizeBytes) })),
      [...held, ...given],
    );

  /** What to ask for where this is lacking, by what is here and what somebody is bringing. */
  const toAsk = (lacking: readonly ByteRange[], gapBytes: number): ByteRange[] => {
    const inFlight = [...flights].flatMap(({ spans }) => spans);
    // What was put here, or asked for by itself, lies in little pieces: to ask for the pictures around each would be as many requests.
    return missing(joined(lacking, gapBytes), [...held.filter(isMore), ...inFlight]);
  };

  const fill: PartialFile["fill"] = async (ranges, signal, gapBytes = GAP_BYTES) => {
    for (;;) {
      signal.throwIfAborted();
      const lacking = absent(ranges);
      if (lacking.length === 0) return;
      const loads = inLoads(inPieces(toAsk(lacking, gapBytes), PIECE_BYTES), PIECE_BYTES, MOST_TOGETHER);
      // What others are fetching already is waited for; where they fail, the next round fetches it.
      const others = [...flights].map(({ landed }) => landed.catch(() => undefined));
      await inLanes(loads, PARALLEL_REQUESTS, async (load) => {
        // Others have brought some of it meanwhile, or are bringing it.
        const left = toAsk(absent(load), gapBytes);
        if (left.length > 0) await take(left, signal);
      });
      if (loads.length === 0) await Promise.all(others);
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

function isMore({ start, end }: ByteRange): boolean {
  return end - start > LITTLE_BYTES;
}
