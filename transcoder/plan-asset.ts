import { buildPlan, generationOf, type PlanSettings } from "../core/plan.ts";
import { areOfOneGrid, type Preview, previewOf } from "../core/preview.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { PinnedSource } from "../core/source.ts";
import { identityOf } from "../core/task-recipe.ts";
import { obtainContentKey } from "../stores/library/content-keys.ts";
import { type FoundInMaster, type PlanStep, recordPlan } from "../stores/library/work.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * Decides all that will be made of a master from what is known of it, and records it. A preview goes on beside a final plan as long as its grid
 * is still the film's; otherwise it is begun anew.
 */
export async function planAsset(
  { library, launcher, hardware, recentAv1, asset, masterKeys }: TaskContext,
  settings: PlanSettings,
  pinned: PinnedSource,
  found: FoundInMaster,
  step: PlanStep,
): Promise<void> {
  const { source, sidecars, analysis } = found;
  const wishes: PlanSettings = {
    ...{ ...settings, encoding: asset.encoding },
    ...{ hardware: hardware.family, recentAv1Build: recentAv1?.build ?? null },
  };
  if (asset.encoding.protection !== undefined) {
    const { keyId } = await obtainContentKey(library, masterKeys, asset);
    wishes.protection = { scheme: "cbcs", keyId };
  }
  const plan = buildPlan(source, wishes, launcher.build, sidecars, analysis?.curves);
  const generation = generationOf(plan, identityOf(pinned));
  const isAnew = step === "final" && !goesOnWith(previewOf(plan, source), asset);
  await recordPlan(library, asset, { ...found, plan, generation }, isAnew ? "anew" : step);
}

function goesOnWith(preview: Preview, { plan, source }: AssetRecord): boolean {
  return plan !== null && source !== null && areOfOneGrid(previewOf(plan, source), preview);
}
