import { memoryOf } from "../core/admission.ts";
import { unitsFor } from "../core/preview.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import { WAITED_FOR_PRIORITY } from "../core/schedule.ts";
import { isPreviewed, previewSpec, type TaskSpec } from "../core/work.ts";
import { laneOf } from "../core/work-order.ts";
import type { Library } from "./library/connect.ts";
import { noteAwaited } from "./library/previews.ts";
import { reviveTasks } from "./library/reopen-tasks.ts";
import { ensureTasks } from "./library/tasks.ts";
import type { WorkQueue } from "./queue.ts";

/** A preview's units are made where somebody looks: what is asked for goes on record first, and then to the queue. */

/**
 * Puts the unit of a preview in which a cell lies on record as wanted, and a few units behind it: theirs in order, the one that is
 * waited for first. null where the film has no such cell, or no preview. Repeating it changes nothing, but that
 * what could not be made is tried anew after a while, a few times.
 */
export async function demandPreviewCell(
  library: Library,
  asset: AssetRecord,
  cell: number,
): Promise<[TaskSpec, ...TaskSpec[]] | null> {
  if (asset.plan === null || !isPreviewed(asset)) return null;
  const [waitedFor, ...ahead] = unitsFor(asset.plan.timeline, cell).map((unit) => previewSpec(asset, unit));
  if (waitedFor === undefined) return null;
  const specs: [TaskSpec, ...TaskSpec[]] = [waitedFor, ...ahead];
  await ensureTasks(library, asset, specs);
  await noteAwaited(library, waitedFor.id);
  await reviveTasks(
    library,
    specs.map(({ id }) => id),
  );
  return specs;
}

/** Puts the first of these units of a preview before everything else, and the others in line. */
export async function hurryPreview(
  queue: WorkQueue,
  asset: AssetRecord,
  units: readonly [TaskSpec, ...TaskSpec[]],
): Promise<void> {
  await queue.offer(
    units.map((spec, behind) => ({
      taskId: spec.id,
      kind: spec.kind,
      lane: laneOf(spec.kind),
      memoryBytes: memoryOf(spec, asset.plan),
      priority: WAITED_FOR_PRIORITY + behind,
    })),
  );
  await queue.hurry(units[0].id);
}
