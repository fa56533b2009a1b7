import type { Filter, IndexDescription } from "mongodb";
import { Failure } from "../../core/errors.ts";
import { canBePublished, type GenerationRecord } from "../../core/generations.ts";
import type { AssetRecord, Rendition } from "../../core/records/asset.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";
import type { PlannedRevision } from "./work.ts";

/**
 * The generations of assets. The asset's pointer is the truth and is moved first; these records follow it (`unsettled`
 * says that they may lag), but for what keeps the collector and the makers apart: nobody shows or makes a generation
 * whose collection has begun, and nobody collects one that is said to be made or shown.
 */

export const GENERATION_INDEXES: IndexDescription[] = [
  { key: { tenant: 1, assetId: 1, createdAt: -1, _id: -1 } },
  { key: { assetId: 1 } },
  { key: { state: 1, collectAt: 1 } },
];

/** The `_id` of a generation's record. */
export function generationId(assetId: string, generation: string): string {
  return `${assetId}.${generation}`;
}

/**
 * The generation is being made (again). Throws `transient` while it is being collected: its objects go one by one, and
 * what were made now might go with them.
 */
export async function openGeneration(
  library: Library,
  asset: AssetRecord,
  planned: PlannedRevision,
): Promise<void> {
  const { _id: assetId, tenant, pinned, filename, encoding } = asset;
  if (pinned === null) throw new Failure("ours", "internal", "The asset has no source.");
  const { generation, source, plan, findings, sidecars } = planned;
  const _id = generationId(assetId, generation);
  // Before anything else: should this revision end here, somebody has to close what was opened for it.
  await markUnsettled(library, assetId);
  const inputs = { filename, encoding, pinned, sidecars, source, plan, findings };
  const record: GenerationRecord = {
    _id,
    tenant,
    assetId,
    generation,
    state: "making",
    ...inputs,
    renditions: [],
    durationSeconds: null,
    error: null,
    createdAt: library.serverNow(),
    madeAt: null,
    publishedAt: null,
    follows: null,
    supersededAt: null,
    collectAt: null,
    collectedAt: null,
  };
  try {
    await fromDriver(library.generations.insertOne(record));
    return;
  } catch (thrown) {
    if (!isDuplicateKey(thrown)) throw thrown;
  }
  const again = { ...inputs, state: "making" as const, error: null, collectAt: null };
  if (await change(library, { _id, state: { $nin: ["collecting", "collected"] } }, again)) return;
  const anew = { ...again, madeAt: null, collectedAt: null };
  if (await change(library, { _id, state: "collected" }, anew)) return;
  throw new Failure("transient", "generation_busy", "What was made of this before is just being removed.");
}

/** All objects are there and have passed the gate: what is needed to show the generation, now or later. */
export async function closeGeneration(
  library: Library,
  asset: AssetRecord,
  made: { generation: string; durationSeconds: number; renditions: Rendition[] },
): Promise<void> {
  const { generation, durationSeconds, renditions } = made;
  const whole = { durationSeconds, renditions, findings: asset.findings, madeAt: library.serverNow() };
  const open: Filter<GenerationRecord> = {
    _id: generationId(asset._id, generation),
    state: { $nin: ["collecting", "collected"] },
  };
  if (await change(library, open, whole)) return;
  throw new Failure("ours", "internal", "The generation is not on record as being made.");
}

/** When it was first shown, and instead of which one; the asset's pointer says it before. */
export async function notePublication(
  library: Library,
  assetId: string,
  { generation, at, follows = null }: NonNullable<AssetRecord["published"]>,
): Promise<void> {
  const unsaid = { _id: generationId(assetId, generation), publishedAt: null };
  await change(library, unsaid, { publishedAt: at, follows });
}

/**
 * Keeps the collector away from a generation that is about to be shown again. False where it cannot be: it was never
 * whole, or its objects are going or gone.
 */
export async function holdGeneration(library: Library, record: GenerationRecord): Promise<boolean> {
  if (!canBePublished(record)) return false;
  await markUnsettled(library, record.assetId);
  const whole: Filter<GenerationRecord> = {
    _id: record._id,
    state: { $nin: ["collecting", "collected"] },
    madeAt: { $ne: null },
  };
  return change(library, whole, { state: "published", collectAt: null });
}

export async function change(
  library: Library,
  filter: Filter<GenerationRecord>,
  set: Partial<GenerationRecord>,
): Promise<boolean> {
  const changed = await fromDriver(library.generations.updateOne(filter, { $set: set }));
  return changed.matchedCount === 1;
}

/** The generation, or null where the asset has no such one. */
export async function findGeneration(
  library: Library,
  tenant: string,
  assetId: string,
  generation: string,
): Promise<GenerationRecord | null> {
  return fromDriver(library.generations.findOne({ _id: generationId(assetId, generation), tenant }));
}

/** The asset's generations, newest first. */
export async function listGenerations(
  library: Library,
  tenant: string,
  assetId: string,
  options: { limit: number; after: PagePosition | null },
): Promise<Page<GenerationRecord>> {
  return listNewestFirst(library.generations, { tenant, assetId }, options.limit, options.after);
}

/** What of a generation the collector reads: plans of a hundred films are megabytes. */
export type GenerationSummary = Omit<GenerationRecord, "plan" | "source" | "findings" | "renditions">;

export const SUMMARY = { projection: { plan: 0, source: 0, findings: 0, renditions: 0 } } as const;

/** All generations of an asset. */
export async function generationsOf(library: Library, assetId: string): Promise<GenerationSummary[]> {
  return fromDriver(library.generations.find({ assetId }, SUMMARY).toArray());
}

export async function markUnsettled(library: Library, assetId: string): Promise<void> {
  await fromDriver(library.assets.updateOne({ _id: assetId }, { $set: { unsettled: true } }));
}

/** How many generations are in each state, over all tenants, for the metrics. */
export async function countGenerationsByState(library: Library): Promise<Map<string, number>> {
  const group = [{ $group: { _id: "$state", count: { $sum: 1 } } }];
  const rows = await fromDriver(
    library.generations.aggregate<{ _id: string; count: number }>(group).toArray(),
  );
  return new Map(rows.map(({ _id, count }) => [_id, count]));
}
