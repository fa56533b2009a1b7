import type { Size } from "../core/image-size.ts";
import type { Storyboard } from "../core/storyboard.ts";
import { sheetName } from "../core/storyboard.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/**
 * Stills from what was encoded, never from the master: there the picture has its shape, its colours and whole frames
 * already, and a keyframe is found without decoding anything else.
 */

const SHEET_PATTERN = sheetName(0).replace("000", "%03d");
/** Of 2..31: no visible blocks at some 100 kB a poster; sheets are seen small. */
const POSTER_QUALITY = 3;
const SHEET_QUALITY = 5;
/** One a second, whatever their own times: numbered files and sheets must come out without one twice or left out. */
const ONE_A_SECOND = ["settb=1/1", "setpts=N", "fps=1"];
/** JFIF 1.02: BT.601's matrix, full range; the film's own matrix is in its frames. */
const JPEG_COLOURS = [
  "scale=in_range=limited:out_range=full:out_color_matrix=bt601:flags=bicubic",
  "format=yuvj420p",
];

/** All pictures of `/in/source` as the storyboard's sheets, and each of them small and grey, to be judged. */
export function storyboardRecipe({ columns, rows, thumb }: Storyboard, grey: Size): FfmpegRecipe {
  const sheets = [
    `scale=${thumb.width}:${thumb.height}:flags=bicubic`,
    `tile=${columns}x${rows}`,
    ...ONE_A_SECOND,
    ...JPEG_COLOURS,
  ];
  // Area: every pixel counts, so that fine detail becomes contrast and not chance.
  const small = [
    `scale=${grey.width}:${grey.height}:flags=area:in_range=limited:out_range=full`,
    "format=gray",
  ];
  return {
    globalOptions: GLOBAL_OPTIONS,
    inputs: [{ options: [...SAFE_INPUT_OPTIONS, "-threads", "1"], file: "/in/source" }],
    filterGraph: `[0:0]${ONE_A_SECOND.join(",")},split=2[a][b];[a]${sheets.join(",")}[sheets];[b]${small.join(",")}[grey]`,
    outputs: [
      { options: jpegOptions("sheets", SHEET_QUALITY, 0), file: `/out/${SHEET_PATTERN}` },
      { options: ["-map", "[grey]", "-c:v", "rawvideo", "-f", "rawvideo"], file: GREY_FILE },
    ],
  };
}

export const GREY_FILE = "/out/grey.raw";

/** Every keyframe of `/in/source` as a numbered poster, in the order of their times. */
export function posterRecipe({ width, height }: Size): FfmpegRecipe {
  const filters = [...ONE_A_SECOND, `scale=${width}:${height}:flags=lanczos`, ...JPEG_COLOURS];
  return {
    globalOptions: GLOBAL_OPTIONS,
    // The frames between belong to the fragments that were read; nobody wants them.
    inputs: [
      { options: [...SAFE_INPUT_OPTIONS, "-threads", "1", "-skip_frame", "nokey"], file: "/in/source" },
    ],
    filterGraph: `[0:0]${filters.join(",")}[posters]`,
    outputs: [{ options: jpegOptions("posters", POSTER_QUALITY, 0), file: "/out/%03d.jpg" }],
  };
}

/** Where the poster of the keyframe at this place in the source lies. */
export function posterFile(index: number): string {
  return `${String(index).padStart(3, "0")}.jpg`;
}

const GLOBAL_OPTIONS = ["-hide_banner", "-nostdin", "-v", "error", "-filter_complex_threads", "1"];

function jpegOptions(name: string, quality: number, firstNumber: number): string[] {
  return [
    ...["-map", `[${name}]`, "-c:v", "mjpeg", "-q:v", String(quality)],
    // One thread: with more, mjpeg cuts the picture into slices and the bytes differ.
    ...["-threads", "1", "-map_metadata", "-1"],
    ...["-f", "image2", "-start_number", String(firstNumber)],
  ];
}
