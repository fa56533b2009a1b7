import { ACCEPTED_DECODERS, ACCEPTED_FORMATS } from "../core/accepted-media.ts";
import type { Speed } from "../core/encoding.ts";
import type { Ladder, Rung } from "../core/ladder.ts";
import { pictureFor } from "../core/picture.ts";
import { hardwareOfLadder, type Plan } from "../core/plan.ts";
import { secondsText } from "../core/rational.ts";
import type { Source } from "../core/source.ts";
import { type Chunk, chunkFrames, type FrameRange } from "../core/timeline.ts";
import { chunkEntry } from "./chunk-entry.ts";
import { TALKATIVE } from "./encoder-scores.ts";
import { encoderOptions } from "./encoders.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { hardwareGlobalOptions, uploadFilter } from "./hardware-recipe.ts";
import { colourFilters, colourTags, makeSmaller } from "./picture-filters.ts";
import { TRICK_FILE, trickFilters, trickOptions } from "./trick-track.ts";

/** File that a chunk's frames of one rung are written to, inside the sandbox. */
export function rungFile(rung: Rung): string {
  return `/out/${rung.id}.mp4`;
}

/** The ffmpeg call that makes all rungs of one ladder of one chunk from one decode. Pure: same plan, same argv. */
export function videoRecipe(source: Source, plan: Plan, ladder: Ladder, chunk: Chunk): FfmpegRecipe {
  const frames = chunkFrames(plan.timeline, chunk);
  const entry = chunkEntry(source, plan, frames);
  const trick = hasTrick(plan, ladder);
  const family = hardwareOfLadder(plan, ladder);
  const graph = filterGraph(source, plan, ladder, entry.filters, trick ? trickFilters(plan.timeline) : []);
  const uploads = ladder.rungs.flatMap((_, index) => uploadFilter(family, index).filter);
  return {
    globalOptions: [...GLOBAL_OPTIONS, ...hardwareGlobalOptions(family)],
    inputs: [{ options: inputOptions(entry.inputOptions), file: "/in/source" }],
    filterGraph: [graph, ...uploads].join(";"),
    outputs: [
      ...ladder.rungs.map((rung, index) => ({
        options: outputOptions(plan, ladder, rung, uploadFilter(family, index).link, frames),
        file: rungFile(rung),
      })),
      ...(trick ? [{ options: trickOptions(plan, frames), file: TRICK_FILE }] : []),
    ],
  };
}

/** Whether the pictures for seeking ride on this ladder's decode. */
export function hasTrick({ trickPlay }: Plan, ladder: Ladder): boolean {
  return trickPlay.ladderId === ladder.id;
}

const GLOBAL_OPTIONS = [
  "-hide_banner",
  // Never wait for a keypress.
  "-nostdin",
  // The encoders say how well they did; all else that is said is left out (encoder-scores.ts).
  "-v",
  TALKATIVE,
  // One thread for all filters: the pool otherwise takes every core from the neighbour chunk.
  "-filter_complex_threads",
  "1",
];

/** Options of every input: what ffmpeg may open, and how large a picture may be (35,389,440 = 8192×4320). */
export const SAFE_INPUT_OPTIONS = [
  "-protocol_whitelist",
  "file",
  "-format_whitelist",
  ACCEPTED_FORMATS.join(","),
  "-codec_whitelist",
  ACCEPTED_DECODERS.join(","),
  "-max_pixels",
  "35389440",
];

export function inputOptions(seek: readonly string[]): string[] {
  return [
    ...SAFE_INPUT_OPTIONS,
    // One thread per decoder and encoder: equal bytes on every run, and one chunk fills one core.
    "-threads",
    "1",
    ...seek,
  ];
}

/**
 * The chunk's frames in their colours, then the cascade: each rung is scaled from the next larger one (5..7 % less CPU).
 * `further` filters, where there are any, go on from the smallest rung and come out at `[further]`.
 */
export function filterGraph(
  source: Source,
  plan: Plan,
  { rungs, range }: Ladder,
  entry: readonly string[],
  further: readonly string[] = [],
): string {
  const top = rungs[0]!;
  const ends = rungs.length + (further.length > 0 ? 1 : 0);
  const steps = [
    ...entry,
    ...colourFilters(pictureFor(plan.picture, range), top.width, top.height, plan.speed),
  ];
  const parts = [`[0:${source.video.streamIndex}]${steps.join(",")}${fork(0, ends)}`];
  rungs.slice(1).forEach((rung, index) => {
    parts.push(`[s${index + 1}]${scaleTo(rung, plan.speed).join(",")}${fork(index + 1, ends)}`);
  });
  if (further.length > 0) parts.push(`[s${rungs.length}]${further.join(",")}[further]`);
  return parts.join(";");
}

function fork(index: number, count: number): string {
  return index === count - 1 ? `[v${index}]` : `,split=2[v${index}][s${index + 1}]`;
}

function scaleTo(rung: Rung, speed: Speed): string[] {
  return [makeSmaller(rung.width, rung.height, speed), "setsar=1"];
}

/** One rung's encoder, its place on the timeline and its file. */
export function outputOptions(
  plan: Plan,
  ladder: Ladder,
  rung: Rung,
  link: string,
  frames: FrameRange,
): string[] {
  const { timeline } = plan;
  const start = secondsText(frames.firstFrame * timeline.ticksPerFrame, timeline.timescale, 6);
  return [
    ...["-map", link],
    ...encoderOptions(plan, ladder, rung),
    ...colourTags(pictureFor(plan.picture, ladder.range)),
    // Exactly the chunk's frames, whatever the seek left over at its end.
    ...["-frames:v", String(frames.frameCount)],
    // The chunk's place on the timeline: its first tfdt is the last one's end.
    ...["-output_ts_offset", start],
    ...["-video_track_timescale", String(timeline.timescale)],
    // An edit list would shift the picture by the encoder's delay in some players.
    ...["-use_editlist", "0"],
    // Nothing of the source's metadata (place, device, names) goes out (T11).
    ...["-map_metadata", "-1", "-map_chapters", "-1"],
    // A fragment per keyframe, no sample table up front, CMAF's rules, tfdt from -output_ts_offset.
    ...[
      "-f",
      "mp4",
      "-movflags",
      "+frag_keyframe+empty_moov+default_base_moof+cmaf+frag_discont+skip_trailer",
    ],
  ];
}
