import { kept, made } from "./media.ts";

/** Masters with text of every kind over the same small picture of 13 s: three segments of 6, 6 and 1 s. */

export const TEXT_SECONDS = 13;

export interface TextTrack {
  /** A file's text: its name's ending says how it is written. */
  file: { ending: "srt" | "ass" | "vtt" | "sup"; text: string | Uint8Array };
  codec: "srt" | "ass" | "webvtt" | "mov_text" | "copy";
  language?: string;
  title?: string;
  disposition?: string;
}

/** A SubRip file of lines given as [start, end, text] in seconds. */
export function subRip(lines: readonly [number, number, string][]): string {
  const time = (seconds: number): string =>
    new Date(Math.round(seconds * 1000)).toISOString().slice(11, 23).replace(".", ",");
  return lines
    .map(([start, end, text], index) => `${index + 1}\n${time(start)} --> ${time(end)}\n${text}\n\n`)
    .join("");
}

/** A master with these tracks; `startSeconds` moves all of it on the file's clock. */
export async function withTexts(
  extension: "mkv" | "mp4",
  tracks: readonly TextTrack[],
  startSeconds = 0,
): Promise<string> {
  const files = await Promise.all(tracks.map(({ file: { ending, text } }) => kept(ending, text)));
  return made(extension, [
    ...["-f", "lavfi", "-i", `testsrc2=size=160x90:rate=24:duration=${TEXT_SECONDS}`],
    ...["-f", "lavfi", "-i", `sine=440:duration=${TEXT_SECONDS}`],
    ...files.flatMap((path) => ["-i", path]),
    ...["-map", "0:v", "-map", "1:a", ...tracks.flatMap((_, index) => ["-map", `${index + 2}:s`])],
    ...[
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-pix_fmt",
      "yuv420p",
      "-c:a",
      "aac",
      "-metadata:s:a",
      "language=eng",
    ],
    ...tracks.flatMap(({ codec, language, title, disposition }, index) => [
      ...[`-c:s:${index}`, codec],
      ...(language === undefined ? [] : [`-metadata:s:s:${index}`, `language=${language}`]),
      ...(title === undefined ? [] : [`-metadata:s:s:${index}`, `title=${title}`]),
      ...[`-disposition:s:${index}`, disposition ?? "0"],
    ]),
    ...(startSeconds === 0 ? [] : ["-output_ts_offset", String(startSeconds)]),
    "{out}",
  ]);
}

/** Pictures of text as Blu-ray has them (PGS): one empty presentation at each of these seconds. */
export function pictureText(seconds: readonly number[]): Buffer {
  const segment = (second: number, type: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(13);
    head.write("PG");
    head.writeUInt32BE(second * 90_000, 2);
    head.writeUInt8(type, 10);
    head.writeUInt16BE(payload.length, 11);
    return Buffer.concat([head, payload]);
  };
  // Presentation composition: 160×90, a new epoch, no objects. Then the end of the display set.
  const composition = Buffer.from([0, 160, 0, 90, 16, 0, 0, 0x80, 0, 0, 0]);
  return Buffer.concat(
    seconds.flatMap((second) => [segment(second, 0x16, composition), segment(second, 0x80, Buffer.alloc(0))]),
  );
}
