import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ZodError } from "zod";
import {
  asFailure,
  type Failure,
  type FieldError,
  invalidFields,
  notDeclaredJson,
  notJson,
  requestFailure,
} from "../core/errors.ts";

/** RFC 9457 §3.1: the members of a problem details object; `code` and `errors` are our extensions. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors: FieldError[];
}

/** Any thrown value as the answer to the request: no stack, no vendor text. The cause goes to the log alone. */
export function problemResponse(c: Context, thrown: unknown): Response {
  const failure = requestFailureOf(thrown);
  const problem: Problem = {
    ...failure.details,
    type: `urn:matinee:problem:${failure.code}`,
    title: TITLES[failure.status] ?? "Request failed",
    status: failure.status,
    detail: failure.message,
    code: failure.code,
    errors: failure.fields,
  };
  if (failure.retryAfterSeconds !== undefined) c.header("Retry-After", String(failure.retryAfterSeconds));
  if (failure.requestLimit !== undefined) {
    const { requestLimit: limit, retryAfterSeconds: resetSeconds = 1 } = failure;
    for (const [name, value] of Object.entries(rateLimitHeaders({ limit, remaining: 0, resetSeconds })))
      c.header(name, value);
  }
  // RFC 9110 §11.6.1: a 401 MUST carry WWW-Authenticate.
  if (failure.status === 401) c.header("WWW-Authenticate", 'Bearer realm="matinee"');
  const status = failure.status as ContentfulStatusCode;
  return c.body(JSON.stringify(problem), status, { "Content-Type": "application/problem+json" });
}

/** draft-ietf-httpapi-ratelimit-headers-03 §3: what is left of a budget, and in how many seconds it begins anew. */
export function rateLimitHeaders(budget: {
  limit: number;
  remaining: number;
  resetSeconds: number;
}): Record<string, string> {
  return {
    "RateLimit-Limit": String(budget.limit),
    "RateLimit-Remaining": String(budget.remaining),
    "RateLimit-Reset": String(budget.resetSeconds),
  };
}

function requestFailureOf(thrown: unknown): Failure {
  if (!(thrown instanceof HTTPException)) return asFailure(thrown);
  if (thrown.status === 400) return notJson();
  if (thrown.status === 415) return notDeclaredJson();
  return requestFailure(
    thrown.status,
    "request_refused",
    TITLES[thrown.status] ?? "The request was refused.",
  );
}

/** 400 `invalid_request` with one entry per fault, as paths into the body (or the query). */
export function invalidRequest(error: ZodError): Failure {
  const fields = error.issues.slice(0, 20).flatMap(({ path, message, ...issue }) => {
    const at = path.map(String);
    if (issue.code !== "unrecognized_keys") return [{ path: at.join("."), message }];
    return issue.keys.slice(0, 20).map((key) => ({
      path: [...at, key.slice(0, 100)].join("."),
      message: "is not a known member",
    }));
  });
  return invalidFields(fields);
}

const TITLES: Record<number, string> = {
  400: "Bad request",
  401: "Not authenticated",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  410: "Gone",
  412: "Precondition failed",
  413: "Body too large",
  415: "Unsupported media type",
  422: "Cannot be processed",
  428: "Precondition required",
  429: "Too many requests",
  500: "Internal error",
  503: "Not available right now",
};
