import type { StreamRecord } from "./records/account.ts";

/** One thing that plays for an account. */
export interface Stream extends StreamRecord {
  sessionId: string;
}

/** What an account wants to begin, and what it may give up for that. */
export interface StreamWish {
  sessionId: string;
  /** `true`: the oldest ones, as many as must; a session's id: that one. */
  takeover: boolean | string;
  /** How many may play at once; 0 is any number. */
  limit: number;
}

export type StreamVerdict =
  /** Room is made by ending these (none, where there is room) and by forgetting those whose time is over. */
  | { kind: "admitted"; ends: Stream[]; forgets: string[] }
  /** These play, oldest first. */
  | { kind: "full"; live: Stream[] };

/** What plays at `now`, oldest first: whoever holds a grant that is still good. */
export function liveStreams(streams: Readonly<Record<string, StreamRecord>>, now: Date): Stream[] {
  return Object.entries(streams)
    .map(([sessionId, stream]) => ({ sessionId, ...stream }))
    .filter(({ until }) => until > now)
    .sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime() || (a.sessionId < b.sessionId ? -1 : 1));
}

/** Whether one more may begin. A session that plays already takes no second place. */
export function admitStream(
  streams: Readonly<Record<string, StreamRecord>>,
  { sessionId, takeover, limit }: StreamWish,
  now: Date,
): StreamVerdict {
  const playing = liveStreams(streams, now);
  const live = playing.filter((stream) => stream.sessionId !== sessionId);
  const forgets = Object.keys(streams).filter(
    (id) => id !== sessionId && !playing.some((stream) => stream.sessionId === id),
  );
  const tooMany = limit === 0 ? 0 : live.length + 1 - limit;
  if (tooMany <= 0) return { kind: "admitted", ends: [], forgets };
  const chosen =
    takeover === true
      ? live.slice(0, tooMany)
      : live.filter((stream) => takeover !== false && stream.sessionId === takeover);
  if (chosen.length < tooMany) return { kind: "full", live };
  return { kind: "admitted", ends: chosen, forgets };
}
