import { PRESETS, RECENT_AV1_PRESETS, type Speed, type VideoCodec } from "../../core/encoding.ts";
import type { Ladder, Rung } from "../../core/ladder.ts";
import { type Candidate, candidatesOf, decibels, upperEdge } from "../../core/quality-curve.ts";
import { rational } from "../../core/rational.ts";
import { buildTimeline } from "../../core/timeline.ts";
import { TRIAL_CRFS, type TrialPoint, trialSizes } from "../../core/title-analysis.ts";
import { FIXED_TABLE } from "../../core/title-ladder.ts";
import { encoderOptions } from "../../transcoder/encoders.ts";
import { makeSmaller } from "../../transcoder/picture-filters.ts";
import { type Content, widthOf } from "./content.ts";
import { type Measured, measure, type Reference } from "./measure.ts";

/** The ladders that are compared, as far up as a content is high. */

/** PeerTube's bits a pixel on average (its cap, beside crf 23), by short side. */
const PEERTUBE: readonly [number, number][] = [
  [1080, 0.1],
  [720, 0.11],
  [480, 0.12],
  [360, 0.15],
];

/** Apple's fixed table of H.264, at its rates. */
export async function measureAppleTable(reference: Reference): Promise<Measured[]> {
  const { content } = reference;
  const measured: Measured[] = [];
  for (const { shortSide, bitrateBps } of FIXED_TABLE.filter((row) => row.shortSide <= content.height)) {
    const rate = String(bitrateBps);
    const limits = ["-b:v", rate, "-maxrate", String(bitrateBps * 1.5), "-bufsize", rate];
    measured.push(await measure(reference, shortSide, [...x264("veryfast", content), ...limits]));
  }
  return measured;
}

/** PeerTube's defaults. */
export async function measurePeerTube(reference: Reference): Promise<Measured[]> {
  const { content } = reference;
  const measured: Measured[] = [];
  for (const [shortSide, bitsPerPixel] of PEERTUBE.filter(([side]) => side <= content.height)) {
    const cap = Math.round(bitsPerPixel * shortSide * widthOf(content, shortSide) * content.fps);
    const limits = ["-crf", "23", "-maxrate", String(cap), "-bufsize", String(2 * cap), "-bf", "16"];
    measured.push(await measure(reference, shortSide, [...x264("veryfast", content), ...limits]));
  }
  return measured;
}

function x264(preset: string, { fps }: Content): string[] {
  return ["-c:v", "libx264", "-preset", preset, "-profile:v", "high", "-g", String(fps * 2), "-threads", "1"];
}

/** The film's own curve, made as its analysis makes it. */
export async function measureOurs(
  reference: Reference,
  codec: VideoCodec,
  speed: Speed,
): Promise<{ edge: Candidate[]; cpuSeconds: number }> {
  const { width, height, fps } = reference.content;
  const timeline = buildTimeline(rational(fps, 1), fps * 2);
  const coding = { timeline, speed, preset: PRESETS[speed].h264 };
  const recent = codec === "av1" ? reference.tools.recentAv1 : null;
  const encoder = recent && { build: recent.build, preset: RECENT_AV1_PRESETS.upTo1080p[speed] };
  const points: TrialPoint[] = [];
  let cpuSeconds = 0;
  for (const crf of TRIAL_CRFS[codec]) {
    // Each from the next larger one, as a film's rungs are.
    const steps: string[] = [];
    for (const size of trialSizes(width, height, codec)) {
      steps.push(makeSmaller(size.width, size.height, speed));
      const rung: Rung = { ...size, crf, maxBitrateBps: size.maxBitrateBps * 10 };
      const ladder: Ladder = { id: codec, codec, range: "SDR", rungs: [rung], ...(encoder && { encoder }) };
      const options = [...encoderOptions(coding, ladder, rung), "-threads", "1"];
      const program = recent?.program === "scorer" ? reference.tools.scorer : reference.tools.ffmpeg;
      const way = { program, scaler: () => steps.join(",") };
      const made = await measure(reference, Math.min(size.width, size.height), options, way);
      cpuSeconds += made.cpuSeconds;
      points.push({ width: size.width, height: size.height, crf, averageBps: made.bps, score: made.score });
    }
  }
  return { edge: upperEdge(candidatesOf({ codec, speed, metric: "vmaf", points })), cpuSeconds };
}

/** Ours over theirs: the geometric mean over their rungs whose score the edge reaches; null where it reaches none. */
export function ratioAtEqualScore(edge: readonly Candidate[], others: readonly Measured[]): number | null {
  const logs = others.flatMap(({ bps, score }) => {
    const above = edge.findIndex((one) => one.score >= score);
    if (above < 1) return [];
    const [low, high] = [edge[above - 1]!, edge[above]!];
    const at = (one: number): number => decibels("vmaf", one);
    const share = (at(score) - at(low.score)) / (at(high.score) - at(low.score));
    return [Math.log(low.averageBps) + share * Math.log(high.averageBps / low.averageBps) - Math.log(bps)];
  });
  return logs.length === 0 ? null : Math.exp(logs.reduce((sum, one) => sum + one, 0) / logs.length);
}
