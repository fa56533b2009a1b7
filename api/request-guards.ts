import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { createMiddleware } from "hono/factory";
import { notDeclaredJson, requestFailure } from "../core/errors.ts";
import { sayFirst } from "./answer-head.ts";
import type { ApiEnv } from "./deps.ts";
import { TRACK_BODY_BYTES, TRACK_PATH } from "./track-routes.ts";

const MAX_BODY_BYTES = 64 * 1024;

const EXPOSED_HEADERS = [
  // A player on another origin holds what ends against it: its own clock may be wrong.
  "Date",
  "ETag",
  "Location",
  "Retry-After",
  "RateLimit-Limit",
  "RateLimit-Remaining",
  "RateLimit-Reset",
  "X-Request-Id",
].join(",");

/**
 * What holds for every request below `/v1`: which pages may read the answer, that it is kept by nobody, that a body is
 * declared as JSON and no larger than it may be.
 */
export function guarded(origins: readonly string[]) {
  const preflight = corsPreflight(origins);
  return createMiddleware<ApiEnv>((c, next) => {
    if (c.req.method === "OPTIONS") return preflight(c, next);
    sayOrigin(c, origins);
    sayNotCached(c);
    refuseOtherThanJson(c);
    return TRACK_PATH.test(c.req.path) ? trackLimit(c, next) : usualLimit(c, next);
  });
}

/** Exact origins only: no wildcard, no suffix, no `null` (RELIABILITY T41). Tokens travel in a header, not in cookies. */
function corsPreflight(origins: readonly string[]) {
  return cors({
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
}

/** Hono's own says it of an answer that is made, which makes each of them anew, body and all. */
function sayOrigin(c: Context<ApiEnv>, origins: readonly string[]): void {
  const origin = c.req.header("Origin");
  if (origin !== undefined && origins.includes(origin)) {
    sayFirst(c, "Access-Control-Allow-Origin", origin);
    sayFirst(c, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
  }
  sayFirst(c, "Vary", "Origin");
}

/** Answers hold grants and belong to one account. */
export function sayNotCached(c: Context<ApiEnv>): void {
  sayFirst(c, "Cache-Control", "private, no-store");
}

/** A body that is not declared as JSON would pass the schemas unread. */
function refuseOtherThanJson(c: Context<ApiEnv>): void {
  const type = c.req.header("Content-Type");
  if (type !== undefined && !/^application\/json *(;|$)/i.test(type)) throw notDeclaredJson();
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
/** Texts of subtitles are the only large bodies there are; films go to storage. */
const trackLimit = bodyLimitOf(TRACK_BODY_BYTES, "2 MiB");
