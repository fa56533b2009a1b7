import { DECODE_ENTRIES } from "../core/decode-log.ts";
import { FLASH_COLUMNS, FLASH_ROWS } from "../core/flash-meter.ts";
import { type FfmpegRecipe, STDOUT } from "./ffmpeg-command.ts";
import { SOURCE_PATH } from "./sandbox.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

export const FLASH_FILE = "/out/flashes.gray";
export const COMBING_FILE = "/out/combing.txt";
/** The segments whose first frames are looked at for combing. */
export function sampleFile(index: number): string {
  return `/out/sample${index}.mp4`;
}

const GLOBAL_OPTIONS = ["-hide_banner", "-nostdin", "-v", "error", "-filter_complex_threads", "1"];
const INPUT_OPTIONS = [...SAFE_INPUT_OPTIONS, "-threads", "1"];
/** Everything that filters found is printed frame by frame; `core/picture-log.ts` reads it. */
const PRINT = "metadata=mode=print:file=";
const SAMPLE_SECONDS = "0.6";

type Look = Required<Pick<FfmpegRecipe, "inputs" | "filterGraph" | "outputs">>;

/**
 * The ffmpeg call that looks at a film, or a part of it (`hasFilm`), and for combs in some samples (none where that is 0), by one
 * process: its start alone costs as much as ten seconds of the smallest rung.
 */
export function inspectionRecipe(hasFilm: boolean, samples: number): FfmpegRecipe {
  const looks = [
    ...(hasFilm ? [lookAtFilm()] : []),
    ...(samples > 0 ? [lookForCombs(samples, hasFilm ? 1 : 0)] : []),
  ];
  return {
    globalOptions: GLOBAL_OPTIONS,
    inputs: looks.flatMap(({ inputs }) => inputs),
    filterGraph: looks.map(({ filterGraph }) => filterGraph).join(";"),
    outputs: looks.flatMap(({ outputs }) => outputs),
  };
}

/**
 * In its smallest rung: what is black, frozen, framed by bars or flashing shows there as well, for a tenth of what decoding the
 * master costs (docs/decisions/findings.md).
 */
function lookAtFilm(): Look {
  const filters = [
    // A pixel is dark below a tenth of the range, a picture is black when all but 2 % of it is.
    "blackdetect=d=1:pic_th=0.98:pix_th=0.10",
    // Half a grey level on average: an encoder's keyframes change a still picture by less. However short: where a part of
    // the film goes on from the one before shows by the pictures that are held (core/seen-parts.ts).
    "freezedetect=n=0.002:d=0",
    // Bars are what no frame ever lights: 24 is black with some noise.
    "cropdetect=limit=24:round=2:reset=0",
    `${PRINT}-`,
  ];
  const cells = [`scale=${FLASH_COLUMNS}:${FLASH_ROWS}:flags=area`, "format=gray"];
  return {
    inputs: [{ options: INPUT_OPTIONS, file: SOURCE_PATH }],
    filterGraph: `[0:v]split=2[a][b];[a]${filters.join(",")}[film];[b]${cells.join(",")}[cells]`,
    outputs: [
      { options: ["-map", "[film]", "-fps_mode", "passthrough", "-f", "null"], file: STDOUT },
      // Frames as they come: the meter counts them.
      { options: ["-map", "[cells]", "-fps_mode", "passthrough", "-f", "rawvideo"], file: FLASH_FILE },
    ],
  };
}

/** In the first frames of some segments of the top rung, where every line of the master still stands. */
function lookForCombs(samples: number, firstInput: number): Look {
  const inputs = Array.from({ length: samples }, (_, index) => ({
    options: [...INPUT_OPTIONS, "-t", SAMPLE_SECONDS],
    file: sampleFile(index),
  }));
  const joined = `${inputs.map((_, index) => `[${firstInput + index}:v]`).join("")}concat=n=${samples}`;
  return {
    inputs,
    // 1.3, not 1.04: fine detail that moves is not combed. To a file: standard output tells of the film's frames.
    filterGraph: `${joined},idet=intl_thres=1.3,${PRINT}${COMBING_FILE}[combs]`,
    outputs: [{ options: ["-map", "[combs]", "-f", "null"], file: STDOUT }],
  };
}

/** The ffprobe call that decodes one stream of the master and tells what the decoder said at each frame. */
export function decodeArgs(streamIndex: number): string[] {
  return [
    ...["-v", "error", ...SAFE_INPUT_OPTIONS, "-threads", "1"],
    // 16: the decoder's errors, each with its frame.
    ...["-select_streams", String(streamIndex), "-show_frames", "-show_log", "16"],
    ...["-show_entries", DECODE_ENTRIES, "-of", "csv", SOURCE_PATH],
  ];
}
