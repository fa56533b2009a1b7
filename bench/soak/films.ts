import { readFile } from "node:fs/promises";
import { BIG_BUCK_BUNNY_480, flashAndBeep, made } from "../../test/rig/media.ts";

/** A master that editors send, and what is to become of it. */
export interface Film {
  name: string;
  bytes: Uint8Array;
  /** Codes of which one is its fate; none: it becomes a film. */
  failsWith: readonly string[];
}

const SMALL = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "48"];

/** Small masters of several kinds, some of which nothing can be made of. */
export async function makeFilms(): Promise<Film[]> {
  const bunny = (extension: string, seconds: number, ...args: string[]) =>
    made(extension, ["-ss", "4", "-t", String(seconds), "-i", BIG_BUCK_BUNNY_480, ...args, "{out}"]);
  const good: [string, string][] = [
    ["cartoon.mp4", await bunny("mp4", 6, "-c", "copy")],
    ["cartoon-240p.mkv", await bunny("mkv", 10, "-vf", "scale=426:240", ...SMALL, "-c:a", "aac", "-ac", "2")],
    ["broadcast.ts", await bunny("ts", 5, "-vf", "scale=640:360", ...SMALL, "-c:a", "aac", "-ac", "2")],
    ["bars.mp4", await flashAndBeep({ seconds: 16, size: "320x180", rate: "30" })],
    ["silent.mov", await flashAndBeep({ seconds: 4, size: "480x270", audio: false, extension: "mov" })],
    ["noise.mp4", await noise()],
    ["long.mp4", await flashAndBeep({ seconds: 28, size: "320x180" })],
  ];
  const films = await Promise.all(
    good.map(async ([name, path]): Promise<Film> => ({ name, bytes: await readFile(path), failsWith: [] })),
  );
  const cut = films[0]!.bytes.subarray(0, films[0]!.bytes.length / 2);
  const sound = await readFile(await bunny("m4a", 4, "-vn", "-c:a", "aac", "-ac", "2"));
  return [
    ...films,
    { name: "letter.mp4", bytes: Buffer.from("No film at all."), failsWith: ["unsupported_container"] },
    {
      name: "cut.mp4",
      bytes: cut,
      failsWith: ["source_damaged", "unsupported_container", "timeline_invalid"],
    },
    { name: "sound.m4a", bytes: sound, failsWith: ["no_video"] },
  ];
}

/** Some twenty megabytes, so that an upload has several parts. */
async function noise(): Promise<string> {
  return made("mp4", [
    ...["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=24:duration=5", "-vf", "noise=alls=60:allf=t"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p", "{out}"],
  ]);
}

/** Subtitles of two lines. */
export const SUBTITLES = "WEBVTT\n\n00:00.500 --> 00:01.500\nOne\n\n00:02.000 --> 00:03.000\nTwo\n";
