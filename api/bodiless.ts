import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { routePath } from "hono/route";
import { notJson } from "../core/errors.ts";
import type { ApiEnv } from "./deps.ts";
import { invalidRequest } from "./problem.ts";

const nothing = z.strictObject({});

/**
 * Refuses what is said to a call that takes no body, with 400: whoever sends a wish that is not done has to be told. An empty
 * object and blanks are no wish. `routes` are those of `bodilessRoutes`, once all are known.
 */
export function withoutBody(routes: () => ReadonlySet<string>) {
  return createMiddleware<ApiEnv>((c, next) =>
    hasBody(c) && routes().has(`${c.req.method} ${routePath(c, -1)}`) ? refuseWish(c, next) : next(),
  );
}

/** RFC 9112 §6.3: a request that says neither has no body. Renewals have none and come by the thousand, so nothing is awaited. */
function hasBody(c: Context<ApiEnv>): boolean {
  const said = c.req.header("Content-Length");
  return (said !== undefined && said !== "0") || c.req.header("Transfer-Encoding") !== undefined;
}

async function refuseWish(c: Context<ApiEnv>, next: () => Promise<void>): Promise<void> {
  const body = await c.req.text();
  if (body.trim() !== "") {
    const read = nothing.safeParse(parsed(body));
    if (!read.success) throw invalidRequest(read.error);
  }
  await next();
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw notJson();
  }
}

/** `METHOD /path/:id` of each described call that changes something and describes no body. */
export function bodilessRoutes(app: OpenAPIHono<ApiEnv>): ReadonlySet<string> {
  const routes = app.openAPIRegistry.definitions.flatMap((one) => (one.type === "route" ? [one.route] : []));
  return new Set(
    routes
      .filter(({ method, request }) => method !== "get" && request?.body === undefined)
      .map(({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
  );
}
