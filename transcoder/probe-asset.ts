import { Failure } from "../core/errors.ts";
import { sourceFindings } from "../core/findings-source.ts";
import type { PlanSettings } from "../core/plan.ts";
import type { Sidecar } from "../core/sidecar.ts";
import { curvesMissing, isOf } from "../core/title-analysis.ts";
import { startProbing } from "../stores/library/work.ts";
import { describeMaster } from "./describe-master.ts";
import { planAsset } from "./plan-asset.ts";
import { probeSound } from "./probe-sound.ts";
import { requireCodecs } from "./require-encoders.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * Reads the master, describes it, decides the whole plan and records both: the grid is there before any cell is. Where the
 * ladder is to be the film's own, or the description is a sketch, a draft for the preview: whoever analyses the film plans it for good.
 */
export async function probeAsset(context: TaskContext, settings: PlanSettings): Promise<null> {
  const { pinned, encoding } = context.asset;
  if (pinned === null) throw new Failure("ours", "internal", "The asset has no source.");
  await startProbing(context.library, context.asset);
  await requireCodecs(context, encoding.codecs);
  // What an earlier revision found in the same master is true of it still.
  const known = context.asset.source;
  const source = known ?? (await describeMaster(context, pinned, "sketch"));
  const findings = known === null ? sourceFindings(source) : context.asset.findings;
  const sidecars = await Promise.all(context.asset.sidecars.map((sidecar) => probed(context, sidecar)));
  const analysis = isOf(context.asset.analysis, pinned) ? context.asset.analysis : undefined;
  const found = { source, findings, sidecars, analysis };
  const isDraft = source.isSketch || curvesMissing(source, encoding, analysis?.curves ?? []).length > 0;
  await planAsset(context, settings, pinned, found, isDraft ? "draft" : "only");
  return null;
}

/** Sound beside the master is looked at once, whole. */
async function probed({ launcher, scratch, signal, note }: TaskContext, sidecar: Sidecar): Promise<Sidecar> {
  if (sidecar.kind !== "audio" || sidecar.sound !== null) return sidecar;
  const sound = await scratch.withSource(sidecar, signal, (path) =>
    probeSound(launcher, path, sidecar, signal, note),
  );
  return { ...sidecar, sound };
}
