import { setTimeout as pause } from "node:timers/promises";
import type { Context } from "hono";
import { Failure, requestFailure } from "../core/errors.ts";
import { type IdPrefix, idFromSeed, newId } from "../core/ids.ts";
import type { Library } from "../stores/library/connect.ts";
import {
  answerRequest,
  type Claim,
  claimRequest,
  type RequestIdentity,
  releaseRequest,
} from "../stores/library/idempotency.ts";
import type { ApiEnv } from "./deps.ts";

/** Names what a request makes. Under an Idempotency-Key the same request always makes the same names. */
export type IdMaker = (prefix: IdPrefix) => string;

/** How long a repeated request waits for the first one before it is told to come again. */
const WAIT_MS = 10_000;
const POLL_MS = 100;

/**
 * Does `work` once per Idempotency-Key and gives its answer again to every repetition with the same body
 * (draft-ietf-httpapi-idempotency-key-header §2). Without the header it just does the work. A crash in the middle
 * is made good by the repetition: it gets the same ids, so `work` must take "it is there already" for success.
 */
export async function once<T>(
  c: Context<ApiEnv>,
  library: Library,
  body: unknown,
  work: (makeId: IdMaker) => Promise<T>,
): Promise<T> {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return work(newId);
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw requestFailure(400, "invalid_request", "The Idempotency-Key is not valid.", [
      { path: "Idempotency-Key", message: "must be 1 to 255 printable characters" },
    ]);
  }
  const { tenant, subject } = c.get("caller");
  const claim = await claimOrWait(library, {
    tenant,
    subject,
    route: `${c.req.method} ${c.req.path}`,
    key,
    body,
  });
  if (claim.kind === "answered") return JSON.parse(claim.answer) as T;
  try {
    const answer = await work((prefix) => idFromSeed(prefix, claim.seed));
    await answerRequest(library, tenant, claim.id, JSON.stringify(answer));
    return answer;
  } catch (thrown) {
    // Whatever went wrong, the same key must be free to try again; the first failure is the one to tell of.
    await releaseRequest(library, tenant, claim.id).catch(() => undefined);
    throw thrown;
  }
}

async function claimOrWait(
  library: Library,
  request: RequestIdentity,
): Promise<Exclude<Claim, { kind: "busy" }>> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const claim = await claimRequest(library, request);
    if (claim.kind !== "busy") return claim;
    if (performance.now() > until) {
      throw new Failure("request", "idempotency_in_progress", "The first request with this key still runs.", {
        status: 409,
        retryAfterSeconds: 2,
      });
    }
    await pause(POLL_MS);
  }
}
