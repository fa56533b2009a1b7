import type { Plan } from "../core/plan.ts";
import { secondsText } from "../core/rational.ts";

/** The filters that leave exactly the timeline's frames of what is decoded. Pure. */

/**
 * Leaves out what was decoded before the chunk's first frame, which stands `reachedMicros` after what was asked for; also before it, where ffmpeg
 * itself `keepsAll`.
 */
export function skipFilters(
  plan: Plan,
  reachedMicros: number,
  slackMicros: number,
  keepsAll: boolean,
): string[] {
  // The slack keeps a frame whose time is a tick too small.
  const from = reachedMicros - slackMicros;
  const skip = from > 0 || keepsAll ? [`trim=start=${from < 0 ? "-" : ""}${micros(Math.abs(from))}`] : [];
  // Re-timed frames are placed by their own times, which must count from the chunk's first.
  return [...skip, ...(plan.timing !== "count" && reachedMicros !== 0 ? [shiftFilter(reachedMicros)] : [])];
}

/** Has times count from so long after what was asked for, or before it. */
export function shiftFilter(micro: number): string {
  return `setpts=PTS${micro < 0 ? "+" : "-"}${micros(Math.abs(micro))}/TB`;
}

/** Times made exact: counted as they come, or put to the nearest place. */
export function timingFilters({ timeline, timing }: Plan, preroll: number): string[] {
  const { num, den } = timeline.frameRate;
  // States the exact rate to the encoders; the frames already stand where it would put them.
  const rate = `fps=${num}/${den}`;
  const finish = [
    ...(preroll > 0 ? [`trim=start_frame=${preroll}`] : []),
    `settb=${den}/${num}`,
    "setpts=N",
    rate,
  ];
  if (timing === "count") return finish;
  return [
    `${rate}:start_time=0`,
    // The last frame stands until the end of the timeline, which was rounded to whole frames.
    `tpad=stop_mode=clone:stop=${timeline.framesPerKeyframe}`,
    ...finish,
  ];
}

/** Microseconds as ffmpeg reads seconds. */
export function micros(value: number): string {
  return secondsText(value, 1_000_000, 6);
}
