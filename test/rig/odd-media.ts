import { readFile } from "node:fs/promises";
import { kept, made } from "./media.ts";

/** Masters as people really send them, made small: each is odd in one way that its name says. */

const PICTURE = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
const SOUND = ["-c:a", "aac", "-b:a", "64k"];

/** `seconds` of moving bars, and sound unless told otherwise, in the container that the extension names. */
export function bars(
  options: {
    seconds?: number;
    rate?: string;
    size?: string;
    audio?: boolean;
    extension?: string;
    video?: readonly string[];
    sound?: readonly string[];
    filters?: string;
    output?: readonly string[];
  } = {},
): Promise<string> {
  const { seconds = 2, rate = "25", size = "320x180", audio = true, extension = "mp4" } = options;
  return made(extension, [
    ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
    ...(audio ? ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${seconds}`] : []),
    ...(options.filters === undefined ? [] : ["-vf", options.filters]),
    ...(options.video ?? PICTURE),
    ...(audio ? (options.sound ?? SOUND) : []),
    ...(options.output ?? []),
    "{out}",
  ]);
}

/** Picture and sound under Common Encryption. */
export function encrypted(): Promise<string> {
  const key = ["-encryption_key", "00112233445566778899aabbccddeeff", "-encryption_kid", "0".repeat(32)];
  return bars({ output: ["-encryption_scheme", "cenc-aes-ctr", ...key] });
}

/** Frames 55, 55 and 10 ms apart, over and over. */
export function variableRate(): Promise<string> {
  return bars({
    seconds: 4,
    filters: "settb=1/1000,setpts='PTS+0.015*mod(N,3)/TB'",
    audio: false,
    output: ["-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-video_track_timescale", "90000"],
  });
}

/** Shot upright on a phone: stored lying, with a display matrix. */
export async function rotated(): Promise<string> {
  return made("mov", [
    ...["-i", await bars({ audio: false }), "-c", "copy"],
    ...["-metadata:s:v:0", "rotate=90", "{out}"],
  ]);
}

/** PAL, 16:9: 720×576 samples that are shown 1024 wide. */
export function anamorphic(): Promise<string> {
  return bars({ size: "720x576", filters: "setsar=64/45", audio: false });
}

/** The sound begins a second and a half into the picture. */
export async function lateSound(): Promise<string> {
  return made("mkv", [
    ...["-i", await bars({ audio: false, seconds: 4 })],
    ...["-itsoffset", "1.5", "-f", "lavfi", "-i", "sine=d=2", "-map", "0:v", "-map", "1:a"],
    ...["-c:v", "copy", "-c:a", "flac", "{out}"],
  ]);
}

/** A recording whose clock starts at ten seconds, as broadcast streams do. */
export function lateStart(): Promise<string> {
  return bars({ extension: "ts", output: ["-muxdelay", "0", "-output_ts_offset", "10"] });
}

/** The first second is hidden by an edit list, and begins between two keyframes. */
export async function trimmedByEditList(): Promise<string> {
  const whole = await bars({ seconds: 4, audio: false, video: [...PICTURE, "-g", "100"] });
  return made("mp4", ["-ss", "1", "-i", whole, "-c", "copy", "{out}"]);
}

/** A song with its cover. */
export async function soundWithCover(): Promise<string> {
  const cover = await made("png", ["-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", "{out}"]);
  return made("m4a", [
    ...["-f", "lavfi", "-i", "sine=d=2", "-i", cover, "-map", "0", "-map", "1"],
    ...[...SOUND, "-c:v", "copy", "-disposition:v:0", "attached_pic", "{out}"],
  ]);
}

/** Several languages and subtitles, with names that try to break out of a playlist. */
export async function manyTracks(): Promise<string> {
  const cue = await kept("srt", "1\n00:00:00,000 --> 00:00:01,000\nHello\n");
  return made("mkv", [
    ...["-i", await bars(), "-i", cue],
    ...[
      "-map",
      "0:v",
      "-map",
      "0:a",
      "-map",
      "0:a",
      "-map",
      "0:a",
      "-map",
      "1:s",
      "-c",
      "copy",
      "-c:s",
      "srt",
    ],
    ...["-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=pt-BR"],
    ...["-metadata:s:a:1", 'title=Say "hi",URI="x"\nmore', "-metadata:s:s:0", "language=eng", "{out}"],
  ]);
}

/** One black picture as a file of few bytes, whatever its size. */
export function blackPicture(
  extension: string,
  size: string,
  format: string,
  encoder: readonly string[],
): Promise<string> {
  const picture = `color=c=black:s=${size}:r=1:d=1,format=${format}`;
  return made(extension, ["-f", "lavfi", "-i", picture, "-frames:v", "1", ...encoder, "{out}"]);
}

/** A picture that is claimed enormous: no larger and in no more colours than it must be, for somebody makes it. */
export function pixelBomb(codec: "png" | "hevc"): Promise<string> {
  if (codec === "png")
    return blackPicture("mkv", "15000x15000", "gray", ["-c:v", "png", "-compression_level", "1"]);
  const x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"];
  return blackPicture("mkv", "16384x4096", "yuv420p", x265);
}

/** Two frames, the second a quarter of an hour after the first. */
export function durationBomb(): Promise<string> {
  return bars({
    audio: false,
    filters: "select='lt(n,2)',setpts='if(eq(N,1),900/TB,0)'",
    output: ["-fps_mode", "passthrough"],
    extension: "mkv",
  });
}

/** A film that lists its index first, cut off after this share of its bytes. */
export async function cutOff(path: string, share: number): Promise<Buffer> {
  const bytes = await readFile(path);
  return bytes.subarray(0, Math.floor(bytes.length * share));
}
