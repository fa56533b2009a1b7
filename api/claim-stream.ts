import { Failure } from "../core/errors.ts";
import { GRANT_LEEWAY_SECONDS } from "../core/grant.ts";
import type { AccountRecord } from "../core/records/account.ts";
import type { PlaybackRecord } from "../core/records/playback.ts";
import { admitStream, type Stream } from "../core/streams.ts";
import { forgetStream } from "../stores/library/accounts.ts";
import { endPlayback, findPlayback } from "../stores/library/playbacks.ts";
import { endReport } from "../stores/library/reports.ts";
import type { ApiDeps } from "./deps.ts";
import { inLanguage } from "./title-view.ts";

type Deps = Pick<ApiDeps, "config" | "library" | "desk" | "revoker">;

export interface StreamClaim {
  playback: PlaybackRecord;
  /** What its newest grant says of its end. */
  until: Date;
  takeover: boolean | string;
  /** Of the viewer, for the names in a refusal. */
  languages: readonly string[];
}

/** Others of the account may write in between, each of them once before the account is full. */
const SPARE_TRIES = 20;

/**
 * Counts the session among those that its account plays, and ends others first where it may take over. Throws 409
 * `too_many_streams`, which names what plays. Nothing is counted where the limit is off, or of an editor's preview.
 */
export async function claimStream(deps: Deps, read: AccountRecord | null, claim: StreamClaim): Promise<void> {
  const { config, library, desk } = deps;
  const { _id: sessionId, tenant, subject, titleId, createdAt: startedAt } = claim.playback;
  const limit = config.streamsPerAccount;
  if (limit === 0 || titleId === null) return;
  // So long edges take that grant.
  const newest = new Date(claim.until.getTime() + GRANT_LEEWAY_SECONDS * 1000);
  let known = read;
  for (let tries = limit + SPARE_TRIES; tries > 0; tries--) {
    const streams = known?.streams ?? {};
    const wish = { sessionId, takeover: claim.takeover, limit };
    const verdict = admitStream(streams, wish, library.serverNow());
    if (verdict.kind === "full") throw await tooManyStreams(deps, claim, verdict.live);
    // Before the place is given away: a crash in between leaves a place free, never one that two have. Edges, which go by
    // a list, follow within a minute.
    for (const ended of verdict.ends) {
      const playback = await findPlayback(library, tenant, subject, ended.sessionId);
      if (playback !== null) await endWatching(deps, playback);
    }
    const last = streams[sessionId]?.until ?? newest;
    const until = last > newest ? last : newest;
    const forgets = [...verdict.forgets, ...verdict.ends.map((stream) => stream.sessionId)];
    const version = known?.version ?? 0;
    const stream = { titleId, startedAt, until };
    if (await desk.claim({ tenant, subject, version, sessionId, stream, forgets })) return;
    known = await desk.account({ tenant, subject });
  }
  throw new Failure("transient", "account_busy", "Too much begins at once for this account.", {
    retryAfterSeconds: 1,
  });
}

/** Ends a session for good: no new grant, the old ones called back, its place free, its report waited for no longer. */
export async function endSession(deps: Deps, playback: PlaybackRecord): Promise<void> {
  await endWatching(deps, playback);
  if (deps.config.streamsPerAccount > 0) await forgetStream(deps.library, playback);
}

/** The same but for the place: that is freed by who takes it. */
async function endWatching({ library, revoker }: Deps, playback: PlaybackRecord): Promise<void> {
  await endPlayback(library, playback);
  await revoker.endSession(playback);
  await endReport(library, playback._id);
}

async function tooManyStreams(
  { config, desk }: Deps,
  { playback: { tenant }, languages }: StreamClaim,
  live: readonly Stream[],
): Promise<Failure> {
  const titles = await Promise.all(live.map(({ titleId }) => desk.title({ tenant, id: titleId })));
  const streams = live.map(({ sessionId, titleId, startedAt }, index) => ({
    sessionId,
    titleId,
    title: inLanguage(titles[index]?.name ?? {}, languages),
    startedAt: startedAt.toISOString(),
  }));
  const limit = config.streamsPerAccount;
  const message = `This account may watch ${limit} at once. Stop one, or send "takeover".`;
  return new Failure("request", "too_many_streams", message, { status: 409, details: { limit, streams } });
}
