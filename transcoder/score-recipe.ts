import type { Ladder } from "../core/ladder.ts";
import { pictureFor } from "../core/picture.ts";
import type { Plan } from "../core/plan.ts";
import type { QualityMetric } from "../core/quality.ts";
import type { Source } from "../core/source.ts";
import type { FrameRange } from "../core/timeline.ts";
import { chunkEntry } from "./chunk-entry.ts";
import { type FfmpegRecipe, STDOUT } from "./ffmpeg-command.ts";
import { colourFilters } from "./picture-filters.ts";
import { filterGraph, inputOptions, rungFile } from "./video-recipe.ts";

const GLOBAL_OPTIONS = ["-hide_banner", "-nostdin", "-v", "error", "-filter_complex_threads", "1"];
/**
 * Odd: even strides land on the frames that an encoder treats best, and lie upward by as much as five points. Of seven the first four
 * fall on each place of a row of four frames once, as encoders lay B-frames out, and lie nearer to all frames than five of five.
 */
const VMAF_STRIDE = 7;
/** A scored frame with the one before it and the one after: by those libvmaf measures motion, and by no others. */
const VMAF_NEIGHBOURHOOD = 3;
/** The default model is of a screen three times as far as it is high, 1080 lines; above it costs grow and nothing is learnt. */
const LARGEST_SCORED_WIDTH = 1920;
/** libvmaf 3 dies of a picture that is less than 18 wide or high (tried: 16 × 640 and 640 × 16; 18 passes). */
const SMALLEST_VMAF_SIDE = 18;

/** Where the `index`-th rung's scores are written, inside the sandbox. */
export function ssimFile(index: number): string {
  return `/out/ssim-${index}.log`;
}

export function vmafFile(index: number): string {
  return `/out/vmaf-${index}.json`;
}

/**
 * The ffmpeg call that compares files in `/out`, one of each rung with exactly these frames, with what went into their
 * encoders: the master is decoded once for all of them. For encoders that keep no score of their own.
 */
export function ssimRecipe(source: Source, plan: Plan, ladder: Ladder, frames: FrameRange): FfmpegRecipe {
  const entry = chunkEntry(source, plan, frames);
  const compare = ladder.rungs.map(
    (_, index) =>
      `${counted(plan, index, frames)}[d${index}];[d${index}][v${index}]ssim=f=${ssimFile(index)}[o${index}]`,
  );
  return {
    ...comparison(entry.inputOptions, ladder, frames),
    filterGraph: [filterGraph(source, plan, ladder, entry.filters), ...compare].join(";"),
  };
}

/** Where the `index`-th rung's scores by either metric are written. */
export function scoreFile(metric: QualityMetric, index: number): string {
  return metric === "vmaf" ? vmafFile(index) : ssimFile(index);
}

/** Whether VMAF of a ladder can be taken and means something: its model was trained on standard dynamic range. */
export function takesVmaf(ladder: Ladder): boolean {
  const { width, height } = scoredSize(ladder);
  return ladder.range === "SDR" && Math.min(width, height) >= SMALLEST_VMAF_SIDE;
}

/**
 * The ffmpeg call that scores files in `/out`, one of each rung, whose first frames are these. All are brought to the largest
 * rung's size, as on a viewer's screen, and the master is decoded and scaled once for all of them.
 */
export function screenRecipe(
  source: Source,
  plan: Plan,
  ladder: Ladder,
  frames: FrameRange,
  metric: QualityMetric,
): FfmpegRecipe {
  const entry = chunkEntry(source, plan, frames);
  const { width, height } = scoredSize(ladder);
  const names = ladder.rungs.map((_, index) => `[r${index}]`).join("");
  const reference = [
    ...entry.filters,
    `trim=end_frame=${frames.frameCount}`,
    ...givenFrames(metric),
    ...colourFilters(pictureFor(plan.picture, ladder.range), width, height, plan.speed),
  ];
  const shown = [...givenFrames(metric), `scale=${width}:${height}:flags=bicubic`].join(",");
  const compare = ladder.rungs.map(
    (_, index) =>
      `${counted(plan, index, frames)},${shown}[d${index}];` +
      `[d${index}][r${index}]${scorerFilter(metric, index)}[o${index}]`,
  );
  return {
    ...comparison(entry.inputOptions, ladder, frames),
    filterGraph: [
      `[0:${source.video.streamIndex}]${reference.join(",")},split=${ladder.rungs.length}${names}`,
      ...compare,
    ].join(";"),
  };
}

/**
 * Leaves of counted frames those that the scorer needs: every seventh and its neighbours, so that nothing is scaled or looked at for
 * motion that no score hangs on. The scores are those of all frames to the digit.
 */
function givenFrames(metric: QualityMetric): string[] {
  if (metric === "ssim") return [];
  return [`select='lt(mod(n+1,${VMAF_STRIDE}),${VMAF_NEIGHBOURHOOD})'`, "setpts=N"];
}

function scorerFilter(metric: QualityMetric, index: number): string {
  if (metric === "ssim") return `ssim=f=${ssimFile(index)}`;
  // The first frame has none before it, so that it and each third that is given are those to be scored.
  return `libvmaf=n_subsample=${VMAF_NEIGHBOURHOOD}:n_threads=1:log_fmt=json:log_path=${vmafFile(index)}`;
}

function comparison(seek: readonly string[], ladder: Ladder, frames: FrameRange): FfmpegRecipe {
  return {
    globalOptions: GLOBAL_OPTIONS,
    inputs: [
      { options: inputOptions(seek), file: "/in/source" },
      ...ladder.rungs.map((rung) => ({ options: inputOptions([]), file: rungFile(rung) })),
    ],
    outputs: ladder.rungs.map((_, index) => ({
      options: ["-map", `[o${index}]`, "-frames:v", String(frames.frameCount), "-f", "null"],
      file: STDOUT,
    })),
  };
}

/** A rung's frames with the numbers that the reference's have, whatever the file's times begin with. */
function counted({ timeline }: Plan, index: number, { frameCount }: FrameRange): string {
  const { num, den } = timeline.frameRate;
  return `[${index + 1}:v]settb=${den}/${num},setpts=N,trim=end_frame=${frameCount}`;
}

function scoredSize({ rungs }: Ladder): { width: number; height: number } {
  const { width, height } = rungs[0]!;
  const scale = Math.min(1, LARGEST_SCORED_WIDTH / Math.max(width, height));
  return { width: 2 * Math.round((width * scale) / 2), height: 2 * Math.round((height * scale) / 2) };
}

/** SSIM of the picture's lightness for each frame, in the order of showing, from the filter's own file. */
export function readSsim(text: string): number[] {
  return [...text.matchAll(/^n:\d+ Y:([\d.]+)/gm)].map((match) => Number(match[1]));
}

/** VMAF of each frame that was scored, from libvmaf's own file. */
export function readVmaf(text: string): number[] {
  const log = JSON.parse(text) as { frames: { metrics: { vmaf: number } }[] };
  return log.frames.map(({ metrics }) => metrics.vmaf);
}

/** What was written to `scoreFile`. */
export function readScores(metric: QualityMetric, text: string): number[] {
  return metric === "vmaf" ? readVmaf(text) : readSsim(text);
}
