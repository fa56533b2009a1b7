import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { Failure, invalidFields, notFound, requestFailure } from "../core/errors.ts";
import type { WebhookRecord } from "../core/records/webhook.ts";
import { makeSigningSecret, secretText } from "../core/standard-webhooks.ts";
import { endpointFault } from "../core/webhook-endpoint.ts";
import { openSecrets, rotated, sealSigningSecret } from "../core/webhook-secrets.ts";
import {
  changeWebhook,
  countWebhooks,
  createWebhook,
  deleteWebhook,
  findWebhook,
  listWebhooks,
} from "../stores/library/webhooks.ts";
import { forRole } from "./auth.ts";
import { IDEMPOTENT, idParams, jsonAnswer, jsonBody, pageOf, pageQuery } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundWebhook } from "./found.ts";
import { once } from "./idempotency.ts";
import { changedMeanwhile, expectedVersion } from "./if-match.ts";
import { decodeCursor, encodeCursor, listDigest } from "./list-cursor.ts";
import {
  changedWebhook,
  newWebhook,
  presentWebhook,
  webhookPatch,
  webhookView,
  webhookWithSecret,
} from "./webhook-view.ts";

/** Each event is sent to all of a tenant's endpoints that want it. */
const MOST_WEBHOOKS = 20;

const common = { tags: ["Webhooks"], ...forRole("admin") };
const createWebhookRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/webhooks",
  summary: "Have an endpoint told of events; the answer has its secret, this once",
  request: { body: jsonBody(newWebhook) },
  responses: {
    201: jsonAnswer(webhookWithSecret, "The endpoint and what signs its messages", ["ETag", "Location"]),
  },
});
const listRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/webhooks",
  summary: "List endpoints, newest first",
  request: { query: pageQuery },
  responses: { 200: jsonAnswer(pageOf(webhookView), "One page") },
});
const getRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/webhooks/{id}",
  summary: "One endpoint",
  request: { params: idParams },
  responses: {
    200: jsonAnswer(
      webhookView,
      "The endpoint; under its ETag as If-Match PATCH changes nothing that was not seen",
      ["ETag"],
    ),
  },
});
const patchRoute = createRoute({
  ...common,
  method: "patch",
  path: "/v1/webhooks/{id}",
  summary: "Change an endpoint, turn it on or off, or give it another secret",
  request: { params: idParams, body: jsonBody(webhookPatch) },
  responses: { 200: jsonAnswer(changedWebhook, "The endpoint as it is now", ["ETag"]) },
});
const deleteRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/webhooks/{id}",
  summary: "Remove an endpoint and its deliveries",
  request: { params: idParams },
  responses: { 204: { description: "Gone" } },
});

/** Endpoints that are told of a tenant's events, kept by its administrators. */
export function webhookRoutes({ library, config }: ApiDeps) {
  const found = (c: Context<ApiEnv>, id: string) => foundWebhook(library, c.get("caller").tenant, id);
  const present = (c: Context<ApiEnv>, webhook: WebhookRecord) => {
    c.header("ETag", `"${webhook.version}"`);
    return presentWebhook(webhook);
  };
  const checkEndpoint = (url: string): void => {
    const message = endpointFault(url, config.webhooks.networks);
    if (message !== null) throw invalidFields([{ path: "url", message }]);
  };
  const newSecret = (webhookId: string) => {
    const [master] = config.masterKeys;
    if (master === undefined) throw unavailable();
    const secret = makeSigningSecret();
    return { secret, sealed: sealSigningSecret(master, secret, webhookId) };
  };
  return new OpenAPIHono<ApiEnv>()
    .openapi(createWebhookRoute, async (c) => {
      const body = c.req.valid("json");
      const { tenant } = c.get("caller");
      checkEndpoint(body.url);
      // What is kept for a repetition of the request has no secret in it.
      const made = await once(c, library, body, async (makeId) => {
        const id = makeId("wh");
        const isMade = (await findWebhook(library, tenant, id)) !== null;
        if (!isMade && (await countWebhooks(library, tenant)) >= MOST_WEBHOOKS) throw tooMany();
        return presentWebhook(await createWebhook(library, tenant, id, body, newSecret(id).sealed));
      });
      const { id, version } = made;
      const [secret] = openSecrets(config.masterKeys, await found(c, id), library.serverNow()) ?? [];
      if (secret === undefined) throw unavailable();
      const headers = { Location: `/v1/webhooks/${id}`, ETag: `"${version}"` };
      return c.json({ ...made, secret: secretText(secret) }, 201, headers);
    })
    .openapi(listRoute, async (c) => {
      const query = c.req.valid("query");
      const { limit, cursor } = query;
      const list = listDigest(c, query);
      const after = decodeCursor(cursor, list);
      const page = await listWebhooks(library, c.get("caller").tenant, { limit, after });
      return c.json(
        { data: page.records.map(presentWebhook), nextCursor: encodeCursor(page.next, list) },
        200,
      );
    })
    .openapi(getRoute, async (c) => c.json(present(c, await found(c, c.req.valid("param").id)), 200))
    .openapi(patchRoute, async (c) => {
      const webhook = await found(c, c.req.valid("param").id);
      const { rotateSecret, ...content } = c.req.valid("json");
      expectedVersion(c.req.header("If-Match") ?? "*", "webhook", webhook.version);
      if (content.url !== undefined) checkEndpoint(content.url);
      const anew = rotateSecret ? newSecret(webhook._id) : null;
      const secrets = anew && rotated(webhook.secrets, anew.sealed, library.serverNow());
      const changed = await changeWebhook(library, webhook, {
        ...content,
        ...(secrets === null ? {} : { secrets }),
      });
      if (changed === null) throw changedMeanwhile("webhook");
      const view = present(c, changed);
      return c.json(anew === null ? view : { ...view, secret: secretText(anew.secret) }, 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { tenant } = c.get("caller");
      if (!(await deleteWebhook(library, tenant, c.req.valid("param").id))) throw notFound("webhook");
      return c.body(null, 204);
    });
}

function tooMany() {
  return requestFailure(409, "too_many_webhooks", `There are ${MOST_WEBHOOKS} already: remove one first.`);
}

/** A person has to set something: trying again does not help. */
function unavailable() {
  const message = "No master key is set here that opens or seals the secret.";
  return new Failure("request", "signing_unavailable", message, { status: 503 });
}
