import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { notDeclaredJson, requestFailure } from "../core/errors.ts";
import type { ApiEnv } from "./deps.ts";
import { TRACK_BODY_BYTES, TRACK_PATH } from "./track-routes.ts";

const MAX_BODY_BYTES = 64 * 1024;

const EXPOSED_HEADERS = [
  "ETag",
  "Location",
  "Retry-After",
  "RateLimit-Limit",
  "RateLimit-Remaining",
  "RateLimit-Reset",
  "X-Request-Id",
].join(",");

/** Exact origins only: no wildcard, no suffix, no `null` (RELIABILITY T41). Tokens travel in a header, not in cookies. */
export function corsByList(origins: readonly string[]) {
  const preflight = cors({
    origin: (origin) => (origins.includes(origin) ? origin : null),
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: [
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-Match",
      "Last-Event-ID",
      "X-Request-Id",
    ],
    maxAge: 3_600,
  });
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.req.method === "OPTIONS") return preflight(c, next);
    // Said before there is an answer. Hono's own says it of one that is made, which makes each of them anew, body and all:
    // that was the larger part of a small answer's cost.
    const origin = c.req.header("Origin");
    if (origin !== undefined && origins.includes(origin)) c.header("Access-Control-Allow-Origin", origin);
    c.header("Access-Control-Expose-Headers", EXPOSED_HEADERS);
    c.header("Vary", "Origin");
    return next();
  });
}

function bodyLimitOf(maxSize: number, words: string) {
  const refuse = (): never => {
    throw requestFailure(413, "body_too_large", `A body may have at most ${words} here.`);
  };
  const counting = bodyLimit({ maxSize, onError: refuse });
  return createMiddleware<ApiEnv>(async (c, next) => {
    const said = c.req.header("Content-Length");
    const isChunked = c.req.header("Transfer-Encoding") !== undefined;
    // RFC 9112 §6.3: a request that says neither has no body.
    if (said === undefined && !isChunked && c.req.method === "GET") return next();
    if (said === undefined || isChunked) return counting(c, next);
    // Node's parser holds a sender to that length. Counting would make a web stream of each body, which costs more than
    // all that is done with it.
    return Number(said) > maxSize ? refuse() : next();
  });
}
const usualLimit = bodyLimitOf(MAX_BODY_BYTES, "64 KiB");
const trackLimit = bodyLimitOf(TRACK_BODY_BYTES, "2 MiB");
/** Texts of subtitles are the only large bodies there are; films go to storage. */
export const sizeLimit = createMiddleware<ApiEnv>((c, next) =>
  TRACK_PATH.test(c.req.path) ? trackLimit(c, next) : usualLimit(c, next),
);

/** Answers hold grants and belong to one account. */
export const notCached = createMiddleware<ApiEnv>(async (c, next) => {
  c.header("Cache-Control", "private, no-store");
  await next();
});

/** A body that is not declared as JSON would pass the schemas unread. */
export const jsonOnly = createMiddleware<ApiEnv>(async (c, next) => {
  const type = c.req.header("Content-Type");
  if (type !== undefined && !/^application\/json *(;|$)/i.test(type)) {
    throw notDeclaredJson();
  }
  await next();
});
