import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { answerFor, needsFactsFirst, type ObjectAnswer, type ObjectRequest } from "../core/delivery-rules.ts";
import { Failure, notFound, requestFailure } from "../core/errors.ts";
import { type GrantClaims, type GrantKey, splitGrantedPath, verifyGrant } from "../core/grant.ts";
import type { Asker } from "../core/grant-limits.ts";
import { isRevoked, type Revocations } from "../core/revocation.ts";
import type { FoundObject, ObjectSource } from "./object-source.ts";

/** Longest text we unpack for a client without gzip: a three-hour playlist has about 0.3 MB. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** hls.js gives a request up after ten seconds without an answer: it hears before that, and why. */
const LONGEST_SILENCE_MS = 9_500;

const unpack = promisify(gunzip);

export interface Granted {
  /** Canonical, below `/v/<grant>`; without its slash the key in the media bucket. */
  path: string;
  claims: GrantClaims;
}

/** A request whose grant was not good, for the log and the counters; the caller is told one thing only. */
export class GrantRefused extends Failure {
  readonly reason: string;

  constructor(reason: string) {
    super("request", "grant_refused", "This address is not valid, or no longer.", { status: 403 });
    this.reason = reason;
  }
}

/** What grants are judged by. */
export interface Gate {
  grantKeys(): readonly GrantKey[];
  revocations(): Revocations;
  nowSeconds(): number;
}

/** What the grant in `rawPath` lets be read. Nothing is looked up before this (RELIABILITY T26, T31). */
export function checkGrant(gate: Gate, rawPath: string, asker: Asker): Granted {
  const split = splitGrantedPath(rawPath);
  if (split === null) throw new GrantRefused("malformed");
  const verdict = verifyGrant(gate.grantKeys(), split.grant, split.path, gate.nowSeconds(), asker);
  if (!verdict.ok) throw new GrantRefused(verdict.reason);
  if (isRevoked(gate.revocations(), verdict)) throw new GrantRefused("revoked");
  return { path: split.path, claims: verdict.claims };
}

/**
 * Answers with the object at `path`, at the reader's pace; a reader who goes away ends the read from the store as well.
 * Throws a `Failure` only while nothing has been sent; a body that breaks off later breaks the connection, so that no
 * client takes it for whole.
 */
export async function serveObject(
  source: ObjectSource,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const asked = objectRequest(request, path);
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  void closed.then(() => gone.abort(new Error("the client went away")));
  const wanted = asked.method === "HEAD" ? "head" : needsFactsFirst(asked) ? "part" : "whole";
  const silent = setTimeout(() => gone.abort(tooLong()), LONGEST_SILENCE_MS);
  const found = await source
    .find(path.slice(1), { wanted, signal: gone.signal })
    .finally(() => clearTimeout(silent));
  if (found === null) throw notFound("object");
  // A reader who leaves while the store is silent must not be waited for.
  void closed.then(() => found.close());
  try {
    const answer = answerFor(asked, found.facts);
    refuseCondition(answer, response);
    const body = await bodyOf(asked, answer, found);
    if (answer.body.kind === "gunzipped" && Buffer.isBuffer(body))
      response.setHeader("content-length", body.byteLength);
    for (const [name, value] of Object.entries(answer.headers)) response.appendHeader(name, value);
    response.writeHead(answer.status);
    if (body === null) response.end();
    else if (Buffer.isBuffer(body)) {
      onBytes(body.byteLength);
      response.end(body);
      // Until the kernel has it all: who holds the bytes must not give them up before.
      await closed;
    } else await pipeline(counted(body, onBytes), response);
  } finally {
    found.close();
  }
}

function tooLong(): Failure {
  const message = "The blob store has not answered yet.";
  return new Failure("transient", "blob_store_unavailable", message, { retryAfterSeconds: 5 });
}

/** null where the answer has none; a HEAD of a text that would be unpacked has none either, and no length. */
async function bodyOf(
  asked: ObjectRequest,
  { body }: ObjectAnswer,
  found: FoundObject,
): Promise<Buffer | AsyncIterable<Buffer> | null> {
  if (asked.method === "HEAD" || body.kind === "none") return null;
  if (body.kind === "stored") return found.read(body.range);
  if (found.facts.sizeBytes > MAX_TEXT_BYTES)
    throw new Failure("ours", "text_too_long", "A stored text is too long.");
  const packed = await found.read();
  const bytes = Buffer.isBuffer(packed) ? packed : Buffer.concat(await Array.fromAsync(packed));
  return unpack(bytes, { maxOutputLength: MAX_TEXT_BYTES });
}

function refuseCondition(answer: ObjectAnswer, response: ServerResponse): void {
  if (answer.status === 412) throw requestFailure(412, "precondition_failed", "The object is another one.");
  if (answer.status !== 416) return;
  // RFC 9110 §15.5.17: a 416 SHOULD say how long the object is.
  response.setHeader("content-range", answer.headers["content-range"] ?? "");
  throw requestFailure(416, "range_not_satisfiable", "The range starts behind the end of the object.");
}

async function* counted(
  body: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const piece of body) {
    onBytes(piece.byteLength);
    yield piece;
  }
}

function objectRequest(request: IncomingMessage, path: string): ObjectRequest {
  const { headers } = request;
  return {
    method: request.method === "HEAD" ? "HEAD" : "GET",
    path,
    acceptEncoding: textOf(headers["accept-encoding"]),
    conditions: {
      ifMatch: headers["if-match"],
      ifNoneMatch: headers["if-none-match"],
      ifModifiedSince: headers["if-modified-since"],
      ifUnmodifiedSince: headers["if-unmodified-since"],
      ifRange: textOf(headers["if-range"]),
      range: headers.range,
    },
  };
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(",") : header;
}
