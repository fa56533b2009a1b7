import { z } from "@hono/zod-openapi";
import type { DeliveryRecord, WebhookRecord } from "../core/records/webhook.ts";
import { EVENT_TYPES } from "../core/webhook-event.ts";
import { assetError, assetStates } from "./asset-view.ts";
import { instant, jsonBody } from "./contract.ts";

const content = {
  url: z.string().min(1).max(2_000),
  types: z
    .array(z.enum(EVENT_TYPES))
    .min(1)
    .max(EVENT_TYPES.length)
    .refine((types) => new Set(types).size === types.length, "must name each type once"),
  description: z.string().trim().max(500),
};

export const newWebhook = z
  .strictObject({ ...content, description: content.description.default("") })
  .openapi("NewWebhook");
export const webhookPatch = z
  .strictObject({
    ...z.object(content).partial().shape,
    enabled: z.boolean().optional(),
    /** Makes another secret; the one before it signs beside it for 24 h. */
    rotateSecret: z.literal(true).optional(),
  })
  .openapi("WebhookPatch");

export const webhookView = z
  .object({
    id: z.string(),
    version: z.number().int(),
    url: z.string(),
    types: z.array(z.enum(EVENT_TYPES)),
    description: z.string(),
    enabled: z.boolean(),
    /** Why it is off, where nobody turned it off: its endpoint answered 410, or nothing good for a day. */
    disabledReason: z.enum(["gone", "failing"]).nullable(),
    /** Since when every attempt has failed; null where the last one did not. */
    failingSince: instant.nullable(),
    createdAt: instant,
    updatedAt: instant,
  })
  .openapi("Webhook");
const secret = z.string().describe("`whsec_` and base64: shown this once");
export const webhookWithSecret = webhookView.extend({ secret }).openapi("NewlyMadeWebhook");
export type NewlyMadeWebhook = z.infer<typeof webhookWithSecret>;
export const changedWebhook = webhookView.extend({ secret: secret.optional() }).openapi("ChangedWebhook");

const assetEvent = z.object({
  assetId: z.string(),
  titleId: z.string().nullable(),
  state: assetStates.nullable(),
  generation: z.string().nullable(),
  error: assetError.nullable(),
});
const uploadEvent = z.object({
  /** null of a master that was fetched: nobody opened an upload for it. */
  uploadId: z.string().nullable(),
  assetId: z.string(),
  filename: z.string(),
  sizeBytes: z.number().int(),
});
const titleEvent = z.object({
  titleId: z.string(),
  assetId: z.string().nullable(),
  state: z.enum(["published", "unpublished"]),
});
const testEvent = z.object({ webhookId: z.string() });
/** What an endpoint is sent. */
export const webhookPayload = z
  .object({
    type: z.enum([...EVENT_TYPES, "webhook.test"]),
    timestamp: instant,
    /** By the first word of the type. */
    data: z.union([assetEvent, uploadEvent, titleEvent, testEvent]),
  })
  .openapi("WebhookPayload");

/** What we ask of others, described as what is asked of us. */
export const EVENT_WEBHOOK = {
  method: "post",
  path: "event",
  summary: "An event, to each endpoint that wants its type; signed by Standard Webhooks 1.0",
  request: {
    headers: z.object({
      "webhook-id": z.string().describe("The event's; the same for every attempt and replay"),
      "webhook-timestamp": z.string().describe("Of this attempt, in seconds since 1970"),
      "webhook-signature": z
        .string()
        .describe("`v1,` and base64; several, with spaces, while a secret is replaced"),
    }),
    body: jsonBody(webhookPayload),
  },
  responses: {
    "2XX": { description: "Taken" },
    410: { description: "No more of them: the endpoint is turned off" },
    default: { description: "Not taken: it comes again" },
  },
} as const;

export const deliveryStates = z.enum(["pending", "delivered", "failed"]);
export const deliveryView = z
  .object({
    id: z.string(),
    /** As the receiver is told it in `webhook-id`; the same for all attempts. */
    eventId: z.string(),
    type: z.enum([...EVENT_TYPES, "webhook.test"]),
    state: deliveryStates,
    /** The last thirty, oldest first. */
    attempts: z.array(
      z.object({
        at: instant,
        /** HTTP status; null where there was no answer. */
        status: z.number().int().nullable(),
        error: z
          .enum(["status", "redirect", "timeout", "unreachable", "address_refused", "signing_unavailable"])
          .nullable(),
        durationMs: z.number().int(),
      }),
    ),
    /** Null where none is to come. */
    nextAttemptAt: instant.nullable(),
    createdAt: instant,
    settledAt: instant.nullable(),
    payload: webhookPayload,
  })
  .openapi("WebhookDelivery");

export function presentWebhook(webhook: WebhookRecord): z.infer<typeof webhookView> {
  const { _id: id, version, url, types, description, enabled, disabledReason } = webhook;
  return {
    ...{ id, version, url, types, description, enabled, disabledReason },
    failingSince: webhook.failingSince?.toISOString() ?? null,
    createdAt: webhook.createdAt.toISOString(),
    updatedAt: webhook.updatedAt.toISOString(),
  };
}

export function presentDelivery(delivery: DeliveryRecord): z.infer<typeof deliveryView> {
  const { _id: id, eventId, type, state, attempts, dueAt, createdAt, settledAt, body } = delivery;
  return {
    ...{ id, eventId, type, state },
    attempts: attempts.map(({ at, ...attempt }) => ({ at: at.toISOString(), ...attempt })),
    nextAttemptAt: dueAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    settledAt: settledAt?.toISOString() ?? null,
    payload: JSON.parse(body),
  };
}
