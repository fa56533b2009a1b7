import { type Lane, laneOf } from "../core/work-order.ts";
import type { TaskCounts } from "../stores/library/work-overview.ts";
import type { LaneCounts } from "../stores/queue.ts";

/**
 * How many tasks of a lane wait while no worker listens to it, so that nobody will do them; null where Redis does not say
 * who listens.
 */
export function unheardTasks(
  lane: Lane,
  tasks: readonly TaskCounts[],
  hints: LaneCounts | null,
): number | null {
  if (hints === null) return null;
  if (hints[lane].consumers > 0) return 0;
  const own = tasks.filter(({ kind }) => laneOf(kind) === lane);
  return own.reduce((sum, { todo, backingOff, lapsed }) => sum + todo + backingOff + lapsed, 0);
}
