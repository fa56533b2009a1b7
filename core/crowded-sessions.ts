import { addressDigits } from "./grant-limits.ts";

/**
 * Sessions that are asked for from more places at once than the people of one household are at: their link goes round (RELIABILITY T29).
 * An edge counts for itself, tells the API which they are, and no address of anybody.
 */

export const CROWDED_SESSIONS_PATH = "/edge-crowded-sessions";
/** So many are told of at once. */
export const MOST_CROWDED = 500;

/** The API's own: `ps_` ids, of viewers. Editors' previews and the grants for pictures, which all share, are not counted. */
export const VIEWER_SESSION = /^ps_[A-Za-z0-9_-]{1,61}$/;

const WINDOW_SECONDS = 60;
/** Of all sessions together: some ten megabytes at most. What comes beyond it is not counted in that minute. */
const MOST_PLACES = 100_000;
/** Of an IPv6 address, with the digit that says which it is: a device has many within its network. */
const PLACE_DIGITS = 1 + 64 / 4;

export interface CrowdedSessions {
  /** One request under a good grant. An address that nobody knows is no place. */
  note(session: string, address: string | null, nowSeconds: number): void;
  /** Those that had more than the cap's places within a minute and were not taken in it, at most `MOST_CROWDED`. */
  take(): string[];
}

/** Counts from how many places each session is asked for, a minute at a time; `mostPlaces` of them are one household's. */
export function countPlaces(mostPlaces: number): CrowdedSessions {
  const places = new Map<string, Set<string>>();
  const crowded = new Set<string>();
  let placesInAll = 0;
  let untilSeconds = Number.NEGATIVE_INFINITY;
  const startAnew = (nowSeconds: number): void => {
    places.clear();
    placesInAll = 0;
    untilSeconds = nowSeconds + WINDOW_SECONDS;
  };
  return {
    note(session, address, nowSeconds) {
      if (!VIEWER_SESSION.test(session)) return;
      if (nowSeconds >= untilSeconds) startAnew(nowSeconds);
      const place = addressDigits(address ?? "")?.slice(0, PLACE_DIGITS);
      const known = places.get(session) ?? new Set();
      // One that has too many has been told of.
      if (place === undefined || known.has(place) || known.size > mostPlaces || placesInAll >= MOST_PLACES)
        return;
      places.set(session, known.add(place));
      placesInAll += 1;
      if (known.size > mostPlaces) crowded.add(session);
    },
    take() {
      const taken = [...crowded].slice(0, MOST_CROWDED);
      for (const session of taken) crowded.delete(session);
      return taken;
    },
  };
}
