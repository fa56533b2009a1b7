import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import { sourceFindings } from "../core/findings-source.ts";
import type { PlanSettings } from "../core/plan.ts";
import type { Sidecar } from "../core/sidecar.ts";
import type { PinnedSource, Source } from "../core/source.ts";
import { curvesMissing, isOf } from "../core/title-analysis.ts";
import { startProbing } from "../stores/library/work.ts";
import { planAsset } from "./plan-asset.ts";
import { probeSource } from "./probe.ts";
import { withCoded } from "./probe-coded.ts";
import { probeSound } from "./probe-sound.ts";
import { knownEnds } from "./read-ends.ts";
import { joinEnds } from "./read-stream-ends.ts";
import { requireCodecs } from "./require-encoders.ts";
import type { PartialMaster } from "./scratch.ts";
import type { SourceIndex } from "./source-index.ts";
import { lookAlong } from "./stream-looks.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * Reads the master, describes it, decides the whole plan and records both: the grid is there before any cell is. Where the
 * ladder is to be the film's own, a draft with the table's, for the preview: whoever analyses the film plans it for good.
 */
export async function probeAsset(context: TaskContext, settings: PlanSettings): Promise<null> {
  const { pinned, encoding } = context.asset;
  if (pinned === null) throw new Failure("ours", "internal", "The asset has no source.");
  await startProbing(context.library, context.asset);
  await requireCodecs(context, encoding.codecs);
  // What an earlier revision found in the same master is true of it still.
  const known = context.asset.source;
  const source = known ?? (await describeMaster(context, pinned));
  const findings = known === null ? sourceFindings(source) : context.asset.findings;
  const sidecars = await Promise.all(context.asset.sidecars.map((sidecar) => probed(context, sidecar)));
  const analysis = isOf(context.asset.analysis, pinned) ? context.asset.analysis : undefined;
  const found = { source, findings, sidecars, analysis };
  const isDraft = curvesMissing(source, encoding, analysis?.curves ?? []).length > 0;
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

/**
 * Describes a master: from its index and first samples where that lists all, from both ends where it lists keyframes, or these are looked for, and
 * that leaves no doubt, from all of it otherwise.
 */
export async function describeMaster(context: DescribingContext, pinned: PinnedSource): Promise<Source> {
  const { launcher, scratch, signal, note } = context;
  const file = { sizeBytes: pinned.sizeBytes, sha256: pinned.sha256 };
  const fromPart = await scratch.withParts(pinned, async (master) => {
    const index = await master.index(signal);
    try {
      return index === null
        ? await describeStream(context, master, file)
        : await describeIndexed(context, master, index, file);
    } catch (thrown) {
      // It may be for what was not fetched, or not looked at: the whole file has the last word.
      const isLast = (index?.tracks.length ?? 0) > 0 && master.isWhole();
      if (isLast || !(thrown instanceof Failure) || thrown.failureClass !== "source") throw thrown;
      return null;
    }
  });
  if (fromPart !== null) return fromPart;
  return scratch.withSource(pinned, signal, (path) => probeSource(launcher, path, file, signal, note));
}

type DescribingContext = Pick<TaskContext, "launcher" | "scratch" | "signal" | "note">;
type DescribedFile = Parameters<typeof probeSource>[2];

/** null where frames can only be counted by reading the file to its end. */
async function describeIndexed(
  { launcher, signal, note }: DescribingContext,
  master: PartialMaster,
  index: SourceIndex,
  file: DescribedFile,
): Promise<Source | null> {
  const ends = index.entries === null ? null : await knownEnds(master, index.entries, signal);
  if (index.tracks.length === 0 && ends === null) return null;
  await master.fill([...index.always, ...(ends?.ranges ?? [])], signal);
  const known = ends === null ? { tables: index.tracks } : { ends };
  const source = await probeSource(launcher, master.path, file, signal, note, known);
  return withCoded(source, master, index, signal);
}

/** Of a transport stream, by its ends and by looks between; null of anything else, and where it is to be read whole. */
async function describeStream(
  { launcher, scratch, signal, note }: DescribingContext,
  master: PartialMaster,
  file: DescribedFile,
): Promise<Source | null> {
  const looks = await lookAlong(master, signal);
  if (looks === null) return null;
  return scratch.withDirectory(async (directory) => {
    const path = join(directory, "ends.ts");
    await joinEnds(master.path, master.sizeBytes, looks, path);
    return probeSource(launcher, path, file, signal, note, { looks });
  });
}
