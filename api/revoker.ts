import { GRANT_LEEWAY_SECONDS, GRANT_MAX_SECONDS, type GrantKey } from "../core/grant.ts";
import type { PlaybackRecord } from "../core/records/playback.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { NO_REVOCATIONS, type Revocations } from "../core/revocation.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import { endRevocation, listRevocations, recordRevocation } from "../stores/library/revocations.ts";
import { findAvailableTitleOfAsset } from "../stores/library/titles.ts";
import type { Log } from "../stores/log.ts";
import { publishRevocations } from "../stores/publish-revocations.ts";
import { RENEWED_GRANT_SECONDS } from "./granted-url.ts";

/** With the ten seconds in which edges look, a revocation is everywhere well within a minute. */
const REFRESH_EVERY_MS = 10_000;
/** Clocks, requests under way, an answer given once more: entries stay this much longer than they must. */
const MARGIN_SECONDS = 600;

/** Calls grants back. Each call is on record when it resolves, and at the edges within a minute. */
export interface Revoker {
  endSession(playback: PlaybackRecord): Promise<void>;
  /** A title was taken down: viewers of its asset stop, unless another title still shows it. */
  withdraw(title: TitleRecord): Promise<void>;
  /** A title is shown, now or from a later moment on: its asset may be watched again. */
  restore(title: TitleRecord, from: Date): Promise<void>;
  deleteAsset(assetId: string): Promise<void>;
  /** For ever: whoever has the key could sign at any time. It also signs no more. False where there is no such key. */
  revokeKey(kid: string): Promise<boolean>;
  /** Takes up what other processes called back and sees that the edges' list says it. */
  refresh(): Promise<void>;
  /** What is called back, as it was last read. */
  list(): Revocations;
  close(): void;
}

/** `grantKeys` is the list of keys that sign, first one first: a revoked key leaves it. */
export function openRevoker(parts: {
  library: Library;
  blobs: Blobs;
  log: Log;
  grantKeys: GrantKey[];
}): Revoker {
  const { library, blobs, log, grantKeys } = parts;
  const kids = new Set(grantKeys.map(({ kid }) => kid));
  let known: Revocations = NO_REVOCATIONS;
  const after = (seconds: number) => new Date(library.serverNow().getTime() + seconds * 1_000);
  const longest = () => after(GRANT_MAX_SECONDS + GRANT_LEEWAY_SECONDS + MARGIN_SECONDS);
  const refresh = async (): Promise<void> => {
    known = await listRevocations(library);
    const live = grantKeys.filter(({ kid }) => !known.keys.has(kid));
    if (live.length < grantKeys.length) grantKeys.splice(0, grantKeys.length, ...live);
    await publishRevocations(blobs, known);
  };
  // What is recorded is promised: the next turn publishes what this one could not.
  const tell = () => refresh().catch((thrown) => log.warn({ err: thrown }, "revocations not published yet"));
  const timer = setInterval(tell, REFRESH_EVERY_MS);
  timer.unref();
  return {
    async endSession(playback) {
      const last = after(RENEWED_GRANT_SECONDS).getTime();
      // Sessions of an older release do not say when their first grant ends.
      const first = playback.firstGrantExpiresAt ?? longest();
      const end = Math.max(last, first.getTime());
      const until = new Date(end + (GRANT_LEEWAY_SECONDS + MARGIN_SECONDS) * 1_000);
      // Every viewer who leaves comes by here: the next turn publishes them together.
      await recordRevocation(library, "sessions", playback._id, until);
    },
    async withdraw({ tenant, assetId }) {
      if (assetId === null || (await findAvailableTitleOfAsset(library, tenant, assetId)) !== null) return;
      await recordRevocation(library, "withdrawn", assetId, longest());
      await tell();
    },
    async restore({ assetId }, from) {
      if (assetId === null) return;
      await endRevocation(library, "withdrawn", assetId, from);
      if (known.withdrawn.has(assetId)) await tell();
    },
    async deleteAsset(assetId) {
      await recordRevocation(library, "assets", assetId, longest());
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
