import { createHash } from "node:crypto";
import type { Filter, IndexDescription } from "mongodb";
import type { PlaybackRecord, PositionRecord } from "../../core/records.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";

export const PLAYBACK_INDEXES: IndexDescription[] = [{ key: { tenant: 1, subject: 1, createdAt: -1 } }];
export const POSITION_INDEXES: IndexDescription[] = [{ key: { tenant: 1, subject: 1, positionAt: -1 } }];

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
 * position. A preview without a title leaves none.
 */
export async function recordPosition(
  library: Library,
  { tenant, subject, titleId }: PlaybackRecord,
  positionSeconds: number,
  positionAt: Date,
): Promise<void> {
  if (titleId === null) return;
  const place = { _id: positionId(tenant, subject, titleId), tenant, subject, titleId };
  const change = { $set: { positionSeconds, positionAt } };
  const earlier: Filter<PositionRecord> = { _id: place._id, positionAt: { $lt: positionAt } };
  const moved = await fromDriver(library.positions.updateOne(earlier, change));
  if (moved.matchedCount === 1) return;
  try {
    await fromDriver(library.positions.insertOne({ ...place, positionSeconds, positionAt }));
  } catch (thrown) {
    // It is there already, with a later moment.
    if (!isDuplicateKey(thrown)) throw thrown;
  }
}

/** Hashed, since an account's name may be of any length and hold any character. */
function positionId(tenant: string, subject: string, titleId: string): string {
  return createHash("sha256")
    .update(JSON.stringify([tenant, subject, titleId]))
    .digest("hex");
}

/** Ends the session; asking again changes nothing. */
export async function endPlayback(library: Library, playback: PlaybackRecord): Promise<void> {
  const alive: Filter<PlaybackRecord> = { ...own(playback), endedAt: null };
  await fromDriver(library.playbacks.updateOne(alive, { $set: { endedAt: library.serverNow() } }));
}

function own({ _id, tenant, subject }: PlaybackRecord): Filter<PlaybackRecord> {
  return { _id, tenant, subject };
}

/** Where this account left its titles, the last watched first. */
export async function listPositions(
  library: Library,
  tenant: string,
  subject: string,
  limit: number,
): Promise<PositionRecord[]> {
  const query = library.positions.find({ tenant, subject }, { maxTimeMS: 2_000 });
  return fromDriver(query.sort({ positionAt: -1 }).limit(limit).toArray());
}

/** Where this account left the title, or null where it never watched it. */
export async function findPosition(
  library: Library,
  tenant: string,
  subject: string,
  titleId: string,
): Promise<PositionRecord | null> {
  return fromDriver(library.positions.findOne({ _id: positionId(tenant, subject, titleId) }));
}
