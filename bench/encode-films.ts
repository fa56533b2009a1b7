import { BIG_BUCK_BUNNY, looped, made } from "../test/rig/media.ts";
import { FRACTAL } from "./bits/content.ts";

/** The films whose encoding is measured, by the word that a command line names them with. */
const FILMS: Record<string, { name: string; file(): Promise<string> }> = {
  p24: { name: "animation, 1080p24", file: async () => BIG_BUCK_BUNNY },
  p60: {
    name: "animation, 1080p60",
    file: async () => BIG_BUCK_BUNNY.replace("-30sec", "-60fps-30sec"),
  },
  // As studios deliver: every picture for itself, ten bits, some 130 Mbit/s, so that decoding is no trifle.
  master: { name: "the 1080p24 as a ProRes 422 HQ master", file: proresMaster },
  hard: { name: "fractal with grain, 720p24", file: fractal },
};

/** A film of the list, so many times in a row. */
export async function filmToEncode(word: string, loops: number): Promise<{ name: string; path: string }> {
  const film = FILMS[word];
  if (film === undefined) throw new Error(`no film "${word}": ${Object.keys(FILMS).join(", ")}`);
  const name = `${30 * loops} s of ${film.name}`;
  return { name, path: await looped(await film.file(), loops) };
}

function proresMaster(): Promise<string> {
  return made("mov", [
    ...["-i", BIG_BUCK_BUNNY, "-c:v", "prores_ks", "-profile:v", "hq", "-vendor", "apl0"],
    ...["-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le", "{out}"],
  ]);
}

function fractal(): Promise<string> {
  return made("mp4", [
    ...["-f", "lavfi", "-i", FRACTAL, "-f", "lavfi", "-i", "anoisesrc=r=48000:a=0.1:c=pink:s=1", "-t", "30"],
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
