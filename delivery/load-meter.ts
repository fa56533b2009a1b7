import type { Server } from "node:net";
import { performance } from "node:perf_hooks";

/** Asked more often than this, the last figure is told again: a shorter look says little. */
const WINDOW_MS = 1_000;

/**
 * What of this edge is taken, 0 to 1: its connections of those that it may have, or the time in which its one thread was
 * busy since the last look, whichever is more.
 */
export function loadMeter(server: () => Server, maxConnections: number): () => Promise<number> {
  let from = performance.eventLoopUtilization();
  let lookedMs = performance.now();
  let busy = 0;
  return async () => {
    if (performance.now() - lookedMs >= WINDOW_MS) {
      const now = performance.eventLoopUtilization();
      busy = performance.eventLoopUtilization(now, from).utilization;
      from = now;
      lookedMs = performance.now();
    }
    const connections = await new Promise<number>((resolve) =>
      server().getConnections((_error, count) => resolve(count ?? 0)),
    );
    return Number(Math.min(1, Math.max(busy, connections / maxConnections)).toFixed(3));
  };
}
