import { Failure } from "../core/errors.ts";
import { joinTracks, type LoneTrack } from "../core/join-tracks.ts";
import { type Decoded, decodeFile, decodeTracks } from "./decode-tracks.ts";
import { type Group, type OpenRung, outermostGroups } from "./open-rung.ts";
import type { OpenSound } from "./open-sound.ts";
import { type ProofBench, putFile } from "./proof-bench.ts";

/** What a decoder makes of the tracks of a package, all of them in one process or each in its own. */

/** The ends of a rung, and what came out of them. */
export interface PlayedRung {
  rung: OpenRung;
  groups: Group[];
  decoded: Decoded;
}

/** What came out of every rung's ends and of every sound's first segment, in their order. */
export interface PlayedTogether {
  rungs: PlayedRung[];
  heads: Decoded[];
}

/**
 * All rungs and sounds through one process, since each takes a tenth of a CPU second to start. Null where it complained or
 * found too few: a decoder does not say of which it complains, so that each has to be played by itself.
 */
export async function playTogether(
  bench: ProofBench,
  rungs: readonly OpenRung[],
  sounds: readonly OpenSound[],
): Promise<PlayedTogether | null> {
  const count = rungs.length + sounds.length;
  if (count < 2) return null;
  try {
    const groups: Group[][] = [];
    for (const rung of rungs) groups.push(await outermostGroups(bench, rung));
    const ends = rungs.map((rung, index) => endsOf(rung, groups[index]!));
    const joined = joinTracks([...ends, ...sounds.map(headOf)]);
    const { tracks, complaints } = await decodeTracks(bench, await putFile(bench, "tracks.mp4", [joined]));
    if (complaints.length > 0 || tracks.length !== count) return null;
    const decoded = tracks.map((track) => ({ ...track, complaints }));
    return {
      rungs: rungs.map((rung, index) => ({ rung, groups: groups[index]!, decoded: decoded[index]! })),
      heads: decoded.slice(rungs.length),
    };
  } catch (thrown) {
    // What cannot be taken apart is named where it is played by itself.
    if (thrown instanceof Failure && thrown.failureClass === "ours") return null;
    throw thrown;
  }
}

/** A rung by itself. */
export async function playRung(bench: ProofBench, rung: OpenRung): Promise<PlayedRung> {
  const groups = await outermostGroups(bench, rung);
  const file = await putFile(bench, "rung.mp4", [joinTracks([endsOf(rung, groups)])]);
  return { rung, groups, decoded: await decodeFile(bench, file) };
}

/** The beginning of a sound by itself, as a player gets it. */
export async function playHead(bench: ProofBench, sound: OpenSound): Promise<Decoded> {
  const { init, fragments } = headOf(sound);
  return decodeFile(bench, await putFile(bench, "head.mp4", [init, ...fragments]));
}

function endsOf({ init }: OpenRung, groups: readonly Group[]): LoneTrack {
  return { init, fragments: groups.map(({ bytes }) => bytes) };
}

/** The header and the first segment. */
function headOf({ init, cells }: OpenSound): LoneTrack {
  return { init, fragments: [cells[0]!] };
}
