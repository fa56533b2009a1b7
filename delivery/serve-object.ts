import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { answerFor, needsFactsFirst, type ObjectAnswer, type ObjectRequest } from "../core/delivery-rules.ts";
import { Failure, notFound, requestFailure } from "../core/errors.ts";
import { type GrantClaims, type GrantKey, splitGrantedPath, verifyGrant } from "../core/grant.ts";
import type { Blobs, OpenedBlob } from "../stores/blobs.ts";
import { watchIdle } from "../stores/blobs-download.ts";

/** Longest text we unpack for a client without gzip: a three-hour playlist has about 0.3 MB. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

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

/** What the grant in `rawPath` lets be read. Nothing is looked up before this (RELIABILITY T26, T31). */
export function checkGrant(keys: readonly GrantKey[], rawPath: string, nowSeconds: number): Granted {
  const split = splitGrantedPath(rawPath);
  if (split === null) throw new GrantRefused("malformed");
  const verdict = verifyGrant(keys, split.grant, split.path, nowSeconds);
  if (!verdict.ok) throw new GrantRefused(verdict.reason);
  return { path: split.path, claims: verdict.claims };
}

/**
 * Answers with the object at `path`, streamed from the store at the reader's pace; a reader who goes away ends the
 * read from the store as well. Throws a `Failure` only while nothing has been sent; a body that breaks off later
 * breaks the connection, so that no client takes it for whole.
 */
export async function serveObject(
  blobs: Blobs,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const asked = objectRequest(request, path);
  const gone = new AbortController();
  response.once("close", () => gone.abort(new Error("the client went away")));
  const { answer, opened } = await decide(blobs, asked, gone.signal);
  try {
    refuseCondition(answer, response);
    const plain = answer.body.kind === "gunzipped" && opened !== null ? await unpacked(opened) : null;
    if (plain !== null) response.setHeader("content-length", plain.byteLength);
    for (const [name, value] of Object.entries(answer.headers)) response.appendHeader(name, value);
    response.writeHead(answer.status);
    if (plain !== null) {
      onBytes(plain.byteLength);
      response.end(plain);
    } else if (opened === null) response.end();
    else await pipeline(counted(opened.body, onBytes), response);
  } finally {
    opened?.body.destroy();
  }
}

function refuseCondition(answer: ObjectAnswer, response: ServerResponse): void {
  if (answer.status === 412) throw requestFailure(412, "precondition_failed", "The object is another one.");
  if (answer.status !== 416) return;
  // RFC 9110 §15.5.17: a 416 SHOULD say how long the object is.
  response.setHeader("content-range", answer.headers["content-range"] ?? "");
  throw requestFailure(416, "range_not_satisfiable", "The range starts behind the end of the object.");
}

/** The idle watch runs only while we wait for the store: a slow reader is the socket timeout's business. */
async function* counted(body: Readable, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const piece of watchIdle(body)) {
    onBytes(piece.byteLength);
    yield piece;
  }
}

/** Head and, where it has a body, the opened object. A plain GET costs the store one request, any other two. */
async function decide(
  blobs: Blobs,
  asked: ObjectRequest,
  signal: AbortSignal,
): Promise<{ answer: ObjectAnswer; opened: OpenedBlob | null }> {
  const key = asked.path.slice(1);
  if (!needsFactsFirst(asked)) {
    const opened = await blobs.open("media", key, { signal });
    if (opened === null) throw notFound("object");
    return { answer: answerFor(asked, opened.facts), opened };
  }
  const facts = await blobs.head("media", key);
  if (facts === null) throw notFound("object");
  const answer = answerFor(asked, facts);
  if (asked.method === "HEAD" || answer.body.kind === "none") return { answer, opened: null };
  const range = answer.body.kind === "stored" ? answer.body.range : undefined;
  const opened = await blobs.open("media", key, { range, ifMatch: facts.etag, signal });
  if (opened === null) throw notFound("object");
  return { answer, opened };
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

async function unpacked(opened: OpenedBlob): Promise<Buffer> {
  if (opened.lengthBytes > MAX_TEXT_BYTES)
    throw new Failure("ours", "text_too_long", "A stored text is too long.");
  const pieces: Buffer[] = [];
  for await (const piece of watchIdle(opened.body)) pieces.push(piece);
  return unpack(Buffer.concat(pieces), { maxOutputLength: MAX_TEXT_BYTES });
}
