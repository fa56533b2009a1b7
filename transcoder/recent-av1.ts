import { Failure } from "../core/errors.ts";
import type { Ladder } from "../core/ladder.ts";
import { askFfmpeg } from "./ask-ffmpeg.ts";
import type { Launcher, Program } from "./launcher.ts";

/** The build that makes AV1 on this machine, where one of its ffmpegs has a recent SVT-AV1 (docs/decisions/codecs.md). */
export interface RecentAv1 {
  program: Program;
  /** Of ffmpeg and of the encoder: what a plan names it by. */
  build: string;
}

/** Presets of versions before mean something else, and cost several times as much. */
const RECENT_MAJOR = 4;

/**
 * Asks each ffmpeg here for one small picture; null where none has an encoder that is recent. Throws `internal` where
 * one did not come to answer.
 */
export async function findRecentAv1(
  launcher: Pick<Launcher, "run" | "hasOwnScorer">,
): Promise<RecentAv1 | null> {
  let newest: (RecentAv1 & { version: number[] }) | null = null;
  // The one that encodes the rest first: where both are as new, a film then has one build.
  const candidates: Program[] = launcher.hasOwnScorer ? ["ffmpeg", "scorer"] : ["ffmpeg"];
  for (const program of candidates) {
    const found = await askForPicture(launcher, program);
    if (found === null || (found.version[0] ?? 0) < RECENT_MAJOR) continue;
    if (newest === null || isNewer(found.version, newest.version)) newest = { program, ...found };
  }
  return newest && { program: newest.program, build: newest.build };
}

async function askForPicture(
  launcher: Pick<Launcher, "run">,
  program: Program,
): Promise<{ build: string; version: number[] } | null> {
  // Loud, since ffmpeg and the encoder say their versions themselves.
  const { exitCode, stderrTail } = await askFfmpeg(launcher, program, [
    ...["-nostdin", "-v", "info", "-f", "lavfi", "-i", "color=s=64x64", "-frames:v", "1"],
    ...AV1_TO_NOWHERE,
  ]);
  const [, ffmpeg] = /^ffmpeg version (\S+)/m.exec(stderrTail) ?? [];
  const [, encoder] = /SVT-AV1 Encoder Lib v(\d+\.\d+\S*)/.exec(stderrTail) ?? [];
  if (exitCode !== 0 || ffmpeg === undefined || encoder === undefined) return null;
  return {
    build: `ffmpeg ${ffmpeg}, SVT-AV1 ${encoder}`,
    version: encoder.split(/\D/).slice(0, 3).map(Number),
  };
}

const AV1_TO_NOWHERE = ["-c:v", "libsvtav1", "-preset", "10", "-svtav1-params", "lp=1", "-f", "null", "-"];

function isNewer(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((part, index) => part !== other[index]);
  return at >= 0 && (one[at] ?? 0) > (other[at] ?? 0);
}

/** Which ffmpeg encodes a ladder. Throws where the ladder's plan names a build that is not here. */
export function encodingProgram(
  { recentAv1 }: { recentAv1: RecentAv1 | null },
  { encoder }: Pick<Ladder, "encoder">,
): Program {
  if (encoder === undefined) return "ffmpeg";
  if (recentAv1?.build === encoder.build) return recentAv1.program;
  throw new Failure("ours", "internal", `The plan is for ${encoder.build}, which this worker does not have.`);
}
