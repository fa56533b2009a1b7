import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { REVOCATION_KINDS } from "../core/revocation.ts";
import type { Blobs } from "../stores/blobs.ts";
import { type Listener, plainListener, secureListener, type TlsFiles } from "./listener.ts";
import { loadMeter } from "./load-meter.ts";
import { handleMedia, isMediaTarget, type MediaDeps } from "./media.ts";
import { type EdgeState, operationsApp } from "./operations.ts";

export interface DeliveryDeps extends MediaDeps {
  blobs: Blobs;
  state: EdgeState;
  maxConnections: number;
  /** Certificate and key in PEM; null speaks plain HTTP. */
  tls: TlsFiles | null;
}

export interface DeliveryApp {
  server: Listener["server"];
  /** Takes no new connection, lets streams end for `graceMs`, then cuts them off. */
  stop(graceMs: number): Promise<void>;
}

/** The edge as a server that does not listen yet: media under `/v/`, operations beside it. */
export function createDelivery(deps: DeliveryDeps): DeliveryApp {
  const { metrics, revocations, state } = deps;
  metrics.watchRevocations({
    ageSeconds: state.revocationsAgeSeconds,
    entries: () => REVOCATION_KINDS.reduce((sum, kind) => sum + revocations()[kind].size, 0),
  });
  let stopping = false;
  const load = loadMeter(() => listener.server, deps.maxConnections);
  const app = operationsApp({ ...deps, load, isStopping: () => stopping });
  const operations = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    // HTTP/2 has no such header (RFC 9113 §8.2.2); its connections are told to go away as a whole.
    if (stopping && request.httpVersionMajor === 1) response.setHeader("connection", "close");
    if (isMediaTarget(request.url ?? "")) void handleMedia(deps, request, response);
    else void operations(request, response);
  };
  const listener = deps.tls === null ? plainListener(answer) : secureListener(deps.tls, answer);
  listener.server.maxConnections = deps.maxConnections;
  return {
    server: listener.server,
    stop: (graceMs) => {
      stopping = true;
      return listener.stop(graceMs);
    },
  };
}
