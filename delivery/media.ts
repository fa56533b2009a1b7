import type { IncomingMessage, ServerResponse } from "node:http";
import { canonicalPath } from "../core/canonical-path.ts";
import { readClientData } from "../core/cmcd.ts";
import type { CrowdedSessions } from "../core/crowded-sessions.ts";
import { namedCountry } from "../core/edge-report.ts";
import { requestFailure } from "../core/errors.ts";
import { type Asker, nearestAddress } from "../core/grant-limits.ts";
import { newId } from "../core/ids.ts";
import { STEERING_NAME } from "../core/steering.ts";
import type { Log } from "../stores/log.ts";
import type { ClientCounts } from "./client-counts.ts";
import { isDamaged } from "./compared-body.ts";
import { corsHeaders, PREFLIGHT_HEADERS } from "./cors.ts";
import type { Metrics } from "./metrics.ts";
import type { ObjectSource } from "./object-source.ts";
import { problemAnswer } from "./problem.ts";
import { checkGrant, type Gate, GrantRefused, serveObject } from "./serve-object.ts";

/** Headers by which a proxy before us says who asks; null where none does, and such headers are anybody's word. */
export interface TrustedHeaders {
  address: string | null;
  country: string | null;
}

export interface MediaDeps extends Gate {
  source: ObjectSource;
  counts: ClientCounts;
  /** null where nobody would be told. */
  crowds: CrowdedSessions | null;
  corsOrigins: readonly string[];
  trustedHeaders: TrustedHeaders;
  /** Public base of the API, which knows the other edges; null where there are none. */
  steeringUrl: string | null;
  metrics: Metrics;
  log: Log;
}

const PASSED_ON = ["x-forwarded-for", "forwarded", "via"];

/** What the access log says of a request once it is known. */
interface Trace {
  requestId: string;
  path: string;
  bytes: number;
  firstByteMs?: number;
  session?: string;
  /** The player's own name for its session (CMCD). */
  clientSession?: string;
  refusal?: string;
  code?: string;
}

/** Whether a raw request target is the media path's business. */
export function isMediaTarget(target: string): boolean {
  return /^\/v(?:[/?]|$)/.test(target);
}

/**
 * Everything under `/v/`, directly on node:http: a middleware stack costs more than the rest of the way of a segment.
 * Never redirects media (HLS authoring specification 8.18): only the question which edge to play from goes elsewhere.
 */
export async function handleMedia(
  deps: MediaDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedMs = performance.now();
  const trace: Trace = { requestId: requestIdOf(request), path: "(refused)", bytes: 0 };
  deps.metrics.activeStreams.inc();
  response.once("close", () => finish(deps, request, response, trace, startedMs));
  setSharedHeaders(deps, request, response, trace.requestId);
  try {
    await answer(deps, request, response, trace, startedMs);
  } catch (thrown) {
    if (thrown instanceof GrantRefused) trace.refusal = thrown.reason;
    fail(deps, response, trace, thrown);
  }
}

async function answer(
  deps: MediaDeps,
  request: IncomingMessage,
  response: ServerResponse,
  trace: Trace,
  startedMs: number,
): Promise<void> {
  if (request.method === "OPTIONS") {
    const allowed = response.hasHeader("access-control-allow-origin");
    response.writeHead(204, allowed ? PREFLIGHT_HEADERS : {}).end();
    return;
  }
  const rawPath = (request.url ?? "").split("?", 1)[0] ?? "";
  const asker = askerOf(deps.trustedHeaders, request);
  const granted = checkGrant(deps, rawPath, asker);
  trace.path = canonicalPath(granted.path) ?? trace.path;
  trace.session = granted.claims.session;
  deps.crowds?.note(granted.claims.session, placeOf(deps.trustedHeaders, request, asker), deps.nowSeconds());
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD, OPTIONS");
    throw requestFailure(405, "method_not_allowed", "Media can only be read.");
  }
  if (deps.steeringUrl !== null && granted.path === granted.claims.prefix + STEERING_NAME) {
    response
      .writeHead(307, { location: steeringServer(deps.steeringUrl, request), "cache-control": "no-store" })
      .end();
    return;
  }
  noteClient(deps, request, granted.path, asker, trace);
  await serveObject(deps.source, granted.path, request, response, (bytes) => {
    if (trace.bytes === 0) trace.firstByteMs = performance.now() - startedMs;
    trace.bytes += bytes;
  });
}

/** What the player says of itself is counted here; nothing behind this sees a query, so no cache keys by it. */
function noteClient(
  deps: MediaDeps,
  request: IncomingMessage,
  path: string,
  asker: Asker,
  trace: Trace,
): void {
  const said = readClientData(request.url ?? "", request.headers);
  if (said === null) return;
  if (said.sessionId !== null) trace.clientSession = said.sessionId;
  if (request.method === "GET") deps.counts.note(path, namedCountry(asker.country), said);
}

/** The same grant and path at the API, and by which of our names the viewer knows us. */
function steeringServer(steeringUrl: string, request: IncomingMessage): string {
  const [path, query = ""] = (request.url ?? "").split("?", 2);
  // HTTP/2 has `:authority` in its place (RFC 9113 §8.3.1).
  const host = request.headers.host ?? request.headers[":authority"] ?? "";
  const hostname = URL.parse(`http://${host}`)?.hostname ?? "";
  return `${steeringUrl}/steering${path}?edge=${encodeURIComponent(hostname)}&${query}`;
}

function askerOf(trusted: TrustedHeaders, request: IncomingMessage): Asker {
  const header = (name: string | null) => (name === null ? undefined : request.headers[name]?.toString());
  const seen = nearestAddress(header(trusted.address));
  return {
    address: trusted.address === null ? (request.socket.remoteAddress ?? null) : seen,
    country: header(trusted.country) ?? null,
    userAgent: request.headers["user-agent"] ?? null,
  };
}

/** Where a viewer is; null where a proxy that nobody told us of stands between: its addresses are no viewers'. */
function placeOf(trusted: TrustedHeaders, { headers }: IncomingMessage, { address }: Asker): string | null {
  const isPassedOn = PASSED_ON.some((name) => headers[name] !== undefined);
  return trusted.address === null && isPassedOn ? null : address;
}

function setSharedHeaders(
  deps: MediaDeps,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) {
  const cors = corsHeaders(deps.corsOrigins, request.headers.origin);
  for (const [name, value] of Object.entries(cors)) response.setHeader(name, value);
  // Pages under COEP may embed what they were given an address for.
  response.setHeader("cross-origin-resource-policy", "cross-origin");
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("x-request-id", requestId);
  if (!deps.corsOrigins.includes("*")) response.setHeader("vary", "Origin");
}

/** An answer where none has begun; a broken connection where one has, so that a cut body is not taken for whole. */
function fail(deps: MediaDeps, response: ServerResponse, trace: Trace, thrown: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    trace.code = isDamaged(thrown) ? thrown.code : "cut_off";
    return;
  }
  const problem = problemAnswer(thrown);
  trace.code = problem.code;
  if (problem.status >= 500)
    deps.log.error({ requestId: trace.requestId, err: thrown }, "media request failed");
  response.writeHead(problem.status, problem.headers).end(problem.body);
}

/** One line and one count a request, whatever became of it. The path is logged without its grant. */
function finish(
  deps: MediaDeps,
  request: IncomingMessage,
  response: ServerResponse,
  trace: Trace,
  startedMs: number,
) {
  const status = response.headersSent ? response.statusCode : 0;
  deps.metrics.activeStreams.dec();
  deps.metrics.requests.inc({ status: String(status) });
  deps.metrics.bytes.inc(trace.bytes);
  if (trace.firstByteMs !== undefined) deps.metrics.firstByteSeconds.observe(trace.firstByteMs / 1_000);
  if (trace.refusal !== undefined) deps.metrics.refusals.inc({ reason: trace.refusal });
  const durationMs = Math.round(performance.now() - startedMs);
  deps.log.info({ ...trace, method: request.method, status, durationMs }, "media request");
}

/** The caller's id for the request where it is plain text, else one of ours. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : newId("rq");
}
