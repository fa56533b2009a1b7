import type { DecodeLog } from "./decode-log.ts";
import { findingsAt, MOST_OF_ONE_CODE } from "./findings.ts";
import type { Finding } from "./records/asset.ts";
import type { TimeRange } from "./time-ranges.ts";

/** A few bad frames are a blemish; more stop the publication until someone has looked. */
const FRAMES_TOLERATED = 5;

const CODE = "damage";

/** Where a stream of the master could not be decoded. `name` begins the message: "The picture", "The sound in en". */
export function damageFindings(name: string, { damagedFrames, ranges }: DecodeLog): Finding[] {
  const frames = damagedFrames === 1 ? "one frame" : `${damagedFrames} frames in all`;
  return findingsAt(ranges, () => ({
    code: CODE,
    severity: damagedFrames > FRAMES_TOLERATED ? "error" : "warning",
    message: `${name} is damaged: ${frames} could not be decoded, or not wholly.`,
  }));
}

/** Where any stream of a film was found damaged: all of it where there are more places than are told. */
export function damagedRanges(findings: readonly Finding[], filmSeconds: number): TimeRange[] {
  const damages = findings.filter(({ code }) => code === CODE);
  const places = damages.map(({ message }) => damages.filter((other) => other.message === message).length);
  const film = { startSeconds: 0, endSeconds: filmSeconds };
  if (Math.max(0, ...places) >= MOST_OF_ONE_CODE) return [film];
  return damages.map(({ startSeconds = film.startSeconds, endSeconds = film.endSeconds }) => ({
    startSeconds,
    endSeconds,
  }));
}
