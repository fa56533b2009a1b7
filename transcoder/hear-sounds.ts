import { Failure } from "../core/errors.ts";
import { assemble, type FfmpegRecipe } from "./ffmpeg-command.ts";
import { type MasterSounds, type MasterStretches, takeMaster } from "./hear-master.ts";
import type { OpenSound } from "./open-sound.ts";
import { decode, type ProofBench, putFile, sizeOfFile } from "./proof-bench.ts";
import { cutWindows, FINGERPRINT, fingerprint, type Heard } from "./sound-fingerprint.ts";

/** What is heard of a package's sounds: how many samples there are, and how loud it is from moment to moment. */

/** What came out of a sound. */
export interface HeardSound {
  samples: number;
  windows: Heard["windows"];
}

/** What came out of all sounds, and of the master where it was heard beside them. */
export interface HeardTogether {
  sounds: HeardSound[];
  master: MasterSounds | null;
}

/**
 * All sounds through one process, and stretches of the `master` through the same. Null where anything was said, or where it
 * was killed: of whom it was, and whether all was written, is seen of each by itself.
 */
export async function hearTogether(
  bench: ProofBench,
  sounds: readonly OpenSound[],
  master: MasterStretches | null,
): Promise<HeardTogether | null> {
  const complaints = await play(bench, sounds, master).catch((thrown: unknown) => {
    if (master !== null && thrown instanceof Failure && thrown.failureClass === "resource") return null;
    throw thrown;
  });
  if (complaints === null || complaints.length > 0) return null;
  const heard: HeardSound[] = [];
  for (const [index, sound] of sounds.entries()) heard.push(await takeSound(bench, index, sound));
  return { sounds: heard, master: master && (await takeMaster(bench, master)) };
}

/** A sound by itself, with what its decoder complained of. */
export async function hearAlone(
  bench: ProofBench,
  sound: OpenSound,
): Promise<HeardSound & { complaints: string[] }> {
  const complaints = await play(bench, [sound], null);
  return { ...(await takeSound(bench, 0, sound)), complaints };
}

/** Decodes them into files; what the decoders complained of. */
async function play(
  bench: ProofBench,
  sounds: readonly OpenSound[],
  master: MasterStretches | null,
): Promise<string[]> {
  const files: string[] = [];
  for (const [index, { init, cells }] of sounds.entries())
    files.push(await putFile(bench, `sound-${index}.mp4`, [init, ...cells]));
  const args = assemble(soundsRecipe(files, master?.recipe ?? null));
  const request = { program: "ffmpeg" as const, args, source: master?.path };
  return (await decode(bench, request, master === null ? 1 : 2)).complaints;
}

async function takeSound(bench: ProofBench, index: number, sound: OpenSound): Promise<HeardSound> {
  const samples = (await sizeOfFile(bench, samplesFile(index))) / (2 * sound.facts.channels);
  const heard = (await fingerprint(bench, fingerprintFile(index))) ?? new Int16Array();
  return { samples, windows: cutWindows(heard, sound) };
}

const samplesFile = (index: number): string => `samples-${index}.pcm`;
const fingerprintFile = (index: number): string => `fingerprint-${index}.pcm`;

/**
 * Of each file everything at full rate, to be counted, and one channel at a low one, to be compared; after all that another
 * recipe does, whose inputs keep their numbers.
 */
function soundsRecipe(files: readonly string[], beside: FfmpegRecipe | null): FfmpegRecipe {
  const { globalOptions, inputs, filterGraph, outputs } = beside ?? NOTHING_BESIDE;
  return {
    globalOptions,
    inputs: [
      ...inputs,
      ...files.map((file) => ({
        options: ["-protocol_whitelist", "file", "-f", "mov", "-threads", "1"],
        file,
      })),
    ],
    filterGraph,
    outputs: [
      ...outputs,
      ...files.flatMap((_, index) => {
        const map = ["-map", `${inputs.length + index}:a`];
        return [
          { options: [...map, "-f", "s16le"], file: `/out/${samplesFile(index)}` },
          { options: [...map, ...FINGERPRINT], file: `/out/${fingerprintFile(index)}` },
        ];
      }),
    ],
  };
}

const NOTHING_BESIDE: FfmpegRecipe = {
  globalOptions: ["-hide_banner", "-nostdin", "-v", "error"],
  inputs: [],
  outputs: [],
};
