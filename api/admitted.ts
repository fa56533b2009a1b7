import { createMiddleware } from "hono/factory";
import { requestFailure } from "../core/errors.ts";
import { type Authenticator, callerOf } from "./auth.ts";
import type { ApiEnv } from "./deps.ts";
import { type RateLimits, spendRequest, spendStrange } from "./rate-limit.ts";

/**
 * Lets a request through whose bearer token is good and whose account may ask more, and says whose it is. A bad token
 * counts against where it came from. One function and not three: each that a request passes costs a promise or two.
 */
export function admitted(authenticate: Authenticator, limits: RateLimits) {
  return createMiddleware<ApiEnv>(async (c, next) => {
    const caller = await callerOf(c, authenticate);
    if (caller === null) {
      await spendStrange(c, limits);
      throw requestFailure(401, "unauthenticated", "A valid bearer token is needed.");
    }
    c.set("caller", caller);
    await spendRequest(c, limits);
    await next();
  });
}
