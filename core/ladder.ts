import type { VideoCodec } from "./encoding.ts";

/** HLS's words for the dynamic range of a picture (8216bis 4.4.6.2, VIDEO-RANGE). */
export type VideoRange = "SDR" | "PQ" | "HLG";

/** All rungs of one codec and one dynamic range: decoded once per chunk and encoded together. */
export interface Ladder {
  id: string;
  codec: VideoCodec;
  range: VideoRange;
  /** Largest first; ids are unique over all ladders of a plan. */
  rungs: Rung[];
}

/**
 * One rung of a ladder: a picture size with its quality and its cap. `maxBitrateBps` bounds any second
 * (VBV buffer = one second of it); `crf` is the constant-quality target below the cap.
 */
export interface Rung {
  id: string;
  width: number;
  height: number;
  maxBitrateBps: number;
  crf: number;
}

/** Short side of the picture and cap, from Apple's authoring table thinned to five steps. */
const TABLE: readonly { shortSide: number; maxBitrateBps: number }[] = [
  { shortSide: 1080, maxBitrateBps: 6_000_000 },
  { shortSide: 720, maxBitrateBps: 3_500_000 },
  { shortSide: 540, maxBitrateBps: 2_000_000 },
  { shortSide: 360, maxBitrateBps: 900_000 },
  { shortSide: 234, maxBitrateBps: 350_000 },
];
const CRF = 23;
/** Below this even a tiny picture has no room for its keyframes. */
const SMALLEST_CAP_BPS = 100_000;
/** A source this much above the next row of the table gets a rung of its own size. */
const OWN_RUNG_RATIO = 1.12;
/** Apple HLS authoring 9.9: at least two bit rates, also where the source is smaller than the whole table. */
const SECOND_CAP_RATIO = 0.5;

/**
 * The rungs for a picture of `width`×`height` square pixels, largest first. Never upscaled, aspect kept to
 * the nearest even size, at least two bit rates, all ids unique.
 */
export function buildLadder(width: number, height: number): Rung[] {
  const short = Math.min(width, height);
  const rows = TABLE.filter((row) => row.shortSide <= short);
  const top = rows[0];
  const largest = TABLE[0]!;
  const ownSize = top === undefined || (top !== largest && short >= top.shortSide * OWN_RUNG_RATIO);
  const sizes = ownSize ? [{ shortSide: short, maxBitrateBps: capFor(short) }, ...rows] : rows;
  const rungs = sizes.map((row) => toRung(width, height, row.shortSide, row.maxBitrateBps));
  if (rungs.length === 1) {
    const only = rungs[0]!;
    rungs.push({
      ...only,
      id: `${only.id}-low`,
      maxBitrateBps: Math.round(only.maxBitrateBps * SECOND_CAP_RATIO),
      crf: CRF + 6,
    });
  }
  return rungs;
}

/** A cap for a size between two rows, in proportion to the area of the picture between theirs. */
function capFor(shortSide: number): number {
  const above = TABLE.filter((row) => row.shortSide >= shortSide).at(-1) ?? TABLE[0]!;
  const below = TABLE.find((row) => row.shortSide < shortSide) ?? { shortSide: 0, maxBitrateBps: 0 };
  const share = (shortSide ** 2 - below.shortSide ** 2) / (above.shortSide ** 2 - below.shortSide ** 2);
  const bitrateBps = below.maxBitrateBps + Math.min(1, share) * (above.maxBitrateBps - below.maxBitrateBps);
  return Math.max(SMALLEST_CAP_BPS, Math.round(bitrateBps / 1000) * 1000);
}

function toRung(width: number, height: number, shortSide: number, maxBitrateBps: number): Rung {
  const scale = Math.min(1, shortSide / Math.min(width, height));
  return {
    id: `${shortSide}p`,
    width: evenAtMost(width, width * scale),
    height: evenAtMost(height, height * scale),
    maxBitrateBps,
    crf: CRF,
  };
}

/** The even number nearest to `wanted` (4:2:0 needs even sizes), never above the source, at least 2. */
function evenAtMost(source: number, wanted: number): number {
  const even = Math.round(wanted / 2) * 2;
  return Math.max(2, even > source ? even - 2 : even);
}
