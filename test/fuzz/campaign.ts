import { readFile } from "node:fs/promises";
import { CLEAN_SOURCES } from "./clean-sources.ts";
import { BLIND_DAMAGE, type Damage } from "./damage.ts";
import type { Judge, Verdict } from "./judge.ts";
import { seeded, seedOf } from "./random.ts";
import { surgeryOn } from "./surgery.ts";

/** One damaged file, named so that it can be made again. */
export interface Variant {
  container: string;
  damage: string;
  seed: number;
  index: number;
}

/** A variant with what became of it. */
export interface Judged extends Variant {
  verdict: Verdict;
  bytes: Uint8Array;
}

export const CONTAINERS = Object.keys(CLEAN_SOURCES);
export const DAMAGES = [...Object.keys(BLIND_DAMAGE), ...Object.keys(surgeryOn("mp4"))];

/** Damage that takes away from the end or the middle, after which a shorter film must not pass for a whole one (F25). */
const SHORTENING = new Set(["truncated", "missing"]);
/** RELIABILITY F25: what may be missing unnoticed. */
const allowedShortage = (seconds: number): number => Math.max(0.1, seconds * 0.001);

export function nameOf({ container, damage, seed, index }: Variant): string {
  return `${container}/${damage}/${seed}/${index}`;
}

/** The bytes of a variant: a pure function of its name. */
export async function bytesOf({ container, damage, seed, index }: Variant): Promise<Uint8Array> {
  const clean = await readFile(await CLEAN_SOURCES[container]!());
  const table: Readonly<Record<string, Damage>> = { ...BLIND_DAMAGE, ...surgeryOn(container) };
  return table[damage]!(clean, seeded(seedOf(container, damage, seed, index)));
}

/** Makes and judges variants one after another, for as long as `variants` yields any. */
export async function* campaign(judge: Judge, variants: Iterable<Variant>): AsyncGenerator<Judged> {
  const whole = new Map<string, number>();
  for (const variant of variants) {
    const { container } = variant;
    if (!whole.has(container)) whole.set(container, await cleanEnd(judge, container));
    const bytes = await bytesOf(variant);
    const verdict = await judge.judge(bytes);
    verdict.violation ??= silentlyShort(variant, verdict, whole.get(container)!);
    yield { ...variant, verdict, bytes };
  }
}

async function cleanEnd(judge: Judge, container: string): Promise<number> {
  const verdict = await judge.judge(await readFile(await CLEAN_SOURCES[container]!()));
  if (verdict.outcome !== "taken" || verdict.violation !== null)
    throw new Error(`the clean ${container} is refused: ${verdict.outcome} ${verdict.violation}`);
  return verdict.endSeconds!;
}

function silentlyShort({ damage }: Variant, verdict: Verdict, wholeEnd: number): string | null {
  if (!SHORTENING.has(damage) || verdict.endSeconds === null || verdict.outcome !== "taken") return null;
  const missing = wholeEnd - verdict.endSeconds;
  if (missing <= allowedShortage(wholeEnd)) return null;
  return `ends at ${verdict.endSeconds} s of ${wholeEnd} s as if it were whole`;
}
