import type { VideoCodec } from "../core/encoding.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../core/plan.ts";
import { sourceOf } from "../test/rig/plain-source.ts";

/** The plan that the product would make of a film of this length and size at 24 frames, one sound track, plain picture. */
export function planOf(
  seconds: number,
  width: number,
  height: number,
  codecs: VideoCodec[] = ["h264"],
): Plan {
  const source = sourceOf(width, height, seconds * 24, 1);
  // Every two seconds, as most cameras and editors write them.
  source.video.keyframeSeconds = Array.from({ length: Math.ceil(seconds / 2) }, (_, index) => index * 2);
  return buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, encoding: { codecs } }, "simulated");
}
