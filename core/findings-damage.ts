import type { DecodeLog } from "./decode-log.ts";
import { findingsAt } from "./findings.ts";
import type { Finding } from "./records/asset.ts";

/** A few bad frames are a blemish; more stop the publication until someone has looked. */
const FRAMES_TOLERATED = 5;

/** Where a stream of the master could not be decoded. `name` begins the message: "The picture", "The sound in en". */
export function damageFindings(name: string, { damagedFrames, ranges }: DecodeLog): Finding[] {
  const frames = damagedFrames === 1 ? "one frame" : `${damagedFrames} frames in all`;
  return findingsAt(ranges, () => ({
    code: "damage",
    severity: damagedFrames > FRAMES_TOLERATED ? "error" : "warning",
    message: `${name} is damaged: ${frames} could not be decoded, or not wholly.`,
  }));
}
