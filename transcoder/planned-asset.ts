import { Failure } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { PinnedSource, Source } from "../core/source.ts";

/** What every stage after the probe relies on. */
export interface PlannedAsset {
  plan: Plan;
  source: Source;
  pinned: PinnedSource;
  generation: string;
}

/** The asset's plan and what belongs to it. Throws where it was never planned: such a task should not exist. */
export function requirePlanned({ plan, source, pinned, generation }: AssetRecord): PlannedAsset {
  if (plan === null || source === null || pinned === null || generation === null) {
    throw new Failure("ours", "internal", "The asset has no plan yet.");
  }
  return { plan, source, pinned, generation };
}
