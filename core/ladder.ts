import type { VideoCodec } from "./encoding.ts";
import type { HdrMetadata } from "./source.ts";

/** HLS's words for the dynamic range of a picture (8216bis 4.4.6.2, VIDEO-RANGE). */
export type VideoRange = "SDR" | "PQ" | "HLG";

/** All rungs of one codec and one dynamic range: decoded once per chunk and encoded together. */
export interface Ladder {
  id: string;
  codec: VideoCodec;
  range: VideoRange;
  /** Largest first; ids are unique over all ladders of a plan. */
  rungs: Rung[];
  /** Of a PQ ladder whose master says what it was graded on: handed on, never made up. */
  hdr?: HdrMetadata;
  /** What encodes it, where that is not what the rest of its plan is encoded by. */
  encoder?: LadderEncoder;
}

/** A build of ffmpeg with its encoder, and the preset that this one works at. */
export interface LadderEncoder {
  build: string;
  preset: string;
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
  /** What trial encodes of the film foretell; absent where the rung is the table's. */
  predicted?: { averageBps: number; score: number };
  /** Not encoded: the master's own coded pictures, cut on the grid (core/remux.ts). */
  isCopied?: true;
}

/** A ladder as far as it is encoded: without the rung that is the master's own. Never empty, since one below it always is. */
export function encodedPart(ladder: Ladder): Ladder {
  return { ...ladder, rungs: ladder.rungs.filter(({ isCopied }) => isCopied !== true) };
}

/** Short side of the picture and H.264's cap, from Apple's authoring table thinned to its steps in use. */
const TABLE: readonly { shortSide: number; maxBitrateBps: number }[] = [
  { shortSide: 2160, maxBitrateBps: 21_000_000 },
  { shortSide: 1440, maxBitrateBps: 11_000_000 },
  { shortSide: 1080, maxBitrateBps: 6_000_000 },
  { shortSide: 720, maxBitrateBps: 3_500_000 },
  { shortSide: 540, maxBitrateBps: 2_000_000 },
  { shortSide: 360, maxBitrateBps: 900_000 },
  { shortSide: 234, maxBitrateBps: 350_000 },
];

interface CodecPolicy {
  /** Above it there is no rung, whatever the master has. */
  largestShortSide: number;
  /** Neither side may be smaller: what the encoder takes. */
  smallestSide: number;
  /** Of H.264's cap. */
  capShare: number;
  /** About one quality over all codecs, measured by SSIM (docs/decisions/codecs.md), and its second step down. */
  crf: number;
  lowCrf: number;
}

const POLICY: Record<VideoCodec, CodecPolicy> = {
  // Apple's table ends H.264 at 1080p: above it few devices decode it, and all that do have HEVC.
  h264: { largestShortSide: 1080, smallestSide: 2, capShare: 1, crf: 25, lowCrf: 31 },
  hevc: { largestShortSide: 2160, smallestSide: 16, capShare: 0.65, crf: 26, lowCrf: 32 },
  av1: { largestShortSide: 2160, smallestSide: 64, capShare: 0.55, crf: 35, lowCrf: 43 },
};

/** Below this even a tiny picture has no room for its keyframes. */
const SMALLEST_CAP_BPS = 100_000;
/** A source this much above the next row of the table gets a rung of its own size. */
const OWN_RUNG_RATIO = 1.12;
/** Apple HLS authoring 9.9: at least two bit rates, also where the source is smaller than the whole table. */
const SECOND_CAP_RATIO = 0.5;

/**
 * The rungs of one codec for a picture of `width`×`height` square pixels, largest first. Never upscaled, aspect kept to
 * the nearest even size, at least two bit rates, all ids unique; H.264's are plain sizes, others begin with `prefix`.
 * Empty where the picture is smaller than the codec's encoder takes.
 */
export function buildLadder(width: number, height: number, codec: VideoCodec = "h264", prefix = ""): Rung[] {
  const policy = POLICY[codec];
  const rungs = sizesFor(Math.min(width, height), policy.largestShortSide)
    .map((row) => toRung(width, height, row, policy, prefix))
    .filter((rung) => Math.min(rung.width, rung.height) >= policy.smallestSide);
  const [only] = rungs;
  if (only !== undefined && rungs.length === 1) {
    rungs.push({
      ...only,
      id: `${only.id}-low`,
      maxBitrateBps: Math.round(only.maxBitrateBps * SECOND_CAP_RATIO),
      crf: policy.lowCrf,
    });
  }
  return rungs;
}

/** Rows of the table that the picture fills, and one of its own size where the next one is far below it. */
function sizesFor(
  shortSide: number,
  largestShortSide: number,
): { shortSide: number; maxBitrateBps: number }[] {
  const allowed = TABLE.filter((row) => row.shortSide <= largestShortSide);
  const rows = allowed.filter((row) => row.shortSide <= shortSide);
  const top = rows[0];
  const ownSize = top === undefined || (top !== allowed[0] && shortSide >= top.shortSide * OWN_RUNG_RATIO);
  return ownSize ? [{ shortSide, maxBitrateBps: capFor(shortSide) }, ...rows] : rows;
}

/** A cap for a size between two rows, in proportion to the area of the picture between theirs. */
function capFor(shortSide: number): number {
  const above = TABLE.filter((row) => row.shortSide >= shortSide).at(-1) ?? TABLE[0]!;
  const below = TABLE.find((row) => row.shortSide < shortSide) ?? { shortSide: 0, maxBitrateBps: 0 };
  const share = (shortSide ** 2 - below.shortSide ** 2) / (above.shortSide ** 2 - below.shortSide ** 2);
  return below.maxBitrateBps + Math.min(1, share) * (above.maxBitrateBps - below.maxBitrateBps);
}

function toRung(
  width: number,
  height: number,
  row: { shortSide: number; maxBitrateBps: number },
  policy: CodecPolicy,
  prefix: string,
): Rung {
  const scale = Math.min(1, row.shortSide / Math.min(width, height));
  const capKbps = Math.round((row.maxBitrateBps * policy.capShare) / 1000);
  return {
    id: `${prefix}${row.shortSide}p`,
    width: evenAtMost(width, width * scale),
    height: evenAtMost(height, height * scale),
    maxBitrateBps: Math.max(SMALLEST_CAP_BPS, capKbps * 1000),
    crf: policy.crf,
  };
}

/** The even number nearest to `wanted` (4:2:0 needs even sizes), never above the source, at least 2. */
function evenAtMost(source: number, wanted: number): number {
  const even = Math.round(wanted / 2) * 2;
  return Math.max(2, even > source ? even - 2 : even);
}
