import { planOf } from "../simulated-plan.ts";
import { type Cluster, type Outcome, simulate } from "./cluster.ts";
import type { Arrival } from "./title.ts";

/** Workers that a library is tried on: of fewer each has more to choose from, and their simulation takes many minutes. */
export const FLEETS = [512, 1000];

/** Sixty films of two hours at once, a third of them in 2160p, of six tenants: what a fleet is bought for. */
export function libraryArrives(): Arrival[] {
  const [hd, uhd] = [planOf(7200, 1920, 1080), planOf(7200, 3840, 2160, ["h264", "hevc"])];
  return Array.from({ length: 60 }, (_, index) => ({
    ...{ atSeconds: 0, tenant: `t${index % 6}`, plan: index % 3 === 2 ? uhd : hd },
  }));
}

/** How often as quick as one worker, who would take as long as all that was spent on it. */
export function speedUpOfLibrary(cluster: Cluster): { outcome: Outcome; seconds: number; speedUp: number } {
  const outcome = simulate(cluster, libraryArrives());
  const seconds = Math.max(...outcome.titles.map(({ readyAt }) => readyAt ?? Number.POSITIVE_INFINITY));
  return { outcome, seconds, speedUp: outcome.workSeconds / seconds };
}
