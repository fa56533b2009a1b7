import { Failure } from "./errors.ts";
import type { PaceLimits } from "./pull-pace.ts";
import type { PullTransfer } from "./records/pull.ts";

/** What a server said to a request for a file, or for the rest of it. */
export interface FileAnswer {
  status: number;
  headers: Record<string, string | undefined>;
}

/** What its answer means. */
export type PullStep =
  /** The body goes on from byte `from`: 0 is the file from its beginning, whatever was held of it. */
  | { step: "take"; from: number; etag: string | null; sizeBytes: number | null }
  /** What is held is all there is. */
  | { step: "whole"; sizeBytes: number }
  /** What is held is of no use: ask for all of it. */
  | { step: "anew" };

/** The header fields that ask for the rest of a file, if it still is the one that is held (RFC 9110 §13.1.5, §14.2). */
export function restOf(transfer: PullTransfer | null, heldBytes: number): Record<string, string> {
  if (transfer?.etag == null || heldBytes === 0) return {};
  return { range: `bytes=${heldBytes}-`, "if-range": transfer.etag };
}

/**
 * Judges an answer to a request for what comes after `heldBytes`. Throws `source_refused` where the server will not give
 * the file, `source_unreachable` where it may later, `source_too_large` beyond `maxBytes`.
 */
export function judgeAnswer(
  { status, headers }: FileAnswer,
  transfer: PullTransfer | null,
  heldBytes: number,
  maxBytes: number,
): PullStep {
  const etag = strongTag(headers.etag);
  if (status === 200) {
    const sizeBytes = headers["content-length"] === undefined ? null : Number(headers["content-length"]);
    return take({ from: 0, etag, sizeBytes }, maxBytes);
  }
  const isRest = transfer?.etag != null && heldBytes > 0;
  if (status === 206 && isRest) {
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers["content-range"] ?? "") ?? [];
    const sizeBytes = total === undefined || total === "*" ? transfer.sizeBytes : Number(total);
    const isSame =
      (etag === null || etag === transfer.etag) && sizeBytes === (transfer.sizeBytes ?? sizeBytes);
    // Where nobody says how long the file is, a part of it cannot be told from its rest.
    if (Number(first) !== heldBytes || !isSame || sizeBytes === null) return { step: "anew" };
    return take({ from: heldBytes, etag: transfer.etag, sizeBytes }, maxBytes);
  }
  if (status === 416 && isRest) {
    // RFC 9110 §15.5.17: there is nothing behind what is held.
    const isEnd = transfer.sizeBytes === null && headers["content-range"] === `bytes */${heldBytes}`;
    return isEnd ? { step: "whole", sizeBytes: heldBytes } : { step: "anew" };
  }
  throw refusal(status);
}

function take(body: Omit<Extract<PullStep, { step: "take" }>, "step">, maxBytes: number): PullStep {
  if ((body.sizeBytes ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return { step: "take", ...body };
}

/** RFC 9110 §8.8.3.2: a weak tag says that two files mean the same, not that their bytes are. */
function strongTag(etag: string | undefined): string | null {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : null;
}

/** A later try may mend it: RFC 9110 §15.5.9, RFC 6585 §4, and what servers say of themselves. */
const PASSING = (status: number): boolean =>
  status >= 500 || status === 408 || status === 425 || status === 429;

function refusal(status: number): Failure {
  if (PASSING(status)) return unreachable(`The server that the file is on answers ${status}.`);
  const message = `The server that the file is on answers ${status}. See that the URL is right, open to us and not past its time; retry, or name another one.`;
  // A person can open the file to us; asking by ourselves again would not.
  return new Failure("source", "source_refused", message, { retryable: true });
}

/** The server is away, or breaks off again and again. */
export function unreachable(what: string, cause?: unknown): Failure {
  const message = `${what} See that it is up, then retry; what has come already is kept for a day.`;
  return new Failure("transient", "source_unreachable", message, { cause });
}

/** It comes, but keeps a place for longer than others are to wait for one. */
export function tooSlow({ leastBps, graceSeconds }: PaceLimits): Failure {
  const what = `less than ${leastBps} bits a second in ${graceSeconds} seconds`;
  return unreachable(`The server that the file is on sends too slowly: ${what}.`);
}

/** Another attempt by ourselves would only take more. */
export function tookTooLong(mostSeconds: number): Failure {
  const message = `To fetch the file took more than ${mostSeconds} seconds in all. Retry, and it goes on with what has come already, which is kept for a day; or upload the file.`;
  return new Failure("source", "source_unreachable", message, { retryable: true });
}

export function tooLarge(maxBytes: number, cause?: unknown): Failure {
  const message = `More than ${maxBytes} bytes are not fetched here; upload the file.`;
  return new Failure("source", "source_too_large", message, { cause });
}
