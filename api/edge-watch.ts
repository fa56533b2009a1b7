import type { Edge } from "../core/edges.ts";
import { type EdgeState, isCalm, rankEdges, type SteeredViewer } from "../core/steering.ts";
import type { Log } from "../stores/log.ts";
import type { Metrics } from "./metrics.ts";

const ASK_EVERY_MS = 5_000;
const ANSWER_MS = 2_000;
/** One answer that was lost is nothing; the second in a row takes the edge out. */
const FAILURES_TO_DOWN = 2;

/** What is known of the edges right now. Asked for in a request, it waits for nothing. */
export interface EdgeWatch {
  /** All edges, the best one for this viewer first. */
  ranked(viewer: SteeredViewer): Edge[];
  /** Whether every edge is up and has room. */
  isCalm(): boolean;
  /** One round of questions, once all have answered or not. */
  look(): Promise<void>;
  close(): void;
}

/** Asks each edge's `/readyz` in turns, one question under way for each; where there is one edge alone, nobody is asked. */
export function openEdgeWatch(parts: {
  edges: readonly Edge[];
  metrics: Pick<Metrics, "edgeUp" | "edgeLoad">;
  log: Log;
}): EdgeWatch {
  const { edges, metrics, log } = parts;
  const states = new Map(edges.map((edge) => [edge, { isUp: true, load: null, failures: 0 } as Known]));
  const stateOf = (edge: Edge): Known => states.get(edge) as Known;
  const ask = async (edge: Edge): Promise<void> => {
    const load = await loadOf(edge.url);
    const known = stateOf(edge);
    const wasUp = known.isUp;
    known.failures = load === "away" ? known.failures + 1 : 0;
    known.isUp = known.failures < FAILURES_TO_DOWN;
    if (load !== "away") known.load = load;
    metrics.edgeUp.set({ edge: edge.hostname }, known.isUp ? 1 : 0);
    metrics.edgeLoad.set({ edge: edge.hostname }, known.load ?? 0);
    if (wasUp !== known.isUp)
      log.warn({ edge: edge.url }, known.isUp ? "the edge is back" : "the edge is away");
  };
  let looking: Promise<void> | null = null;
  const look = (): Promise<void> => {
    looking ??= Promise.all(edges.map(ask)).then(() => {
      looking = null;
    });
    return looking;
  };
  const timer = edges.length > 1 ? setInterval(look, ASK_EVERY_MS) : undefined;
  timer?.unref();
  return {
    ranked: (viewer) => rankEdges(edges, stateOf, viewer),
    isCalm: () => edges.every((edge) => isCalm(stateOf(edge))),
    look,
    close: () => clearInterval(timer),
  };
}

interface Known extends EdgeState {
  failures: number;
}

/**
 * What the edge says of its load; null where it does not say. One that answers with less than 500 is up: a CDN has no
 * `/readyz`, but says so itself.
 */
async function loadOf(url: string): Promise<number | null | "away"> {
  try {
    const answer = await fetch(`${url}/readyz`, {
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await answer.text();
    if (answer.status >= 500) return "away";
    const { load } = answer.ok ? (JSON.parse(text) as { load?: unknown }) : {};
    return typeof load === "number" ? load : null;
  } catch (thrown) {
    return thrown instanceof SyntaxError ? null : "away";
  }
}
