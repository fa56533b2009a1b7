import { titleStateAt } from "./availability.ts";
import { newId } from "./ids.ts";
import type { AssetError, AssetRecord, AssetState } from "./records/asset.ts";
import type { TitleRecord } from "./records/title.ts";
import type { UploadRecord } from "./records/upload.ts";

/** What other systems are told of, by webhooks. */
export const EVENT_TYPES = [
  "upload.completed",
  "asset.playable",
  "asset.ready",
  "asset.failed",
  "asset.deleted",
  "title.published",
  "title.unpublished",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** What the write that an event stands in knows of it; the rest is taken from the record when it is told. */
export interface EventFacts {
  state?: AssetState;
  generation?: string;
  error?: AssetError;
  /** A master that was fetched: the asset may have another one by the time that it is told. */
  fetched?: { filename: string; sizeBytes: number };
}

/**
 * An event as it stands in the record that it is of, written by the same update as the change itself: whoever sees the one
 * sees the other. It stays there until its deliveries are on record.
 */
export interface RecordedEvent {
  /** An `ev_` id: what receivers know it by, however often it comes. */
  id: string;
  type: EventType;
  at: Date;
  facts: EventFacts;
  /** Not yet so when it was written: a title is published or taken down by the clock alone. */
  isForetold?: true;
}

/** What a record has of events that are still to be told. */
export interface Outbox {
  outbox?: RecordedEvent[];
  /** When the first of them is due; null or absent: there is none. */
  tellAt?: Date | null;
}

export function newEvent(type: EventType, at: Date, facts: EventFacts = {}): RecordedEvent {
  return { id: newId("ev"), type, at, facts };
}

/** Whether it has come to pass. */
export function isDue({ at, isForetold }: RecordedEvent, now: Date): boolean {
  return isForetold === undefined || at <= now;
}

/** An outbox of just these. */
export function outboxOf(events: readonly RecordedEvent[]): Required<Outbox> {
  const first = events.reduce<Date | null>((least, { at }) => (least && least < at ? least : at), null);
  return { outbox: [...events], tellAt: first };
}

type Publicity = Pick<TitleRecord, "state" | "availableFrom" | "availableUntil">;

/**
 * What is to be told of a title that is changed at `now`. What was due before stays; what was yet to come is foretold anew, since
 * the change may have moved it or done away with it.
 */
export function titleOutbox(before: Publicity & Outbox, after: Publicity, now: Date): Required<Outbox> {
  const due = (before.outbox ?? []).filter((event) => isDue(event, now));
  const was = titleStateAt(before, now);
  const is = titleStateAt(after, now);
  const { availableFrom, availableUntil } = after;
  const events = [...due];
  const foretell = (type: EventType, at: Date) => events.push({ ...newEvent(type, at), isForetold: true });
  if (is === "published" && was !== "published") events.push(newEvent("title.published", now));
  if (was === "published" && is !== "published") events.push(newEvent("title.unpublished", now));
  if (is === "scheduled" && availableFrom !== null) foretell("title.published", availableFrom);
  if ((is === "scheduled" || is === "published") && availableUntil !== null)
    foretell("title.unpublished", availableUntil);
  return outboxOf(events);
}

/** The body of a message about an event, as all who are told of it get it. */
export function eventBody(
  { type, at }: { type: EventType | "webhook.test"; at: Date },
  data: Record<string, unknown>,
): string {
  // Standard Webhooks 1.0, "Payload structure".
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}

export function uploadData({ _id, assetId, filename, sizeBytes }: UploadRecord): Record<string, unknown> {
  return { uploadId: _id, assetId, filename, sizeBytes };
}

export function assetData({ _id, titleId }: AssetRecord, { facts }: RecordedEvent): Record<string, unknown> {
  const { state = null, generation = null, error = null, fetched } = facts;
  if (fetched !== undefined) return { uploadId: null, assetId: _id, ...fetched };
  return { assetId: _id, titleId, state, generation, error };
}

export function titleData({ _id, assetId }: TitleRecord, { type }: RecordedEvent): Record<string, unknown> {
  return { titleId: _id, assetId, state: type === "title.published" ? "published" : "unpublished" };
}
