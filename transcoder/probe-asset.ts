import { stat } from "node:fs/promises";
import { Failure } from "../core/errors.ts";
import { buildPlan, generationOf, type PlanSettings } from "../core/plan.ts";
import { subtitleFindings } from "../core/subtitle-plan.ts";
import { recordPlan, startProbing } from "../stores/library/work.ts";
import { probeSource } from "./probe.ts";
import type { TaskContext } from "./task-context.ts";

/** Reads the master, describes it, decides the whole plan and records both: the grid is there before any cell is. */
export async function probeAsset(context: TaskContext, settings: PlanSettings): Promise<null> {
  const { pinned } = context.asset;
  if (pinned === null) throw new Failure("ours", "internal", "The asset has no source.");
  await startProbing(context.library, context.asset._id);
  const source = await context.scratch.withSource(pinned, context.signal, async (path) => {
    const { size } = await stat(path);
    const file = { sizeBytes: size, sha256: pinned.sha256 };
    return probeSource(context.launcher, path, file, context.signal, context.note);
  });
  const { encoding, sidecars } = context.asset;
  const plan = buildPlan(source, { ...settings, encoding }, context.launcher.build, sidecars);
  const generation = generationOf(plan, `${pinned.etag} ${pinned.sizeBytes}`);
  await recordPlan(context.library, context.asset._id, {
    source,
    plan,
    generation,
    findings: subtitleFindings(source),
  });
  return null;
}
