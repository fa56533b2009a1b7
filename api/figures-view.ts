import { z } from "@hono/zod-openapi";
import { type Figures, type LineFigures, rebufferRatio, startupQuantile } from "../core/figures.ts";

const ratio = z.number().min(0).max(1).nullable();

/** Figures of watching for people: shares are null where there is nothing to have a share of. */
const figures = {
  /** Sessions whose player told of itself, and those of them that showed a picture. */
  sessions: z.number().int(),
  plays: z.number().int(),
  watchSeconds: z.number(),
  /** The share of sessions that an error ended, and of time that viewers waited in the middle of the film. */
  errorRate: ratio,
  rebufferRatio: ratio,
  stalls: z.number().int(),
  stallSeconds: z.number(),
  /** Of the picture, over the time it was watched. */
  averageBps: z.number().nullable(),
  startup: z.object({ p50Seconds: z.number(), p95Seconds: z.number() }).nullable(),
  /** What players said with their requests for the picture (CMCD); null where none did. */
  line: z
    .object({
      requests: z.number().int(),
      starvedRatio: ratio,
      encodedBps: z.number().nullable(),
      bufferSeconds: z.number().nullable(),
      throughputBps: z.number().nullable(),
    })
    .nullable(),
};
export const figuresView = z.object(figures).openapi("Figures");
export type FiguresView = z.infer<typeof figuresView>;
export const figuresRow = z.object({ key: z.string(), ...figures }).openapi("FiguresRow");

export function presentFigures(all: Figures): FiguresView {
  const [p50, p95] = [startupQuantile(all.startups, 0.5), startupQuantile(all.startups, 0.95)];
  return {
    sessions: all.sessions,
    plays: all.plays,
    watchSeconds: all.playedMs / 1000,
    errorRate: share(all.failures, all.sessions),
    rebufferRatio: all.playedMs + all.stallMs === 0 ? null : rebufferRatio(all),
    stalls: all.stalls,
    stallSeconds: all.stallMs / 1000,
    averageBps: mean(all.kilobits * 1_000_000, all.playedMs),
    startup: p50 === null || p95 === null ? null : { p50Seconds: p50 / 1000, p95Seconds: p95 / 1000 },
    line: presentLine(all.line),
  };
}

function presentLine(line: LineFigures): FiguresView["line"] {
  if (line.requests === 0) return null;
  return {
    requests: line.requests,
    starvedRatio: share(line.starved, line.requests),
    encodedBps: mean(line.encodedKbps * 1000, line.encodedSamples),
    bufferSeconds: line.bufferSamples === 0 ? null : line.bufferMs / line.bufferSamples / 1000,
    throughputBps: mean(line.throughputKbps * 1000, line.throughputSamples),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.min(1, part / whole);
}

function mean(sum: number, count: number): number | null {
  return count === 0 ? null : Math.round(sum / count);
}
