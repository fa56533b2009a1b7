import { type HealthVerdict, judgeHealth } from "../core/generation-health.ts";
import type { Library } from "../stores/library/connect.ts";
import { figuresOfGenerations } from "../stores/library/figures.ts";
import { generationsOf } from "../stores/library/generations.ts";

/** The verdict on one generation, and which one it was held against. */
export type GenerationHealth = HealthVerdict & { against: string | null; sessions: number };

/** How each generation of the asset that was ever shown fares beside the one whose place it first took. */
export async function healthOf(library: Library, assetId: string): Promise<Map<string, GenerationHealth>> {
  const all = await generationsOf(library, assetId);
  const shown = all.filter(({ publishedAt }) => publishedAt !== null);
  const names = shown.map(({ generation }) => generation);
  const figures = await figuresOfGenerations(library, assetId, names);
  return new Map(
    shown.map(({ generation, follows: against = null }) => {
      const [before, now] = [figures.get(against ?? "")?.all, figures.get(generation)?.all];
      const verdict: HealthVerdict =
        before === undefined || now === undefined
          ? { verdict: "unknown", reasons: [] }
          : judgeHealth(before, now);
      return [generation, { ...verdict, against, sessions: now?.sessions ?? 0 }];
    }),
  );
}
