import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Failure, notFound, requestFailure } from "../core/errors.ts";
import type { DeliveryRecord, WebhookRecord } from "../core/records/webhook.ts";
import { eventBody } from "../core/webhook-event.ts";
import type { Library } from "../stores/library/connect.ts";
import { findDelivery, listDeliveries, recordDelivery } from "../stores/library/deliveries.ts";
import { replayDelivery } from "../stores/library/delivery-claims.ts";
import { forRole } from "./auth.ts";
import { cursorText, IDEMPOTENT, idParams, jsonAnswer, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundWebhook } from "./found.ts";
import { once } from "./idempotency.ts";
import { decodeCursor, encodeCursor, listDigest } from "./list-cursor.ts";
import { deliveryStates, deliveryView, presentDelivery } from "./webhook-view.ts";

/** A sender taking it up at the same moment is waited out this often. */
const TRIES = 10;

const common = { tags: ["Webhooks"], ...forRole("admin") };
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/webhooks/{id}/deliveries",
  summary: "What was or is to be delivered to an endpoint, newest first; kept for 30 days",
  request: {
    params: idParams,
    query: z.strictObject({
      limit: pageQuery.shape.limit,
      cursor: cursorText,
      state: deliveryStates.optional(),
    }),
  },
  responses: { 200: jsonAnswer(pageOf(deliveryView), "One page") },
});
const replayRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/webhooks/{id}/deliveries/{deliveryId}/replay",
  summary: "Deliver it once more, under the same `webhook-id`",
  request: { params: idParams.extend({ deliveryId: z.string().min(1).max(200) }) },
  responses: { 202: jsonAnswer(deliveryView, "The delivery, pending") },
});
const testRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/webhooks/{id}/test",
  summary: "Deliver a message of type `webhook.test`",
  request: { params: idParams },
  responses: { 202: jsonAnswer(deliveryView, "The delivery, pending") },
});

/** What was sent to endpoints, and sending it again. */
export function webhookDeliveryRoutes({ library, webhooks }: ApiDeps) {
  const found = (c: Context<ApiEnv>, id: string) => foundWebhook(library, c.get("caller").tenant, id);
  return new OpenAPIHono<ApiEnv>()
    .openapi(listRoute, async (c) => {
      const webhook = await found(c, c.req.valid("param").id);
      const query = c.req.valid("query");
      const { limit, cursor, state } = query;
      const list = listDigest(c, query);
      const page = await listDeliveries(library, webhook, {
        state,
        limit,
        after: decodeCursor(cursor, list),
      });
      return c.json(
        { data: page.records.map(presentDelivery), nextCursor: encodeCursor(page.next, list) },
        200,
      );
    })
    .openapi(replayRoute, async (c) => {
      const { id, deliveryId } = c.req.valid("param");
      const webhook = await found(c, id);
      const answer = await once(c, library, null, async () =>
        presentDelivery(await replay(library, webhook, deliveryId)),
      );
      webhooks.wake();
      return c.json(answer, 202);
    })
    .openapi(testRoute, async (c) => {
      const webhook = await found(c, c.req.valid("param").id);
      const answer = await once(c, library, null, async (makeId) => {
        requireEnabled(webhook);
        const type = "webhook.test";
        const body = eventBody({ type, at: library.serverNow() }, { webhookId: webhook._id });
        const message = { eventId: makeId("ev"), type, body } as const;
        return presentDelivery(await recordDelivery(library, webhook, makeId("dl"), message));
      });
      webhooks.wake();
      return c.json(answer, 202);
    });
}

async function replay(library: Library, webhook: WebhookRecord, id: string): Promise<DeliveryRecord> {
  for (let tries = 0; tries < TRIES; tries++) {
    const delivery = await findDelivery(library, webhook, id);
    if (delivery === null) throw notFound("delivery");
    requireEnabled(webhook);
    const replayed = await replayDelivery(library, delivery);
    if (replayed !== null) return replayed;
  }
  throw new Failure("transient", "delivery_busy", "The delivery is being made just now; try again.", {
    retryAfterSeconds: 1,
  });
}

function requireEnabled({ enabled }: WebhookRecord): void {
  if (!enabled) throw requestFailure(409, "webhook_disabled", "The webhook is off: turn it on first.");
}
