import { GRANT_MAX_SECONDS } from "./grant.ts";

/** For pauses and going back: beside the film once more, at least this. */
const ROOM_SECONDS = 1_800;
/** A film of minutes may be left paused for as long as people are called to the door. */
const SHORTEST_SECONDS = 3_600;

/**
 * Seconds for which a grant lasts whose player cannot renew it: twice the film's length and half an hour, one hour at least. Never
 * more than verifiers take, which is less than the film itself from a length of twelve hours on: it then needs a second session.
 */
export function lastingGrantSeconds(durationSeconds: number): number {
  const wanted = Math.ceil(2 * durationSeconds) + ROOM_SECONDS;
  return Math.min(Math.max(wanted, SHORTEST_SECONDS), GRANT_MAX_SECONDS);
}
