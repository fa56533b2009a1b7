import { Failure } from "../core/errors.ts";
import { buildPlan, generationOf, type PlanSettings } from "../core/plan.ts";
import type { PinnedSource } from "../core/records.ts";
import type { Source } from "../core/source.ts";
import { recordPlan, startProbing } from "../stores/library/work.ts";
import { probeSource } from "./probe.ts";
import type { TaskContext } from "./task-context.ts";

/** Reads the master, describes it, decides the whole plan and records both: the grid is there before any cell is. */
export async function probeAsset(context: TaskContext, settings: PlanSettings): Promise<null> {
  const { pinned } = context.asset;
  if (pinned === null) throw new Failure("ours", "internal", "The asset has no source.");
  await startProbing(context.library, context.asset._id);
  const source = await describeMaster(context, pinned);
  const { encoding } = context.asset;
  const plan = buildPlan(source, { ...settings, encoding }, context.launcher.build);
  const generation = generationOf(plan, `${pinned.etag} ${pinned.sizeBytes}`);
  await recordPlan(context.library, context.asset._id, { source, plan, generation, findings: [] });
  return null;
}

/** Describes a master: from its index and first samples where it has such an index, from all of it otherwise. */
export async function describeMaster(
  context: Pick<TaskContext, "launcher" | "scratch" | "signal" | "note">,
  pinned: PinnedSource,
): Promise<Source> {
  const { launcher, scratch, signal, note } = context;
  const file = { sizeBytes: pinned.sizeBytes, sha256: pinned.sha256 };
  const fromIndex = await scratch.withParts(pinned, async (master) => {
    const index = await master.index(signal);
    if (index === null) return null;
    await master.fill(index.always, signal);
    try {
      return await probeSource(launcher, master.path, file, signal, note, index.tracks);
    } catch (thrown) {
      // It may be for what was not fetched: the whole file has the last word.
      if (master.isWhole() || !(thrown instanceof Failure) || thrown.failureClass !== "source") throw thrown;
      return null;
    }
  });
  if (fromIndex !== null) return fromIndex;
  return scratch.withSource(pinned, signal, (path) => probeSource(launcher, path, file, signal, note));
}
