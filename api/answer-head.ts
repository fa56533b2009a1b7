import type { Context } from "hono";
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import { newId } from "../core/ids.ts";
import type { ApiEnv } from "./deps.ts";

/** What is said at the head of every answer, before there is one. */

/**
 * Says it for the answer to come; a handler that says something else of the same name has the last word. It goes to
 * Node's own answer where there is one: Hono's would make a `Headers` for each request, a tenth of what renewing a session
 * costs (docs/decisions/sessions.md).
 */
export function sayFirst(c: Context<ApiEnv>, name: string, value: string): void {
  const outgoing = c.env?.outgoing;
  if (outgoing === undefined) c.header(name, value);
  else outgoing.setHeader(name, value);
}

const REQUEST_ID = /^[\w=-]{1,128}$/;

/**
 * The caller's `X-Request-Id`, or a new one where there is none that a line of log could hold, and what Hono's
 * `secureHeaders` says of every answer: the same of each, so it is asked once.
 */
export function answerHead() {
  let secure: readonly [string, string][] | null = null;
  return createMiddleware<ApiEnv>(async (c, next) => {
    const given = c.req.header("X-Request-Id") ?? "";
    const id = REQUEST_ID.test(given) ? given : newId("rq");
    c.set("requestId", id);
    sayFirst(c, "X-Request-Id", id);
    secure ??= await secureLines();
    for (const [name, value] of secure) sayFirst(c, name, value);
    await next();
  });
}

async function secureLines(): Promise<[string, string][]> {
  const app = new Hono().use(secureHeaders()).get("/", (c) => c.body(null));
  return [...(await app.request("/")).headers];
}
