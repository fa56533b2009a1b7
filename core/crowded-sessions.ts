import { addressDigits } from "./grant-limits.ts";

/**
 * Sessions that are asked for from more places, and for longer, than the people of one household are at, whatever network they are in: their
 * link goes round (RELIABILITY T29). An edge counts for itself, tells the API which they are, and no address of anybody.
 */

export const CROWDED_SESSIONS_PATH = "/edge-crowded-sessions";
/** So many are told of at once. */
export const MOST_CROWDED = 500;

/**
 * One household's, and more than any viewer's: carriers and gateways lend each connection another address of a pool, and a player that opens
 * one for each segment of picture, sound and text, six seconds each, has thirty a minute, however large the pool.
 */
export const PLACES_PER_SESSION = 40;

/** The API's own: `ps_` ids, of viewers. Editors' previews and the grants for pictures, which all share, are not counted. */
export const VIEWER_SESSION = /^ps_[A-Za-z0-9_-]{1,61}$/;

const WINDOW_SECONDS = 60;
/** So many in a row: a link that goes round is watched for longer; a buffer is filled, and who jumps through a film has found the place. */
const CROWDED_WINDOWS = 3;
/** Of all sessions together: some ten megabytes at most. What comes beyond it is not counted in that minute. */
const MOST_PLACES = 100_000;
/** Of an IPv6 address, with the digit that says which it is: a device has many within its network. */
const PLACE_DIGITS = 1 + 64 / 4;

export interface CrowdedSessions {
  /** One request under a good grant. An address that nobody knows is no place. */
  note(session: string, address: string | null, nowSeconds: number): void;
  /**
   * Those that had more than the cap's places in each of three minutes in a row, at most `MOST_CROWDED`; each once in every further
   * minute of the kind.
   */
  take(): string[];
}

/** Counts from how many places each session is asked for, a minute at a time; as many as `mostPlaces` are one household's. */
export function countPlaces(mostPlaces: number): CrowdedSessions {
  const places = new Map<string, Set<string>>();
  const crowded = new Set<string>();
  /** How many minutes in a row a session has been crowded, up to the last one and up to this one. */
  let before = new Map<string, number>();
  let rows = new Map<string, number>();
  let placesInAll = 0;
  let sinceSeconds = Number.NEGATIVE_INFINITY;
  const startAnew = (nowSeconds: number): void => {
    const passedSeconds = nowSeconds - sinceSeconds;
    // Neither behind a minute in which nobody asked, nor where the clock was set back, does a row go on.
    before = passedSeconds >= 0 && passedSeconds < 2 * WINDOW_SECONDS ? rows : new Map();
    rows = new Map();
    places.clear();
    placesInAll = 0;
    sinceSeconds = nowSeconds;
  };
  return {
    note(session, address, nowSeconds) {
      if (!VIEWER_SESSION.test(session)) return;
      if (nowSeconds < sinceSeconds || nowSeconds >= sinceSeconds + WINDOW_SECONDS) startAnew(nowSeconds);
      const place = addressDigits(address ?? "")?.slice(0, PLACE_DIGITS);
      const known = places.get(session) ?? new Set();
      // One that has too many is counted among the crowded.
      if (place === undefined || known.has(place) || known.size > mostPlaces || placesInAll >= MOST_PLACES)
        return;
      places.set(session, known.add(place));
      placesInAll += 1;
      if (known.size <= mostPlaces) return;
      const inRow = (before.get(session) ?? 0) + 1;
      rows.set(session, inRow);
      if (inRow >= CROWDED_WINDOWS) crowded.add(session);
    },
    take() {
      const taken = [...crowded].slice(0, MOST_CROWDED);
      for (const session of taken) crowded.delete(session);
      return taken;
    },
  };
}
