import type { Filter, IndexDescription } from "mongodb";
import type { PlaybackRecord, PositionRecord } from "../../core/records/playback.ts";
import type { Library } from "./connect.ts";
import { duplicatesIn, fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { hashedId } from "./hashed-id.ts";

/** After its end a session is told of as over for so long; then it is forgotten. */
const KEPT_SECONDS = 7 * 24 * 3_600;
export const PLAYBACK_INDEXES: IndexDescription[] = [
  { key: { expiresAt: 1 }, expireAfterSeconds: KEPT_SECONDS },
  { key: { titleId: 1, expiresAt: 1 } },
];
export const POSITION_INDEXES: IndexDescription[] = [{ key: { tenant: 1, subject: 1, positionAt: -1 } }];

/** Keeps each session. One whose id is there already (the same request) gives the one that is there. */
export async function insertPlaybacks(
  library: Library,
  playbacks: readonly PlaybackRecord[],
): Promise<PlaybackRecord[]> {
  const known = await duplicatesIn(library.playbacks.insertMany([...playbacks], { ordered: false }));
  const there = async (playback: PlaybackRecord): Promise<PlaybackRecord> => {
    const { tenant, subject, _id } = playback;
    const existing = await findPlayback(library, tenant, subject, _id);
    if (existing === null) throw new RangeError("a session's id is another account's");
    return existing;
  };
  return Promise.all(
    playbacks.map((playback, index) => (known.includes(index) ? there(playback) : playback)),
  );
}

/** The account's own session, or null. */
export async function findPlayback(
  library: Library,
  tenant: string,
  subject: string,
  id: string,
): Promise<PlaybackRecord | null> {
  const playback = await findTenantPlayback(library, tenant, id);
  return playback?.subject === subject ? playback : null;
}

/** The session of whichever account of the tenant, or null. */
export async function findTenantPlayback(
  library: Library,
  tenant: string,
  id: string,
): Promise<PlaybackRecord | null> {
  // By its id alone: the stand-in would look through all sessions where a filter says more.
  const playback = await fromDriver(library.playbacks.findOne({ _id: id }));
  return playback?.tenant === tenant ? playback : null;
}

/** The sessions of these ids that are known, whosever they are: for those who have the ids from grants. */
export async function findPlaybacks(library: Library, ids: readonly string[]): Promise<PlaybackRecord[]> {
  return fromDriver(library.playbacks.find({ _id: { $in: [...ids] } }).toArray());
}

/** Where the viewer was at a moment, by the player's own clock and by ours. */
export interface Place {
  positionSeconds: number;
  /** By the player's, as far as it can be one. */
  saidAt: Date;
  /** By ours: no later than now. */
  positionAt: Date;
}

/**
 * Notes where the viewer is. Order and repeats do not matter: only a later moment than the one known moves the
 * position, and of two at one moment the place further on. What one session says is ordered by its own clock, which
 * may be wrong but is one; sessions beside each other by ours. A preview without a title leaves none.
 */
export async function recordPosition(
  library: Library,
  { tenant, subject, titleId, _id: sessionId }: PlaybackRecord,
  { positionSeconds, saidAt, positionAt }: Place,
): Promise<void> {
  if (titleId === null) return;
  const place = { _id: positionId(tenant, subject, titleId), tenant, subject, titleId };
  const change = { positionSeconds, positionAt, saidAt, sessionId };
  const earlier: Filter<PositionRecord> = {
    _id: place._id,
    $or: [
      { sessionId, saidAt: { $lt: saidAt } },
      { sessionId, saidAt, positionSeconds: { $lt: positionSeconds } },
      { sessionId: { $ne: sessionId }, positionAt: { $lt: positionAt } },
    ],
  };
  const move = () => fromDriver(library.positions.updateOne(earlier, { $set: change }));
  if ((await move()).matchedCount === 1) return;
  try {
    await fromDriver(library.positions.insertOne({ ...place, ...change }));
  } catch (thrown) {
    if (!isDuplicateKey(thrown)) throw thrown;
    // It was there with a later moment, or came in between with an earlier one.
    await move();
  }
}

export function positionId(tenant: string, subject: string, titleId: string): string {
  return hashedId(tenant, subject, titleId);
}

/** Ends the session, as it was found; asking again changes nothing. */
export async function endPlayback(library: Library, { _id, endedAt }: PlaybackRecord): Promise<void> {
  if (endedAt !== null) return;
  await fromDriver(library.playbacks.updateOne({ _id }, { $set: { endedAt: library.serverNow() } }));
}

/** Sessions of a title that nobody has ended and that are not a day old: each may hold a grant. */
export async function listLiveSessions(
  library: Library,
  tenant: string,
  titleId: string,
): Promise<PlaybackRecord[]> {
  const filter: Filter<PlaybackRecord> = { titleId, expiresAt: { $gt: library.serverNow() } };
  const found = await fromDriver(library.playbacks.find(filter, { maxTimeMS: 20_000 }).toArray());
  return found.filter((playback) => playback.tenant === tenant && playback.endedAt === null);
}

/** Ends all of these sessions. */
export async function endPlaybacks(library: Library, playbacks: readonly PlaybackRecord[]): Promise<void> {
  const ids = playbacks.map(({ _id }) => _id);
  const ended = { $set: { endedAt: library.serverNow() } };
  await fromDriver(library.playbacks.updateMany({ _id: { $in: ids } }, ended));
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
