import { isAvailable } from "../core/availability.ts";
import { GRANT_MAX_SECONDS, type GrantKey } from "../core/grant.ts";
import type { PlaybackRecord } from "../core/records/playback.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { NO_REVOCATIONS, type Revocations } from "../core/revocation.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import { endRevocation, listRevocations, recordRevocation } from "../stores/library/revocations.ts";
import { assetShownFrom, listEndedWindows } from "../stores/library/titles.ts";
import type { Log } from "../stores/log.ts";
import { publishRevocations } from "../stores/publish-revocations.ts";
import { lastGrantEnds, longestGrantEnds, stopViewers } from "./stop-viewers.ts";

/** With the ten seconds in which edges look, a revocation is everywhere well within a minute. */
const REFRESH_EVERY_MS = 10_000;

/** An end that lies just ahead when it is set may be gone by when it is written: each turn looks back so far behind the one before. */
const OVERLAP_MS = 5_000;

/** Calls grants back. Each call is on record when it resolves, and at the edges within a minute. */
export interface Revoker {
  endSession(playback: PlaybackRecord): Promise<void>;
  /**
   * Titles were taken down, or their time is yet to come: their viewers stop, until a title shows the asset again, and not those
   * of another title that shows it. The edges are told once of all of them.
   */
  withdraw(titles: readonly TitleRecord[]): Promise<void>;
  /** A title is shown, but perhaps not everywhere any more: those who may not watch it stop for good. */
  confine(title: TitleRecord): Promise<void>;
  /** A title is shown, now or from a later moment on: its asset may be watched again. */
  restore(title: TitleRecord, from: Date): Promise<void>;
  deleteAsset(assetId: string): Promise<void>;
  /** For ever: whoever has the key could sign at any time. It also signs no more. False where there is no such key. */
  revokeKey(kid: string): Promise<boolean>;
  /** Other keys are set from now on, the signing one first. Of them the revoked ones do not count. */
  takeKeys(keys: readonly GrantKey[]): void;
  /**
   * Withdraws titles whose time is over since it was last looked, since grants that were given before that end was set last
   * longer, and tells the edges once what is called back by now. One after the other, however many ask.
   */
  closeWindows(): Promise<void>;
  /** Takes up what other processes called back and sees that the edges' list says it. */
  refresh(): Promise<void>;
  /** What is called back, as it was last read. */
  list(): Revocations;
  close(): void;
}

/** `grantKeys` is the list of keys that sign, first one first: a revoked key leaves it, others may come in its place. */
export function openRevoker(parts: {
  library: Library;
  blobs: Blobs;
  log: Log;
  grantKeys: GrantKey[];
}): Revoker {
  const { library, blobs, log, grantKeys } = parts;
  // Those that were set before as well: grants of theirs may still be good somewhere.
  const kids = new Set<string>();
  let known: Revocations = NO_REVOCATIONS;
  const takeKeys = (keys: readonly GrantKey[]): void => {
    for (const { kid } of keys) kids.add(kid);
    grantKeys.splice(0, grantKeys.length, ...keys.filter(({ kid }) => !known.keys.has(kid)));
  };
  takeKeys(grantKeys);
  const refresh = async (): Promise<void> => {
    known = await listRevocations(library);
    takeKeys(grantKeys);
    await publishRevocations(blobs, known);
  };
  // What is recorded is promised: the next turn publishes what this one could not.
  const tell = () => refresh().catch((thrown) => log.warn({ err: thrown }, "revocations not published yet"));
  const callBack = async (title: TitleRecord): Promise<void> => {
    const { tenant, assetId } = title;
    const now = library.serverNow();
    const shownFrom = assetId === null ? null : await assetShownFrom(library, tenant, assetId);
    const isShown = shownFrom !== null && shownFrom <= now;
    // One entry for all of them, until another title is to show the asset. Beside viewers of another title, and of an asset
    // that the title had before, each is called back by itself.
    if (assetId !== null && !isShown)
      await recordRevocation(library, "withdrawn", assetId, shownFrom ?? longestGrantEnds(now));
    await stopViewers(library, title, (playback) => isShown || playback.assetId !== assetId);
  };
  // Whoever looked before this process may have died over it: as far back as a grant can last.
  let closedUntil = new Date(library.serverNow().getTime() - GRANT_MAX_SECONDS * 1_000);
  let closed = new Set<string>();
  const closeEnded = async (): Promise<void> => {
    const now = library.serverNow();
    const ended = await listEndedWindows(library, closedUntil, now);
    for (const title of ended) {
      if (closed.has(versionOf(title))) continue;
      await callBack(title);
      closed.add(versionOf(title));
    }
    closed = new Set(ended.map(versionOf));
    closedUntil = new Date(now.getTime() - OVERLAP_MS);
  };
  let turns = Promise.resolve();
  let turnsLeft = 0;
  const closeWindows = async (): Promise<void> => {
    turnsLeft += 1;
    turns = turns
      .then(closeEnded)
      .catch((thrown) => log.warn({ err: thrown }, "titles not withdrawn yet"))
      .then(tell);
    await turns;
    turnsLeft -= 1;
  };
  const timer = setInterval(() => {
    // A turn that takes longer than its time is not joined by the next.
    if (turnsLeft === 0) void closeWindows();
  }, REFRESH_EVERY_MS);
  timer.unref();
  return {
    async endSession(playback) {
      // Every viewer who leaves comes by here: the next turn publishes them together.
      const until = lastGrantEnds(playback, library.serverNow());
      await recordRevocation(library, "sessions", playback._id, until);
    },
    async withdraw(titles) {
      await Promise.all(titles.map(callBack));
      await tell();
    },
    async confine(title) {
      const now = library.serverNow();
      const stopped = await stopViewers(
        library,
        title,
        ({ country }) => !isAvailable(title, now, country ?? null),
      );
      if (stopped > 0) await tell();
    },
    takeKeys,
    closeWindows,
    async restore({ assetId }, from) {
      if (assetId === null) return;
      await endRevocation(library, "withdrawn", assetId, from);
      if (known.withdrawn.has(assetId)) await tell();
    },
    async deleteAsset(assetId) {
      await recordRevocation(library, "assets", assetId, longestGrantEnds(library.serverNow()));
      await tell();
    },
    async revokeKey(kid) {
      if (!kids.has(kid)) return false;
      await recordRevocation(library, "keys", kid, null);
      await tell();
      return true;
    },
    refresh,
    list: () => known,
    close: () => clearInterval(timer),
  };
}

/** A title as it is: changed since, it is to be looked at anew. */
function versionOf({ _id, version }: TitleRecord): string {
  return `${_id} ${version}`;
}
