import { allRungs, type Plan } from "../core/plan.ts";
import type { Source } from "../core/source.ts";
import { timelineSeconds } from "../core/timeline.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { colourFilters, deinterlaceFilters } from "./picture-filters.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

export const POSTER_FILE = "/out/poster.jpg";
const LARGEST_WIDTH = 1280;
/** Past the opening titles, before the story gives itself away. */
const POSITION_RATIO = 0.2;
/** The most typical frame of this many is taken: rarely the black or blurred one. */
const CANDIDATES = 48;

/** Size of the poster for this plan: the top rung's shape, at most 1280 wide. */
export function posterSize(plan: Plan): { width: number; height: number } {
  const top = allRungs(plan)[0]!;
  const scale = Math.min(1, LARGEST_WIDTH / top.width);
  return {
    width: Math.max(2, Math.round((top.width * scale) / 2) * 2),
    height: Math.max(2, Math.round((top.height * scale) / 2) * 2),
  };
}

/** The ffmpeg call that makes the poster. */
export function posterRecipe(source: Source, plan: Plan): FfmpegRecipe {
  const { width, height } = posterSize(plan);
  const offset = source.video.startSeconds - source.video.fileStartSeconds;
  const position = timelineSeconds(plan.timeline) * POSITION_RATIO + offset;
  const seek = plan.timeline.frameCount > CANDIDATES * 2 ? ["-ss", position.toFixed(3)] : [];
  const filters = [
    // Before the choice, while neighbours are neighbours. One still needs no field rate.
    ...deinterlaceFilters({
      ...plan.picture,
      deinterlace: plan.picture.deinterlace === "none" ? "none" : "frames",
    }),
    `thumbnail=${CANDIDATES}`,
    ...colourFilters(plan.picture, width, height),
    // JFIF 1.02: BT.601's matrix, full range.
    "scale=in_range=limited:out_range=full:out_color_matrix=bt601",
    "format=yuvj420p",
  ];
  return {
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error", "-filter_complex_threads", "1"],
    inputs: [{ options: [...SAFE_INPUT_OPTIONS, "-threads", "1", ...seek], file: "/in/source" }],
    filterGraph: `[0:${source.video.streamIndex}]${filters.join(",")}[p]`,
    outputs: [
      {
        // 3 of 2..31: no visible blocks at about 100 kB.
        options: [
          "-map",
          "[p]",
          "-frames:v",
          "1",
          "-c:v",
          "mjpeg",
          "-q:v",
          "3",
          "-threads",
          "1",
          "-map_metadata",
          "-1",
          "-f",
          "image2",
          "-update",
          "1",
        ],
        file: POSTER_FILE,
      },
    ],
  };
}
