import { compareEnvelopes, type Likeness } from "../core/envelope.ts";
import { type ProofLine, proved, untold } from "../core/proof.ts";
import type { TimeRange } from "../core/time-ranges.ts";
import type { MasterSounds } from "./hear-master.ts";
import type { Heard } from "./sound-fingerprint.ts";

/** Whether sound tracks are those of the master, and in step with them. */

/** EBU R 37: sound may be 40 ms early or 60 ms late before people notice. */
const LARGEST_OFFSET_SECONDS = 0.04;

/** Coding, gain and limiter leave a track this much like its master; another language is never that much better. */
const LEAST_LIKE = 0.6;

const CLEARLY_MORE_LIKE = 0.05;
/** A decoder that begins shortly before damage may come out of it elsewhere than one that has heard all. */
const DAMAGE_REACH_SECONDS = 1;

/** Compares one track with the master's in those windows in which the master is not `damaged`, on the film's clock. */
export function compareWithMaster(
  { part, attributes, track, windows: all }: Heard,
  master: MasterSounds,
  damaged: readonly TimeRange[],
): ProofLine[] {
  if (track === undefined || track.file !== null)
    return [untold(part, "identity", "the track was not in the master")];
  const windows = all.map((window) => ({ ...window, isIntact: !meetsAny(window, damaged) }));
  if (!windows.some(({ isIntact }) => isIntact))
    return (["identity", "sync"] as const).map((check) => untold(part, check, "the master is damaged there"));
  const ids = [...new Set([...master.values()].flatMap((tracks) => [...tracks.keys()]))];
  const likenesses = new Map(
    ids.map((id) => [
      id,
      windows.flatMap(({ envelope: heard, isIntact }, index) => {
        const wanted = isIntact ? master.get(index)?.get(id) : undefined;
        return (wanted && compareEnvelopes(heard, wanted)) ?? [];
      }),
    ]),
  );
  const own = likenesses.get(track.id) ?? [];
  const language = attributes.get("LANGUAGE") ?? "und";
  const named = language === track.language ? [] : [`called ${language}, and it is ${track.language}`];
  const others = ids
    .filter((id) => id !== track.id)
    .map((id) => ({ id, alike: meanOf(likenesses.get(id) ?? []) }));
  return [identity(part, own, others, named), sync(part, own)];
}

function meetsAny(window: { startSeconds: number; seconds: number }, damaged: readonly TimeRange[]): boolean {
  const from = window.startSeconds - DAMAGE_REACH_SECONDS;
  const to = window.startSeconds + window.seconds + DAMAGE_REACH_SECONDS;
  return damaged.some(({ startSeconds, endSeconds }) => startSeconds < to && endSeconds > from);
}

function meanOf(likenesses: readonly Likeness[]): number | null {
  if (likenesses.length === 0) return null;
  return likenesses.reduce((sum, { correlation }) => sum + correlation, 0) / likenesses.length;
}

/** Whether a track sounds like the one of the master that it should be, more than like any other. */
function identity(
  part: string,
  own: readonly Likeness[],
  others: readonly { id: string; alike: number | null }[],
  named: readonly string[],
): ProofLine {
  const alike = meanOf(own);
  // Nothing is heard in its own: then another would have to be unmistakable.
  const enough = alike === null ? LEAST_LIKE : alike + CLEARLY_MORE_LIKE;
  const mistaken = others.filter((other) => other.alike !== null && other.alike > enough);
  if (alike === null && mistaken.length === 0 && named.length === 0)
    return untold(part, "identity", "silence or an even sound: nothing to know it by");
  const faults = [
    ...named,
    ...(alike !== null && alike < LEAST_LIKE ? [`unlike the master's track (${alike.toFixed(2)})`] : []),
    ...mistaken.map(
      (other) => `more like ${other.id} (${other.alike?.toFixed(2)}) than its own (${alike?.toFixed(2)})`,
    ),
  ];
  return proved(part, "identity", faults, `like the master's track (${alike?.toFixed(2)})`);
}

/** How far the sound is from where it was beside the picture. */
function sync(part: string, own: readonly Likeness[]): ProofLine {
  const lags = own
    .filter(({ correlation, isLagClear }) => isLagClear && correlation >= LEAST_LIKE)
    .map(({ lagSeconds }) => lagSeconds);
  if (lags.length === 0) return untold(part, "sync", "no clear beginning or end of a sound to measure by");
  const largest = lags.reduce((most, lag) => (Math.abs(lag) > Math.abs(most) ? lag : most));
  const told = `${Math.round(largest * 1000)} ms`;
  return proved(part, "sync", Math.abs(largest) > LARGEST_OFFSET_SECONDS ? [`off by ${told}`] : [], told);
}
