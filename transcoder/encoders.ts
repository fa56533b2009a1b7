import { PRESETS, type VideoCodec } from "../core/encoding.ts";
import { masteringDisplayIntegers } from "../core/hdr-metadata.ts";
import type { Ladder, Rung } from "../core/ladder.ts";
import { hardwareOfLadder, type Plan } from "../core/plan.ts";
import type { HdrMetadata } from "../core/source.ts";
import { hardwareH264 } from "./hardware-recipe.ts";

/** The encoders of the picture and how each is told the same thing: quality under a cap, closed groups on the grid. */

/** ffmpeg's name of each codec's encoder. */
export const ENCODER_OF: Record<VideoCodec, string> = {
  h264: "libx264",
  hevc: "libx265",
  av1: "libsvtav1",
};

/** What an encoder needs to know of a plan. */
type Coding = Pick<Plan, "timeline" | "speed" | "preset" | "hardware">;

/** Options of one rung's encoder. Equal input gives equal bytes: each works on one thread, or in an order that is fixed. */
export function encoderOptions(plan: Coding, ladder: Ladder, rung: Rung): string[] {
  const family = hardwareOfLadder(plan, ladder);
  if (family !== null) return hardwareH264(family, plan.timeline.framesPerKeyframe, rung);
  switch (ladder.codec) {
    case "h264":
      return x264(plan, rung);
    case "hevc":
      return x265(plan, ladder, rung);
    case "av1":
      return svtAv1(plan, ladder, rung);
  }
}

/** What x264 is told beside a preset. */
export interface BeyondPreset {
  /** As its own parameters, to be put behind others. */
  params: string;
  /** Steps of its constant quality later than a rung's, at which the picture is as good as the plain preset's there. */
  laterCrf: number;
}

/**
 * What is worth more than it costs beside each speed's preset (docs/decisions/per-title.md). Veryfast leaves out what the others
 * have: bits are chosen by what they are worth (trellis), and are spent on what later frames are made from, as far ahead as the next
 * preset looks. The others look as far as medium does and take one reference, since more cost CPU and save next to nothing; they
 * spend no bits on grain for its own sake (psy), which no score counts, and on flat parts fewer, by the picture's own variance (aq).
 */
const BEYOND_PRESET: Readonly<Record<string, BeyondPreset>> = {
  veryfast: { params: ":trellis=1:rc-lookahead=20", laterCrf: 0 },
  // Block types chosen as medium does (subme), which is most of what that preset saves.
  faster: {
    params: ":subme=7:rc-lookahead=40:ref=1:no-psy=1:aq-mode=2:aq-strength=0.8",
    laterCrf: 1,
  },
  // Each block's quantiser too is chosen by what its bits are worth (subme with trellis), and how many B-frames stand in a row is
  // searched and not guessed, of up to five (bframes), which animation gains by and camera does not take.
  medium: {
    params: ":subme=10:trellis=2:b-adapt=2:bframes=5:ref=1:no-psy=1:aq-mode=2:aq-strength=0.8",
    laterCrf: 0.5,
  },
};

/** Nothing for a preset that no speed works at. */
export function beyondPreset(preset: string): BeyondPreset {
  return BEYOND_PRESET[preset] ?? { params: "", laterCrf: 0 };
}

function x264(plan: Coding, rung: Rung): string[] {
  const gop = plan.timeline.framesPerKeyframe;
  const cap = String(rung.maxBitrateBps);
  const { params, laterCrf } = beyondPreset(plan.preset);
  return [
    ...["-c:v", ENCODER_OF.h264, "-preset", plan.preset, "-profile:v", "high"],
    // Constant quality under a cap: easy scenes cost little, hard ones stay deliverable.
    ...["-crf", String(rung.crf + laterCrf), "-maxrate", cap, "-bufsize", cap],
    // Closed GOPs on the grid and nowhere else; a VBV that starts 70 % full lets chunks meet without a dip;
    // each frame is compared with what went in, which changes no byte.
    "-x264-params",
    `keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:vbv-init=0.7:ssim=1${params}`,
    // One thread: with a binding VBV, x264 differs from run to run otherwise.
    ...["-threads", "1"],
  ];
}

function x265(plan: Coding, { range, hdr }: Ladder, rung: Rung): string[] {
  const gop = plan.timeline.framesPerKeyframe;
  const cap = String(rung.maxBitrateBps);
  const params = [
    // Closed GOPs that begin with an IDR, never a CRA (Apple 1.13, 7.4).
    ...[`keyint=${gop}`, `min-keyint=${gop}`, "scenecut=0", "open-gop=0", "vbv-init=0.7"],
    // One picture and one row at a time: with a binding VBV, x265 differs from run to run otherwise.
    ...["frame-threads=1", "no-wpp=1", "pools=none"],
    // Apple 1.6a: Main tier; the level then follows from size, rate and cap.
    "high-tier=0",
    // No list of options in every header.
    ...["info=0", "log-level=error"],
    ...(range === "PQ" ? hdr10(hdr) : []),
  ];
  return [
    ...["-c:v", ENCODER_OF.hevc, "-preset", PRESETS[plan.speed].hevc],
    // Apple 1.6b: Main, or Main 10 where the picture has ten bits.
    ...["-profile:v", range === "SDR" ? "main" : "main10"],
    ...["-crf", String(rung.crf), "-maxrate", cap, "-bufsize", cap],
    ...["-x265-params", params.join(":")],
    // Apple 1.10: parameter sets in the sample entry, not in the stream.
    ...["-tag:v", "hvc1"],
  ];
}

/** Apple 1.8, 1.35: what the master says of itself as SEI messages, which ffmpeg also writes into hvcC. */
function hdr10({ masteringDisplay, contentLight }: HdrMetadata = {}): string[] {
  const params = [
    // Chroma and dark parts are weighed as PQ spends its codes.
    "hdr10-opt=1",
  ];
  if (masteringDisplay !== undefined) {
    const { chromaticities, max, min } = masteringDisplayIntegers(masteringDisplay);
    const points = chromaticities.map(([x, y], index) => `${["G", "B", "R", "WP"][index]}(${x},${y})`);
    params.push(`master-display=${points.join("")}L(${max},${min})`);
  }
  if (contentLight !== undefined) params.push(`max-cll=${contentLight.max},${contentLight.maxAverage}`);
  return params;
}

function svtAv1(plan: Coding, { encoder }: Ladder, rung: Rung): string[] {
  return [
    ...["-c:v", ENCODER_OF.av1, "-preset", encoder?.preset ?? PRESETS[plan.speed].av1],
    // Capped CRF; it knows no buffer beside.
    ...["-crf", String(rung.crf), "-maxrate", String(rung.maxBitrateBps)],
    ...["-g", String(plan.timeline.framesPerKeyframe)],
    // No keyframe at a cut, since all rungs and codecs share the grid; one core for one chunk.
    ...["-svtav1-params", "scd=0:lp=1"],
  ];
}
