import { allRungs, type Plan } from "./plan.ts";
import { segmentCount, timelineSeconds } from "./timeline.ts";

/** Playlists, the gate and a little of every track played. */
const FIXED_SECONDS = 0.5;
/** Everything is read back: CPU seconds for a segment, and for each of its bytes (docs/performance.md). */
const SEGMENT_SECONDS = 0.002;
const BYTE_SECONDS = 4e-9;
/** What comes out of an encode, of what its caps allow. */
const SHARE_OF_CAP = 0.6;

/** What publishing costs, in seconds of one core, roughly. */
export function publishWeight(plan: Pick<Plan, "timeline" | "ladders" | "audio">): number {
  const rungs = allRungs(plan);
  const segments = segmentCount(plan.timeline) * (rungs.length + plan.audio.length);
  const bitsPerSecond = SHARE_OF_CAP * rungs.reduce((sum, { maxBitrateBps }) => sum + maxBitrateBps, 0);
  const bytes = (bitsPerSecond / 8) * timelineSeconds(plan.timeline);
  return FIXED_SECONDS + SEGMENT_SECONDS * segments + BYTE_SECONDS * bytes;
}
