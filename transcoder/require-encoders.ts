import type { VideoCodec } from "../core/encoding.ts";
import { Failure } from "../core/errors.ts";
import { listOf } from "./ask-ffmpeg.ts";
import { ENCODER_OF } from "./encoders.ts";
import type { Launcher } from "./launcher.ts";
import type { RecentAv1 } from "./recent-av1.ts";
import type { Workshop } from "./task-context.ts";

/** Encoders without which no title can be made. */
const ALWAYS_NEEDED = [ENCODER_OF.h264, "aac", "mjpeg"];

/**
 * Which codecs this machine can make, H.264 first. Throws where its ffmpeg lacks what every title needs, and `internal` where it did
 * not come to say.
 */
export async function availableCodecs(
  launcher: Launcher,
  recentAv1: RecentAv1 | null,
): Promise<VideoCodec[]> {
  const stdout = await listOf(launcher, "ffmpeg", "-encoders");
  const lacks = (name: string): boolean => !stdout.includes(` ${name} `);
  const missing = ALWAYS_NEEDED.filter(lacks);
  if (missing.length > 0) throw new Error(`lacks ${missing.join(", ")}`);
  return (Object.keys(ENCODER_OF) as VideoCodec[]).filter(
    (codec) => !lacks(ENCODER_OF[codec]) || (codec === "av1" && recentAv1 !== null),
  );
}

/** Throws where this machine's ffmpeg cannot make pictures smaller as a plan may ask for (picture-filters.ts). */
export function requireScaler({ filters }: Pick<Launcher, "filters">): void {
  if (filters.includes(" zscale ")) return;
  throw new Error(
    "This ffmpeg has no zscale, which makes pictures smaller: it needs a build with libzimg, as Debian's is.",
  );
}

/** Whether VMAF can be taken here. Throws `internal` where the scorer did not come to say. */
export async function canScore(launcher: Launcher): Promise<boolean> {
  const filters = launcher.hasOwnScorer ? await listOf(launcher, "scorer", "-filters") : launcher.filters;
  return filters.includes(" libvmaf ");
}

/**
 * Refuses codecs that this build cannot make before anything is planned with them: a plan names its build, so no other
 * worker could help, and the asset would wait for ever. Throws `codec_unavailable`, which is never tried again by itself.
 */
export async function requireCodecs(
  { launcher, recentAv1 }: Pick<Workshop, "launcher" | "recentAv1">,
  codecs: readonly VideoCodec[],
): Promise<void> {
  // Readiness holds for H.264 already.
  if (codecs.every((codec) => codec === "h264")) return;
  const available = await availableCodecs(launcher, recentAv1);
  const missing = codecs.filter((codec) => !available.includes(codec));
  if (missing.length === 0) return;
  throw new Failure(
    "request",
    "codec_unavailable",
    `The encoders here cannot make ${missing.join(" or ")}; they make ${available.join(", ")}.`,
  );
}
