import type { EventType } from "../webhook-event.ts";

/** Why nothing is sent to an endpoint any more, where nobody of the tenant turned it off. */
export type DisabledReason = "gone" | "failing";

/** A secret that signs, sealed by a master key. */
export interface SealedSecret {
  sealed: string;
  /** Null for the present one; one that was replaced signs beside it until then. */
  until: Date | null;
}

/** An endpoint of a tenant's that is told of events. `_id` is a `wh_` id. */
export interface WebhookRecord {
  _id: string;
  tenant: string;
  version: number;
  url: string;
  types: EventType[];
  description: string;
  enabled: boolean;
  disabledReason: DisabledReason | null;
  /** Newest first. */
  secrets: SealedSecret[];
  /** Attempts that failed since the last one that did not, and since when. */
  failuresInRow: number;
  failingSince: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

export type DeliveryState = "pending" | "delivered" | "failed";

/** Why an attempt came to nothing; `status` where there was an answer that was not 2xx. */
export type AttemptError =
  | "status"
  | "redirect"
  | "timeout"
  | "unreachable"
  | "address_refused"
  | "signing_unavailable";

export interface DeliveryAttempt {
  at: Date;
  /** HTTP status; null where there was no answer. */
  status: number | null;
  error: AttemptError | null;
  durationMs: number;
}

/** One event on its way to one endpoint. `_id` is a `dl_` id made of both, so that it is there once. */
export interface DeliveryRecord {
  _id: string;
  tenant: string;
  webhookId: string;
  eventId: string;
  type: EventType | "webhook.test";
  /** The body, byte for byte, of every attempt. */
  body: string;
  state: DeliveryState;
  /** Raised by each claim: a sender that lost its claim records nothing. */
  epoch: number;
  /** Of a pending one: when it is to be taken up; while somebody is at it, when his claim runs out. */
  dueAt: Date | null;
  /** Whether somebody is at it until `dueAt`. */
  isClaimed: boolean;
  /** Failed attempts of the present budget; a replay begins another. */
  failures: number;
  /** The last ones, oldest first. */
  attempts: DeliveryAttempt[];
  createdAt: Date;
  /** When it was delivered or given up; null while it is pending. */
  settledAt: Date | null;
}
