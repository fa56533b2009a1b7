import type { Filter, IndexDescription } from "mongodb";
import type { PlaybackRecord } from "../../core/records.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";

export const PLAYBACK_INDEXES: IndexDescription[] = [{ key: { tenant: 1, subject: 1, positionAt: -1 } }];

/** Keeps the session. The same id again (the same request) gives the one that is there. */
export async function createPlayback(library: Library, playback: PlaybackRecord): Promise<PlaybackRecord> {
  try {
    await fromDriver(library.playbacks.insertOne(playback));
    return playback;
  } catch (thrown) {
    const { tenant, subject, _id } = playback;
    const existing = isDuplicateKey(thrown) ? await findPlayback(library, tenant, subject, _id) : null;
    if (existing === null) throw thrown;
    return existing;
  }
}

/** The account's own session, or null. */
export async function findPlayback(
  library: Library,
  tenant: string,
  subject: string,
  id: string,
): Promise<PlaybackRecord | null> {
  return fromDriver(library.playbacks.findOne({ _id: id, tenant, subject }));
}

/**
 * Notes where the viewer is. Order and repeats do not matter: only a later moment than the one known moves the
 * position.
 */
export async function recordPosition(
  library: Library,
  playback: PlaybackRecord,
  positionSeconds: number,
  at: Date,
): Promise<void> {
  const earlier: Filter<PlaybackRecord> = { ...own(playback), positionAt: { $lt: at } };
  await fromDriver(library.playbacks.updateOne(earlier, { $set: { positionSeconds, positionAt: at } }));
}

/** Ends the session; asking again changes nothing. */
export async function endPlayback(library: Library, playback: PlaybackRecord): Promise<void> {
  const alive: Filter<PlaybackRecord> = { ...own(playback), endedAt: null };
  await fromDriver(library.playbacks.updateOne(alive, { $set: { endedAt: library.serverNow() } }));
}

function own({ _id, tenant, subject }: PlaybackRecord): Filter<PlaybackRecord> {
  return { _id, tenant, subject };
}

/** The latest session per title of this account, most recent first. */
export async function listRecentPlaybacks(
  library: Library,
  tenant: string,
  subject: string,
  limit: number,
): Promise<PlaybackRecord[]> {
  const query = library.playbacks.find({ tenant, subject }, { maxTimeMS: 2_000 });
  const sessions = await fromDriver(query.sort({ positionAt: -1 }).limit(200).toArray());
  const latest = new Map<string, PlaybackRecord>();
  for (const session of sessions) {
    if (session.titleId !== null && !latest.has(session.titleId)) latest.set(session.titleId, session);
  }
  return [...latest.values()].slice(0, limit);
}

/** Where this account left the title, or null where it never watched it. */
export async function findLatestPlayback(
  library: Library,
  tenant: string,
  subject: string,
  titleId: string,
): Promise<PlaybackRecord | null> {
  return fromDriver(library.playbacks.findOne({ tenant, subject, titleId }, { sort: { positionAt: -1 } }));
}
