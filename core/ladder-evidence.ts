import type { VideoCodec } from "./encoding.ts";
import type { Ladder } from "./ladder.ts";
import type { QualityMetric } from "./quality.ts";
import { candidatesOf, upperEdge } from "./quality-curve.ts";
import type { AssetRecord } from "./records/asset.ts";
import { timelineSeconds } from "./timeline.ts";
import { isOf, type TitleCurve, type TrialPoint } from "./title-analysis.ts";
import { curveOf, fixedTableBps, TRANSPARENT } from "./title-ladder.ts";

/** Why a film has the ladder that it has, and what that is worth. Pure. */

export interface RungEvidence {
  id: string;
  width: number;
  height: number;
  /** What trial encodes foretold; null of a rung of the table. */
  predicted: { averageBps: number; score: number } | null;
  /** What came out; null until it is there. */
  averageBps: number | null;
  /** What a picture of this size costs in Apple's fixed table of H.264; null above it. */
  fixedTableBps: number | null;
  /** Against that table, over the whole film; below 0 the rung costs more than it. */
  savedBytes: number | null;
}

export interface LadderEvidence {
  id: string;
  codec: VideoCodec;
  chosenBy: "title" | "table";
  metric: QualityMetric | null;
  /** At or above it no more is seen: where the ladder begins. */
  targetScore: number | null;
  points: TrialPoint[];
  /** The best of every rate, cheapest first: what rungs are chosen from. */
  edge: TrialPoint[];
  rungs: RungEvidence[];
}

export interface TitleEvidence {
  /** How many windows of the film were tried; 0 where none was. */
  windowCount: number;
  ladders: LadderEvidence[];
}

/** What is known of an asset's ladders; null before they are planned. */
export function titleEvidence(
  asset: Pick<AssetRecord, "plan" | "encoding" | "analysis" | "pinned" | "renditions" | "state">,
): TitleEvidence | null {
  const { plan, analysis, pinned } = asset;
  if (plan === null) return null;
  const own = analysis !== undefined && pinned !== null && isOf(analysis, pinned) ? analysis : null;
  const seconds = timelineSeconds(plan.timeline);
  // Those of another generation may bear the same names.
  const made = new Map(
    asset.state === "ready" ? asset.renditions.map(({ id, averageBps }) => [id, averageBps]) : [],
  );
  return {
    windowCount: own?.windows.length ?? 0,
    ladders: plan.ladders.map((ladder) => {
      const isOwn = ladder.rungs.some(({ predicted }) => predicted !== undefined);
      const curve = isOwn && own !== null ? curveOf(own.curves, ladder.codec, plan.speed) : null;
      return ladderEvidence(ladder, isOwn, curve, made, seconds);
    }),
  };
}

function ladderEvidence(
  { id, codec, rungs }: Ladder,
  isOwn: boolean,
  curve: TitleCurve | null,
  made: ReadonlyMap<string, number>,
  seconds: number,
): LadderEvidence {
  return {
    ...{ id, codec, chosenBy: isOwn ? "title" : "table" },
    metric: curve?.metric ?? null,
    targetScore: curve === null ? null : TRANSPARENT[curve.metric],
    points: curve?.points ?? [],
    edge: curve === null ? [] : upperEdge(candidatesOf(curve)),
    rungs: rungs.map(({ id: rung, width, height, predicted }) => {
      const averageBps = made.get(rung) ?? null;
      const fixed = fixedTableBps(width, height);
      const savedBytes =
        averageBps === null || fixed === null ? null : Math.round(((fixed - averageBps) * seconds) / 8);
      return {
        id: rung,
        width,
        height,
        predicted: predicted ?? null,
        averageBps,
        fixedTableBps: fixed,
        savedBytes,
      };
    }),
  };
}
