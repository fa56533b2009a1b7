import { asFailure, type Failure } from "../core/errors.ts";

/** An error answer (RFC 9457): what its head and body are. */
export interface ProblemAnswer {
  status: number;
  code: string;
  headers: Record<string, string>;
  body: string;
}

const TITLES: Record<number, string> = {
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  412: "Precondition failed",
  416: "Range not satisfiable",
  500: "Internal error",
  503: "Not available right now",
};

/** Any thrown value as an answer that no cache keeps and that tells nothing of the inside. */
export function problemAnswer(thrown: unknown): ProblemAnswer {
  const failure = asFailure(thrown);
  const status = statusOf(failure);
  const code = status === 500 ? "internal" : failure.code;
  const body = JSON.stringify({
    type: `urn:matinee:problem:${code}`,
    title: TITLES[status] ?? "Request failed",
    status,
    detail: status === 500 ? "Something went wrong on our side." : failure.message,
    code,
  });
  return {
    status,
    code,
    headers: {
      "content-type": "application/problem+json",
      "content-length": String(Buffer.byteLength(body)),
      "cache-control": "no-store",
      ...(status === 503 ? { "retry-after": String(failure.retryAfterSeconds ?? 5) } : {}),
    },
    body,
  };
}

/** A class that means something only to workers is a defect when it comes out here. */
function statusOf(failure: Failure): number {
  if (failure.failureClass === "request") return failure.status;
  return failure.failureClass === "transient" || failure.failureClass === "resource" ? 503 : 500;
}
