import type { DecodeLog } from "./decode-log.ts";
import { findingsAt } from "./findings.ts";
import type { Finding } from "./records.ts";

/** A few bad frames are a blemish; more stop the publication until someone has looked. */
const FRAMES_TOLERATED = 5;

/** Where a stream of the master could not be decoded. `name` begins the message: "The picture", "The sound in en". */
export function damageFindings(name: string, { damagedFrames, ranges }: DecodeLog): Finding[] {
  return findingsAt(ranges, () => ({
    code: "damage",
    severity: damagedFrames > FRAMES_TOLERATED ? "error" : "warning",
    message: `${name} is damaged: ${damagedFrames} frames in all cannot be decoded or are faulty.`,
  }));
}
