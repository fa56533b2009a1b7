import type { EncodingChoice } from "./encoding.ts";
import type { Plan } from "./plan.ts";
import type { AssetError, AssetRecord, Finding, Rendition } from "./records/asset.ts";
import type { Sidecar } from "./sidecar.ts";
import type { PinnedSource, Source } from "./source.ts";

/**
 * The packages that were made of one asset, side by side: each under its own prefix, at most one of them shown. What the
 * asset says is the truth; the state on a generation's own record follows it, and fences the collector.
 */

/**
 * `making` → `published` ⇄ `superseded` → `collecting` → `collected`; `failed` where the asset ended so in the middle.
 * From `collecting` on its objects are going, and nothing but making it anew brings them back.
 */
export type GenerationState = "making" | "published" | "superseded" | "failed" | "collecting" | "collected";

/** One generation of one asset, with all that it was made from. `_id` is `<assetId>.<generation>`. */
export interface GenerationRecord {
  _id: string;
  tenant: string;
  assetId: string;
  generation: string;
  state: GenerationState;
  filename: string;
  encoding: EncodingChoice;
  pinned: PinnedSource;
  sidecars: Sidecar[];
  source: Source;
  plan: Plan;
  findings: Finding[];
  renditions: Rendition[];
  durationSeconds: number | null;
  error: AssetError | null;
  createdAt: Date;
  /** When it had passed the gate: all its objects are there. null: it cannot be shown. */
  madeAt: Date | null;
  publishedAt: Date | null;
  /** The generation that was shown until this one first was; null: none was, or this one never. */
  follows: string | null;
  /** When it was seen that another took its place; a moment late at most, never early. */
  supersededAt: Date | null;
  /** From when on no grant can reach it and it need not be kept to go back to; null: not to be collected. */
  collectAt: Date | null;
  collectedAt: Date | null;
}

/** What of an asset decides on its generations. */
export type AssetPointer = Pick<
  AssetRecord,
  "state" | "generation" | "draftGeneration" | "published" | "error"
>;
/** What of a generation is decided on. */
export type GenerationStanding = Pick<
  GenerationRecord,
  "generation" | "state" | "error" | "madeAt" | "publishedAt" | "follows" | "supersededAt" | "collectAt"
>;

/** How long generations stay. */
export interface GenerationPolicy {
  /** This many of those that can be gone back to stay, the last superseded first. */
  keepForRollback: number;
  /** No grant for a package outlives this after the package was superseded: the longest session, and leeway for clocks. */
  reachSeconds: number;
}

/** The state of a generation as its asset has it. */
export function stateOf(one: GenerationStanding, asset: AssetPointer): GenerationState {
  if (one.state === "collecting" || one.state === "collected") return one.state;
  if (asset.state === "deleted") return "superseded";
  if (asset.published?.generation === one.generation) return "published";
  // Its preview is looked at for as long as the film is made.
  if (asset.state === "encoding" && asset.draftGeneration === one.generation) return "making";
  if (asset.generation !== one.generation) return "superseded";
  return asset.state === "failed" || asset.state === "cancelled" ? "failed" : "making";
}

/** Whose place `generation` takes where the asset shows it next; null: nobody's. Showing the same one again changes nothing. */
export function followedBy({ published }: Pick<AssetRecord, "published">, generation: string): string | null {
  if (published === null) return null;
  return published.generation === generation ? (published.follows ?? null) : published.generation;
}

/** What a generation's record should say now. */
export type Settled = Pick<
  GenerationStanding,
  "state" | "error" | "publishedAt" | "follows" | "supersededAt" | "collectAt"
>;

/**
 * Brings the generations of one asset in line with it, and says of each superseded one when it may go. Pure; done twice
 * it changes nothing the second time. Those whose collection has begun are left out.
 */
export function settle(
  all: readonly GenerationStanding[],
  asset: AssetPointer,
  policy: GenerationPolicy,
  now: Date,
): Map<string, Settled> {
  const open = all.filter(({ state }) => state !== "collecting" && state !== "collected");
  const states = new Map<string, Settled>(open.map((one) => [one.generation, settleOne(one, asset, now)]));
  const kept = asset.state === "deleted" ? new Set<string>() : keptForRollback(open, states, policy);
  for (const [generation, settled] of states) {
    if (settled.state !== "superseded" || kept.has(generation)) continue;
    const since = settled.supersededAt ?? now;
    // What is deleted has lost its grants already.
    const reachMs = asset.state === "deleted" ? 0 : policy.reachSeconds * 1000;
    settled.collectAt = new Date(since.getTime() + reachMs);
  }
  return states;
}

function settleOne(one: GenerationStanding, asset: AssetPointer, now: Date): Settled {
  const state = stateOf(one, asset);
  const wasSuperseded = one.state === "superseded" && one.supersededAt !== null;
  const isNews = one.publishedAt === null && state === "published";
  return {
    state,
    error: state === "failed" ? asset.error : null,
    publishedAt: isNews ? (asset.published?.at ?? now) : one.publishedAt,
    follows: (isNews ? asset.published?.follows : one.follows) ?? null,
    supersededAt: state === "superseded" ? (wasSuperseded ? one.supersededAt : now) : null,
    collectAt: null,
  };
}

/** Those that one may want to go back to: whole, and the last that were superseded. */
function keptForRollback(
  open: readonly GenerationStanding[],
  settled: ReadonlyMap<string, Settled>,
  policy: GenerationPolicy,
): Set<string> {
  const supersededAt = ({ generation }: GenerationStanding): number =>
    settled.get(generation)?.supersededAt?.getTime() ?? 0;
  const candidates = open.filter(
    (one) => one.madeAt !== null && settled.get(one.generation)?.state === "superseded",
  );
  const newestFirst = candidates.sort((a, b) => supersededAt(b) - supersededAt(a));
  return new Set(newestFirst.slice(0, policy.keepForRollback).map(({ generation }) => generation));
}

/** Whether the collector may take a generation now. Asked again of fresh records right before it does. */
export function mayCollect(one: GenerationStanding, asset: AssetPointer, now: Date): boolean {
  if (one.state === "collecting") return true;
  return (
    one.state === "superseded" &&
    one.collectAt !== null &&
    one.collectAt <= now &&
    stateOf(one, asset) === "superseded"
  );
}

/** Whether a generation can be shown (again). */
export function canBePublished(one: Pick<GenerationRecord, "state" | "madeAt">): boolean {
  return one.madeAt !== null && one.state !== "collecting" && one.state !== "collected";
}

/**
 * Files of the sources bucket that nothing needs any more: replaced masters and sidecars that neither the asset nor any
 * generation that may come back was made from.
 */
export function unusedSources(
  asset: Pick<AssetRecord, "state" | "pinned" | "sidecars" | "retiredSources">,
  generations: readonly Pick<GenerationRecord, "state" | "pinned" | "sidecars">[],
): string[] {
  const users = [
    ...(asset.state === "deleted" ? [] : [asset]),
    ...generations.filter(({ state }) => state !== "collected"),
  ];
  const used = new Set(
    users.flatMap(({ pinned, sidecars }) => [pinned?.key, ...sidecars.map(({ key }) => key)]),
  );
  return asset.retiredSources.filter((key) => !used.has(key));
}
