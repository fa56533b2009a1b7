import { GRANT_LEEWAY_SECONDS, GRANT_MAX_SECONDS } from "../core/grant.ts";
import type { PlaybackRecord } from "../core/records/playback.ts";
import type { TitleRecord } from "../core/records/title.ts";
import type { Library } from "../stores/library/connect.ts";
import { endPlaybacks, listLiveSessions } from "../stores/library/playbacks.ts";
import { recordSessionRevocations } from "../stores/library/revocations.ts";
import { RENEWED_GRANT_SECONDS } from "./granted-url.ts";

/** Clocks, requests under way, an answer given once more: entries stay this much longer than they must. */
const MARGIN_SECONDS = 600;
/** How many sessions go in one command. */
const TOGETHER = 500;

/**
 * Ends those live sessions of a title that `isOver` tells, each for good; how many. Their grants are called back before their
 * records say that they are over: whatever ends in between, the same call again does the rest.
 */
export async function stopViewers(
  library: Library,
  { tenant, _id: titleId }: TitleRecord,
  isOver: (playback: PlaybackRecord) => boolean,
): Promise<number> {
  const over = (await listLiveSessions(library, tenant, titleId)).filter(isOver);
  const now = library.serverNow();
  for (let at = 0; at < over.length; at += TOGETHER) {
    const some = over.slice(at, at + TOGETHER);
    const called = some.map((playback) => ({ session: playback._id, until: lastGrantEnds(playback, now) }));
    await recordSessionRevocations(library, called);
    await endPlaybacks(library, some);
  }
  return over.length;
}

/** When no grant of a session is good any more that gets no further one: the first is the longest, later ones are renewed. */
export function lastGrantEnds({ firstGrantExpiresAt }: PlaybackRecord, now: Date): Date {
  const renewed = after(now, RENEWED_GRANT_SECONDS).getTime();
  // Sessions of an older release do not say when their first grant ends.
  const first = firstGrantExpiresAt ?? after(now, GRANT_MAX_SECONDS);
  return after(new Date(Math.max(renewed, first.getTime())), GRANT_LEEWAY_SECONDS + MARGIN_SECONDS);
}

/** When no grant of any session is good any more that is given up to now. */
export function longestGrantEnds(now: Date): Date {
  return after(now, GRANT_MAX_SECONDS + GRANT_LEEWAY_SECONDS + MARGIN_SECONDS);
}

function after(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1_000);
}
