import type { Rung } from "../core/ladder.ts";
import { allRungs, type Plan } from "../core/plan.ts";
import { beyondPreset } from "../transcoder/encoders.ts";

/** What a bare ffmpeg is told, where it makes the ladder of a plan: the encoder's settings are the pipeline's. */

/** One decode, all encoders, each rung scaled from the source; threads as ffmpeg likes them. Files begin with `prefix`. */
export function barePictures(film: string, plan: Plan, prefix: string): string[] {
  const rungs = allRungs(plan);
  const split = `[0:v]split=${rungs.length}${rungs.map((_, index) => `[iv${index}]`).join("")}`;
  const scales = rungs.map(
    ({ width, height }, index) =>
      `[iv${index}]scale=${width}:${height}:flags=bicubic,format=yuv420p[v${index}]`,
  );
  return [
    ...["-v", "error", "-nostdin", "-y", "-i", film],
    ...["-filter_complex", [split, ...scales].join(";")],
    ...rungs.flatMap((rung, index) => [
      ...["-map", `[v${index}]`, ...bareEncoder(plan, rung)],
      `${prefix}-${rung.id}.mp4`,
    ]),
  ];
}

export function bareEncoder(plan: Plan, rung: Rung): string[] {
  const gop = plan.timeline.framesPerKeyframe;
  const cap = String(rung.maxBitrateBps);
  const { params, laterCrf } = beyondPreset(plan.preset);
  return [
    ...["-c:v", "libx264", "-preset", plan.preset, "-profile:v", "high", "-crf", String(rung.crf + laterCrf)],
    ...["-maxrate", cap, "-bufsize", cap],
    "-x264-params",
    `keyint=${gop}:min-keyint=${gop}:scenecut=0:open-gop=0:vbv-init=0.7${params}`,
    ...["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
  ];
}

/** The same tracks of sound, as they are: nothing measured, nothing levelled. */
export function bareSound({ audio }: Plan, prefix: string): string[] {
  return audio.flatMap(({ id, streamIndex, channels, bitrateBps }) => [
    ...["-map", `0:${streamIndex}`, "-c:a", "aac", "-b:a", String(bitrateBps), "-ac", String(channels)],
    `${prefix}-${id}.mp4`,
  ]);
}
