import { speedOf, type VideoCodec } from "../core/encoding.ts";
import { Failure } from "../core/errors.ts";
import { sourceFindings } from "../core/findings-source.ts";
import { buildPlan, type Plan, type PlanSettings } from "../core/plan.ts";
import type { QualityMetric } from "../core/quality.ts";
import type { PinnedSource, Source } from "../core/source.ts";
import { identityOf } from "../core/task-recipe.ts";
import {
  bytesOfGroups,
  curvesMissing,
  isOf,
  rateOfFilm,
  type TitleAnalysis,
  type TitleCurve,
  type TrialPoint,
  type TrialWindow,
  trialLadders,
  trialWindows,
} from "../core/title-analysis.ts";
import { describeMaster } from "./describe-master.ts";
import { planAsset } from "./plan-asset.ts";
import type { TaskContext } from "./task-context.ts";
import { type TrialOutcome, tryWindow } from "./try-window.ts";

/** A master between its probe and its plan. */
interface Tried {
  context: TaskContext;
  source: Source;
  pinned: PinnedSource;
  /** What the film would be without its curves: its grid and its colours are the same with them. */
  draft: Plan;
  windows: TrialWindow[];
  groupBytes: number[] | null;
}

/**
 * Finds out what is lacking before a film can be planned for good: all of a master of which there is a sketch, and the film's own ladder where it
 * is to have one. For that a few windows of the master are encoded in several sizes and qualities and scored. Where they cannot be the
 * ladder is the table's: trials never fail a film.
 */
export async function analyse(context: TaskContext, settings: PlanSettings): Promise<null> {
  const { source: known, pinned, sidecars } = context.asset;
  if (known === null || pinned === null)
    throw new Failure("ours", "internal", "The asset has not been probed yet.");
  const isSketch = known.isSketch === true;
  const source = isSketch ? await describeMaster(context, pinned) : known;
  const findings = isSketch ? sourceFindings(source) : context.asset.findings;
  const analysis = await tryTitle(context, settings, source, pinned);
  await planAsset(context, settings, pinned, { source, findings, sidecars, analysis }, "final");
  return null;
}

/** What is known of the film's own ladder, and what trials tell of it besides. */
async function tryTitle(
  context: TaskContext,
  settings: PlanSettings,
  source: Source,
  pinned: PinnedSource,
): Promise<TitleAnalysis | undefined> {
  const { encoding } = context.asset;
  const analysis = isOf(context.asset.analysis, pinned) ? context.asset.analysis : undefined;
  const known = analysis?.curves ?? [];
  const missing = curvesMissing(source, encoding, known);
  if (missing.length === 0) return analysis;
  const recentAv1Build = context.recentAv1?.build ?? null;
  const draft = buildPlan(source, { ...settings, encoding, recentAv1Build }, context.launcher.build);
  const groupBytes = await readGroupBytes(context, source, pinned, draft);
  const windows = trialWindows(draft.timeline, groupBytes);
  const curves: TitleCurve[] = [];
  for (const [index, codec] of missing.entries()) {
    curves.push(await tryCodec({ context, source, pinned, draft, windows, groupBytes }, codec));
    context.report((index + 1) / missing.length);
  }
  return {
    sourceIdentity: identityOf(pinned),
    windows: windows.map(({ half }) => half),
    curves: [...known, ...curves],
  };
}

/** How busy each part of the film is, by the bytes that its master spends there; null where it has no index that says so. */
async function readGroupBytes(
  { scratch, signal }: TaskContext,
  { video }: Source,
  pinned: PinnedSource,
  { timeline }: Plan,
): Promise<number[] | null> {
  const index = await scratch.withParts(pinned, (master) => master.index(signal));
  const track = index?.tracks[video.streamIndex];
  if (track === undefined) return null;
  const { sizes, shownTicks, timescale } = track;
  const secondsFromFirst = (at: number): number => shownTicks[at]! / timescale - video.startSeconds;
  return bytesOfGroups(timeline, { sizes, secondsFromFirst });
}

async function tryCodec(tried: Tried, codec: VideoCodec): Promise<TitleCurve> {
  const { context } = tried;
  const metric: QualityMetric = context.scoresVmaf ? "vmaf" : "ssim";
  const curve = { codec, speed: speedOf(context.asset.encoding), metric };
  try {
    return { ...curve, points: await tryWindows(tried, codec, metric) };
  } catch (thrown) {
    // A store that is away, or a disk that is full, passes; all else would be the same the next time.
    const passes = !(thrown instanceof Failure) || thrown.failureClass === "transient";
    if (passes || context.signal.aborted || thrown.code === "scratch_full") throw thrown;
    context.log.warn({ err: thrown, taskId: context.task._id, codec }, "not analysed: the table's ladder");
    return { ...curve, points: [] };
  }
}

async function tryWindows(
  { context, source, pinned, draft, windows, groupBytes }: Tried,
  codec: VideoCodec,
  metric: QualityMetric,
): Promise<TrialPoint[]> {
  const { width, height } = source.video;
  const encoder = draft.ladders.find((ladder) => ladder.codec === codec)?.encoder;
  const ladders = trialLadders(width, height, codec, encoder);
  if (ladders.halves.rungs.length === 0) return [];
  const seen: TrialOutcome[][] = [];
  for (const window of windows)
    seen.push(await tryWindow(context, { source, pinned, plan: draft }, ladders, window, metric));
  return ladders.halves.rungs.map(({ width, height, crf }, rung) => ({
    ...{ width, height, crf },
    averageBps: rateOfFilm(
      seen.map((outcomes) => outcomes[rung]!.averageBps),
      windows,
      draft.timeline,
      groupBytes,
    ),
    score: seen.reduce((sum, outcomes) => sum + outcomes[rung]!.score, 0) / seen.length,
  }));
}
