import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { ApiEnv } from "./deps.ts";
import { problem } from "./problem-answers.ts";
import { SAID_HEADERS, type SaidHeader, saidHeaders } from "./said-headers.ts";
import { addUsualParts, type Operation } from "./usual-parts.ts";
import { EVENT_WEBHOOK } from "./webhook-view.ts";

const ownPage = (
  path: string,
  summary: string,
  type: string,
  schema: z.ZodType,
  says: SaidHeader[] = [],
) => ({
  tags: ["Operations"],
  method: "get" as const,
  path,
  summary,
  responses: {
    200: { description: "As of this version", headers: saidHeaders(says), content: { [type]: { schema } } },
  },
});
/** This document itself is served as text that was made once, so no route describes it. */
const OWN_PAGES = [
  ownPage("/openapi.json", "This document", "application/json", z.record(z.string(), z.unknown())),
  ownPage("/docs", "This document as a page to read and to try", "text/html", z.string(), ["ETag"]),
];

type Document = ReturnType<OpenAPIHono<ApiEnv>["getOpenAPI31Document"]>;
const METHODS = ["get", "post", "put", "patch", "delete"] as const;

/** The OpenAPI 3.1 document of all routes, made from the schemas that the routes validate with. */
export function describeApi(app: OpenAPIHono<ApiEnv>, publicUrl: string | null): Document {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description:
      "An API key (`mk_…`) or a JWT access token. A call names the role it needs; `editor` may all that `viewer` may, `admin` all of both.",
  });
  for (const [name, header] of Object.entries(SAID_HEADERS))
    app.openAPIRegistry.registerComponent("headers", name, header);
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
      if (operation !== undefined) addUsualParts(operation, path, method);
    }
  }
  return document;
}
