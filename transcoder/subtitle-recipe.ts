import type { SubtitleFormat } from "../core/sidecar.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

export const SUBTITLE_FILE = "/out/text.vtt";
/** What is written of one track at most; ffmpeg ends well when it is reached. */
export const MOST_WEBVTT_BYTES = 4 * 2 ** 20;

const GLOBAL_OPTIONS = [
  ...["-hide_banner", "-nostdin", "-v", "error"],
  // The file's own clock: where it begins differs between builds of ffmpeg when only one stream is read.
  "-copyts",
];
const OUTPUT_OPTIONS = [
  ...["-c:s", "webvtt", "-map_metadata", "-1", "-map_chapters", "-1"],
  // A line before the first frame would otherwise move all others.
  ...["-avoid_negative_ts", "disabled"],
  ...["-fs", String(MOST_WEBVTT_BYTES), "-f", "webvtt"],
];

/** Old files say nothing of their letters, and most that are not UTF-8 are this. */
const FALLBACK_CHARSET = "windows-1252";

/** The ffmpeg call that writes one text stream of a master as WebVTT. */
export function embeddedTextRecipe(streamIndex: number, isUtf8: boolean): FfmpegRecipe {
  const charset = isUtf8 ? [] : ["-sub_charenc", FALLBACK_CHARSET];
  return {
    globalOptions: GLOBAL_OPTIONS,
    inputs: [{ options: [...SAFE_INPUT_OPTIONS, ...charset], file: "/in/source" }],
    outputs: [{ options: ["-map", `0:${streamIndex}`, ...OUTPUT_OPTIONS], file: SUBTITLE_FILE }],
  };
}

/** The ffmpeg call that turns a subtitle file (in UTF-8) into WebVTT. */
export function sidecarTextRecipe(format: Exclude<SubtitleFormat, "vtt">): FfmpegRecipe {
  const safe = [
    ...["-protocol_whitelist", "file", "-format_whitelist", "srt,ass"],
    ...["-codec_whitelist", "subrip,srt,ass,ssa"],
  ];
  return {
    globalOptions: GLOBAL_OPTIONS,
    // Never guessed: what the text claims to be decides nothing (T01).
    inputs: [{ options: [...safe, "-f", format], file: "/in/source" }],
    outputs: [{ options: ["-map", "0:0", ...OUTPUT_OPTIONS], file: SUBTITLE_FILE }],
  };
}
