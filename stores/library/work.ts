import type { Filter } from "mongodb";
import { followedBy } from "../../core/generations.ts";
import type { Plan } from "../../core/plan.ts";
import type { AssetError, AssetRecord, AssetState, Finding, Rendition } from "../../core/records/asset.ts";
import type { Sidecar } from "../../core/sidecar.ts";
import type { Source } from "../../core/source.ts";
import type { TitleAnalysis } from "../../core/title-analysis.ts";
import { newEvent, type RecordedEvent } from "../../core/webhook-event.ts";
import { previewedGeneration } from "../../core/work.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { closeGeneration, markUnsettled, notePublication, openGeneration } from "./generations.ts";
import { ACTIVE_STATES } from "./open-work.ts";
import { telling } from "./outbox.ts";
import { callOffTasks, reopenInspection, reopenTasks } from "./reopen-tasks.ts";

/**
 * The workers' side of an asset: its transitions on the way to `ready`. Every write names the state and the
 * revision it relies on, so a late writer changes nothing.
 */

/** Which asset is moved, and for which of its revisions. */
type Worked = Pick<AssetRecord, "_id" | "revision">;

async function moveAsset(
  library: Library,
  { _id, revision }: Worked,
  from: readonly AssetState[],
  set: Partial<AssetRecord>,
  only: Pick<Filter<AssetRecord>, "generation"> = {},
  events: RecordedEvent[] = [],
): Promise<boolean> {
  const moved = await fromDriver(
    library.assets.updateOne(
      { ...only, _id, revision, state: { $in: [...from] } },
      telling<AssetRecord>(events, {
        $set: { ...set, unsettled: true, updatedAt: library.serverNow() },
        $inc: { version: 1 },
      }),
    ),
  );
  return moved.modifiedCount === 1;
}

/** `queued` → `probing`. */
export async function startProbing(library: Library, asset: Worked): Promise<void> {
  await moveAsset(library, asset, ["queued"], { state: "probing" });
}

/** What was found in a master and beside it, for one revision of an asset. */
export interface FoundInMaster {
  source: Source;
  findings: Finding[];
  sidecars: Sidecar[];
  analysis?: TitleAnalysis | undefined;
}

/** What was found and decided. */
export interface PlannedRevision extends FoundInMaster {
  plan: Plan;
  generation: string;
}

/**
 * Which plan it is: the only one; the first one of a film of which not all is known yet, good for a preview; or the
 * one that comes after that, whose preview is the draft's still, or with `anew` is not.
 */
export type PlanStep = "only" | "draft" | "final" | "anew";

/**
 * `probing` → `encoding`, with everything that will be made. The generation's own record comes first, which keeps the
 * collector away from it; then its tasks, where an earlier revision came to the same one and left some behind. All of it
 * may be done again after a crash. A final plan takes the place of the draft that it was made from, and of no other.
 */
export async function recordPlan(
  library: Library,
  asset: AssetRecord,
  found: PlannedRevision,
  step: PlanStep = "only",
): Promise<void> {
  const { generation } = found;
  await openGeneration(library, asset, found);
  const drafts = { only: null, draft: generation, final: asset.draftGeneration ?? null, anew: null };
  const draftGeneration = drafts[step];
  await reopenTasks(library, { ...asset, ...found, state: "encoding", draftGeneration });
  await reopenInspection(library, asset._id, generation);
  const isAfterDraft = step === "final" || step === "anew";
  const moved = await moveAsset(
    library,
    asset,
    isAfterDraft ? ["encoding"] : ["queued", "probing"],
    { ...found, state: "encoding", draftGeneration },
    isAfterDraft ? { generation: asset.generation } : {},
  );
  // Too late, for a revision that is no more: what was opened for it is to be closed again.
  if (!moved) await markUnsettled(library, asset._id);
}

/**
 * Something of a film that is being made can be looked at; of which generation its preview is. Saying it again changes
 * nothing, and tells nobody again.
 */
export async function markPreviewed(library: Library, asset: AssetRecord, generation: string): Promise<void> {
  const draftOrOnly = { $or: [{ draftGeneration: generation }, { generation }] };
  const now = library.serverNow();
  // What is on air could be played all along.
  const events =
    asset.published === null ? [newEvent("asset.playable", now, { state: "encoding", generation })] : [];
  const unmarked = {
    ...{ _id: asset._id, revision: asset.revision, state: "encoding", preview: { $ne: generation } },
    ...draftOrOnly,
  } as Filter<AssetRecord>;
  const update = telling<AssetRecord>(events, {
    $set: { preview: generation, updatedAt: now },
    $inc: { version: 1 },
  });
  await fromDriver(library.assets.updateOne(unmarked, update));
}

/**
 * The publication: one compare-and-set from `encoding` of exactly this generation and revision to `ready`. True for the
 * one caller that did it; false where it had been done, cancelled or superseded. What is needed to come back to the
 * generation stands in its record before.
 */
export async function publishAsset(
  library: Library,
  asset: AssetRecord,
  made: { generation: string; durationSeconds: number; renditions: Rendition[] },
): Promise<boolean> {
  const { generation, durationSeconds, renditions } = made;
  const { keyId } = asset.plan?.protection ?? {};
  await closeGeneration(library, asset, made);
  const at = library.serverNow();
  const published = {
    ...{ generation, at, durationSeconds, follows: followedBy(asset, generation) },
    ...(keyId === undefined ? {} : { keyId }),
  };
  const publishOnly = async (only: Filter<AssetRecord>, events: RecordedEvent[]): Promise<boolean> => {
    const result = await fromDriver(
      library.assets.updateOne(
        { ...only, _id: asset._id, state: "encoding", generation, revision: asset.revision },
        telling<AssetRecord>(events, {
          $set: {
            state: "ready",
            published,
            renditions,
            error: null,
            shownRatio: 1,
            unsettled: true,
            updatedAt: at,
          },
          $inc: { version: 1 },
        }),
      ),
    );
    return result.modifiedCount === 1;
  };
  const ready = newEvent("asset.ready", at, { state: "ready", generation });
  // Nobody could look at a preview of it, as far as is known here: then it can be played from now on.
  const previewed = previewedGeneration({ ...asset, generation });
  const isFirst = asset.published === null && asset.preview !== previewed;
  const playable = newEvent("asset.playable", at, { state: "ready", generation });
  const unseen = { preview: { $ne: previewed } } as Filter<AssetRecord>;
  const won = isFirst && (await publishOnly(unseen, [playable, ready]));
  if (!won && !(await publishOnly({}, [ready]))) return false;
  await notePublication(library, asset._id, published);
  return true;
}

/** Ends an asset's work with a reason that its owner sees. Its other tasks are called off; what is published stays. */
export async function failAsset(library: Library, asset: AssetRecord, error: AssetError): Promise<void> {
  const told = newEvent("asset.failed", library.serverNow(), { state: "failed", error });
  // One that waits for an upload has no task that could have failed.
  const from: AssetState[] = ["waiting", ...ACTIVE_STATES];
  if (await moveAsset(library, asset, from, { state: "failed", error }, {}, [told]))
    await callOffTasks(library, { ...asset, state: "failed" });
}
