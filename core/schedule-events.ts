import type { TitleRecord } from "./records/title.ts";
import { newEvent, type Outbox, outboxOf, type RecordedEvent, titleOutbox } from "./webhook-event.ts";

/** What falls due so soon is looked at again and again before it does. */
const AHEAD_MS = 3_600_000;
/** What fell due so long ago, and was foretold by nobody, is still told. */
const BACK_MS = 24 * 3_600_000;

/** The span in which schedules are looked at. */
export function scheduleSpan(now: Date): { from: Date; to: Date } {
  return { from: new Date(now.getTime() - BACK_MS), to: new Date(now.getTime() + AHEAD_MS) };
}

/**
 * The outbox that a title's schedule asks for at `now`; null where it has that. Another stands there where a release wrote the title that
 * knew no events: it foretold none, and left those standing that it undid.
 */
export function mendedOutbox(
  title: Pick<TitleRecord, "state" | "availableFrom" | "availableUntil"> & Outbox,
  now: Date,
): Required<Outbox> | null {
  // Absent: no release that foretells has ever published it or taken it down.
  const missed = title.tellAt === undefined ? missedEvents(title, now) : [];
  const mended = outboxOf([...missed, ...titleOutbox(title, title, now).outbox]);
  return spelled(mended.outbox) === spelled(title.outbox ?? []) ? null : mended;
}

function missedEvents(
  { state, availableFrom, availableUntil }: Pick<TitleRecord, "state" | "availableFrom" | "availableUntil">,
  now: Date,
): RecordedEvent[] {
  const { from } = scheduleSpan(now);
  const isMissed = (at: Date | null): at is Date => at !== null && at > from && at <= now;
  const events: RecordedEvent[] = [];
  if (state === "scheduled" && isMissed(availableFrom))
    events.push(newEvent("title.published", availableFrom));
  if ((state === "scheduled" || state === "published") && isMissed(availableUntil))
    events.push(newEvent("title.unpublished", availableUntil));
  return events;
}

/** All but the ids, in no order. */
function spelled(events: readonly RecordedEvent[]): string {
  return events
    .map(({ type, at, isForetold = false }) => `${type} ${at.toISOString()} ${isForetold}`)
    .sort()
    .join();
}
