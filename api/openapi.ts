import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { ApiEnv } from "./deps.ts";
import { EVENT_WEBHOOK } from "./webhook-view.ts";

/** RFC 9457 problem details as every failed call answers. */
const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
  })
  .openapi("Problem");

/** Why a route fails, where that is more than what holds for every one. */
export function problemAnswer<S extends z.ZodType = typeof problem>(description: string, schema?: S) {
  return { description, content: { "application/problem+json": { schema: schema ?? problem } } };
}

const streamsProblem = problem
  .extend({
    limit: z.number().int().optional(),
    streams: z
      .array(
        z.object({
          sessionId: z.string(),
          titleId: z.string(),
          title: z.string(),
          startedAt: z.string(),
        }),
      )
      .optional(),
  })
  .openapi("TooManyStreams");

/** 409 for another reason, or where an account plays as much as it may: what plays, so that a person can choose what to stop. */
export function tooManyStreams(other: string) {
  return problemAnswer(
    `${other}, or the account plays as much as it may (\`too_many_streams\`)`,
    streamsProblem,
  );
}

const ownPage = (path: string, summary: string, type: string, schema: z.ZodType) => ({
  tags: ["Operations"],
  method: "get" as const,
  path,
  summary,
  responses: { 200: { description: "As of this version", content: { [type]: { schema } } } },
});
/** This document itself is served as text that was made once, so no route describes it. */
const OWN_PAGES = [
  ownPage("/openapi.json", "This document", "application/json", z.record(z.string(), z.unknown())),
  ownPage("/docs", "This document as a page to read and to try", "text/html", z.string()),
];

type Document = ReturnType<OpenAPIHono<ApiEnv>["getOpenAPI31Document"]>;
interface Operation {
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string }[];
  requestBody?: unknown;
  responses: Record<string, unknown>;
  "x-idempotency-key"?: true;
}
const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** The OpenAPI 3.1 document of all routes, made from the schemas that the routes validate with. */
export function describeApi(app: OpenAPIHono<ApiEnv>, publicUrl: string | null): Document {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key (`mk_…`) or a JWT access token.",
  });
  app.openAPIRegistry.register("Problem", problem);
  app.openAPIRegistry.registerWebhook(EVENT_WEBHOOK);
  for (const page of OWN_PAGES) app.openAPIRegistry.registerPath(page);
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Matinee",
      version: "1",
      description: "Uploads, assets, titles, catalog and playback of a self-hosted streaming backend.",
    },
    servers: [{ url: publicUrl ?? "/" }],
  });
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = (item as Partial<Record<(typeof METHODS)[number], Operation>>)[method];
      if (operation !== undefined) addCommonParts(operation, path, method);
    }
  }
  return document;
}

/** What their own callers ask without a token is not held up: these say all of their answers themselves. */
const BY_THEMSELVES = ["Operations", "Steering"];

/** What holds for every call and would only be noise in each route. */
function addCommonParts(operation: Operation, path: string, method: string): void {
  if (operation.security === undefined && BY_THEMSELVES.includes(operation.tags?.[0] ?? "")) return;
  const reasons: Record<string, string> = {
    ...(operation.security === undefined ? {} : { 401: "No valid token", 403: "The role does not allow it" }),
    429: "Too many requests; see Retry-After and RateLimit-*",
    503: "A part we stand on is away; see Retry-After",
  };
  if (operation.requestBody !== undefined) reasons[415] = "The body is not declared as application/json";
  if (operation.requestBody !== undefined || operation.parameters !== undefined)
    reasons[400] = "The request is not valid";
  if (path.includes("{")) reasons[404] = "There is no such thing, or it is not yours";
  if (method !== "get")
    Object.assign(reasons, { 409: "It is not in a state for this", 413: "The body exceeds 64 KiB" });
  if (method === "patch")
    Object.assign(reasons, { 412: "It was changed meanwhile", 428: "If-Match is missing" });
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  for (const [status, description] of Object.entries(reasons))
    operation.responses[status] ??= { description, content };
  if (operation["x-idempotency-key"]) {
    delete operation["x-idempotency-key"];
    addHeader(operation, "Idempotency-Key", false, "Same key and body, same answer");
  }
  if (method === "patch") addHeader(operation, "If-Match", true, "The ETag that was read");
  if (path.endsWith("/events")) addHeader(operation, "Last-Event-ID", false, "The last event that was seen");
}

function addHeader(operation: Operation, name: string, required: boolean, description: string): void {
  const header = { name, in: "header", required, description, schema: { type: "string" } };
  operation.parameters = [...(operation.parameters ?? []), header];
}
