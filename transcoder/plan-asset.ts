import { buildPlan, generationOf, type PlanSettings } from "../core/plan.ts";
import type { PinnedSource } from "../core/source.ts";
import { identityOf } from "../core/task-recipe.ts";
import { type FoundInMaster, type PlanStep, recordPlan } from "../stores/library/work.ts";
import type { TaskContext } from "./task-context.ts";

/** Decides all that will be made of a master from what is known of it, and records it. */
export async function planAsset(
  { library, launcher, hardware, asset }: TaskContext,
  settings: PlanSettings,
  pinned: PinnedSource,
  found: FoundInMaster,
  step: PlanStep,
): Promise<void> {
  const { source, sidecars, analysis } = found;
  const wishes = { ...settings, encoding: asset.encoding, hardware: hardware.family };
  const plan = buildPlan(source, wishes, launcher.build, sidecars, analysis?.curves);
  const generation = generationOf(plan, identityOf(pinned));
  await recordPlan(library, asset, { ...found, plan, generation }, step);
}
