import { envelope } from "../core/envelope.ts";
import { Failure } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { Stretch } from "../core/proof.ts";
import type { Source } from "../core/source.ts";
import { canEnter, stretchesRecipe } from "./audio-recipe.ts";
import { assemble, type FfmpegRecipe } from "./ffmpeg-command.ts";
import { decode, type ProofBench } from "./proof-bench.ts";
import { FINGERPRINT, FINGERPRINT_HZ, fingerprint } from "./sound-fingerprint.ts";

/** What the master's tracks sound like: by the number of the stretch, then by the plan's track. */
export type MasterSounds = ReadonlyMap<number, ReadonlyMap<string, number[]>>;

/** How stretches of all the master's own tracks are decoded, be it alone or beside something else. */
export interface MasterStretches {
  path: string;
  recipe: FfmpegRecipe;
  /** Where what comes out lies. */
  files: { stretch: number; id: string; name: string }[];
}

/** Null where the master has no sound of its own, or can be entered at none of the stretches. */
export function masterStretches(
  { plan, source, path }: { plan: Plan; source: Source; path: string },
  stretches: readonly Stretch[],
): MasterStretches | null {
  const tracks = plan.audio.filter(({ file }) => file === null);
  const entered = [...stretches.keys()].filter((stretch) => canEnter(source, stretches[stretch]!));
  if (tracks.length === 0 || entered.length === 0) return null;
  const nameOf = (stretch: number, id: string): string => `master-${stretch}-${id}.pcm`;
  const recipe = stretchesRecipe(
    source,
    tracks,
    entered.map((stretch) => stretches[stretch]!),
    (link, { id }, index) => ({
      options: ["-map", link, ...FINGERPRINT],
      file: `/out/${nameOf(entered[index]!, id)}`,
    }),
  );
  const files = entered.flatMap((stretch) =>
    tracks.map(({ id }) => ({ stretch, id, name: nameOf(stretch, id) })),
  );
  return { path, recipe, files };
}

/** Hears them in a process of their own. */
export async function hearMaster(bench: ProofBench, master: MasterStretches): Promise<MasterSounds> {
  const { recipe, path } = master;
  // What the master's decoders complain of is the probe's business.
  await decode(bench, { program: "ffmpeg", args: assemble(recipe), source: path });
  return takeMaster(bench, master);
}

/** What has been decoded of them. Throws where the master did not open: it did when it was encoded. */
export async function takeMaster(bench: ProofBench, { files }: MasterStretches): Promise<MasterSounds> {
  const sounds = new Map<number, Map<string, number[]>>();
  for (const { stretch, id, name } of files) {
    const heard = await fingerprint(bench, name);
    if (heard === null)
      throw new Failure("transient", "internal", "The master did not open for the proof of playback.");
    const tracks = sounds.get(stretch) ?? new Map<string, number[]>();
    sounds.set(stretch, tracks.set(id, envelope(heard, FINGERPRINT_HZ)));
  }
  return sounds;
}
