import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { BIG_BUCK_BUNNY, looped, made } from "../test/rig/media.ts";
import { FRACTAL, fixedCamera, MEDIA_FOLDER } from "./bits/content.ts";
import { timed } from "./cpu.ts";

/** How long each of them is. */
const CLIP_SECONDS = 30;

/** The films that are measured, by the word that a command line names them with. */
const FILMS: Record<string, { name: string; file(): Promise<string> }> = {
  p24: { name: "animation, 1080p24", file: async () => BIG_BUCK_BUNNY },
  p60: {
    name: "animation, 1080p60",
    file: async () => BIG_BUCK_BUNNY.replace("-30sec", "-60fps-30sec"),
  },
  // Little moves, little is coded, and there is no sound: what does not shrink with the picture shows.
  camera: { name: "fixed camera, 360p30, without sound", file: camera },
  // As studios deliver: every picture for itself, ten bits, some 130 Mbit/s, so that decoding is no trifle.
  master: { name: "the 1080p24 as a ProRes 422 HQ master", file: proresMaster },
  hard: { name: "fractal with grain, 720p24", file: fractal },
};

/** A film of the list, or a file, so many times in a row. */
export async function filmToEncode(word: string, loops: number): Promise<{ name: string; path: string }> {
  const film = FILMS[word];
  if (film !== undefined) {
    const path = await looped(await film.file(), loops);
    return { name: `${CLIP_SECONDS * loops} s of ${film.name}`, path };
  }
  if (!existsSync(word)) throw new Error(`"${word}" is no file and none of ${Object.keys(FILMS).join(", ")}`);
  return { name: `${basename(word)}, ${loops} times`, path: await looped(word, loops) };
}

/** A film of the list for so many minutes, over and over and not coded again, as an MP4 in `folder`: kept, hours would fill the disk. */
export async function longFilm(
  word: string,
  minutes: number,
  folder: string,
): Promise<{ name: string; path: string }> {
  const film = FILMS[word];
  // An hour of it is some 60 GB.
  if (film === undefined || word === "master") throw new Error(`no long film "${word}"`);
  const path = join(folder, `${word}-${minutes}.mp4`);
  const loops = String((minutes * 60) / CLIP_SECONDS - 1);
  const copied = ["-i", await film.file(), "-map", "0:v", "-map", "0:a?", "-c", "copy", path];
  const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
  await timed(ffmpeg, ["-v", "error", "-nostdin", "-y", "-stream_loop", loops, ...copied]);
  return { name: `${minutes} min of ${film.name}`, path };
}

/** An MP4 in a container, beside it, and not coded again; itself where it is one of that. */
export async function inContainer(mp4: string, container: string): Promise<string> {
  if (container === "mp4") return mp4;
  const path = mp4.replace(/mp4$/, container);
  const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
  await timed(ffmpeg, ["-v", "error", "-nostdin", "-y", "-i", mp4, "-map", "0", "-c", "copy", path]);
  return path;
}

/** Without a new encode, so that it stays what a camera wrote. */
function camera(): Promise<string> {
  const file = fixedCamera(MEDIA_FOLDER);
  if (!existsSync(file))
    throw new Error(`there is no ${file}: MATINEE_BENCH_MEDIA names the folder that has ${basename(file)}`);
  return looped(file, 1, CLIP_SECONDS);
}

function proresMaster(): Promise<string> {
  return made("mov", [
    ...["-i", BIG_BUCK_BUNNY, "-c:v", "prores_ks", "-profile:v", "hq", "-vendor", "apl0"],
    ...["-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le", "{out}"],
  ]);
}

function fractal(): Promise<string> {
  return made("mp4", [
    ...[
      "-f",
      "lavfi",
      "-i",
      FRACTAL,
      "-f",
      "lavfi",
      "-i",
      "anoisesrc=r=48000:a=0.1:c=pink:s=1",
      "-t",
      String(CLIP_SECONDS),
    ],
    ...[
      "-c:v",
      "libx264",
      "-preset",
      "veryfast",
      "-crf",
      "14",
      "-pix_fmt",
      "yuv420p",
      "-ac",
      "2",
      "-c:a",
      "aac",
    ],
    "{out}",
  ]);
}
