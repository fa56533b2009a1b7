import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { handleMedia, isMediaTarget, type MediaDeps } from "./media.ts";
import { operationsApp } from "./operations.ts";

export interface DeliveryApp {
  server: Server;
  /** Takes no new connection, lets streams end for `graceMs`, then cuts them off. */
  stop(graceMs: number): Promise<void>;
}

/** The edge as a server that does not listen yet: media under `/v/`, operations beside it. */
export function createDelivery(deps: MediaDeps & { maxConnections: number }): DeliveryApp {
  let stopping = false;
  const app = operationsApp({ ...deps, isStopping: () => stopping });
  const operations = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(
    {
      // RELIABILITY T40: a slow sender of headers or body holds a connection this long and no longer.
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 2_000,
      // Longer than the 60 s that load balancers keep an idle connection, so that they close first.
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16_384,
      insecureHTTPParser: false,
    },
    (request, response) => {
      if (stopping) response.setHeader("connection", "close");
      // A connection that was busy when the stop began must not wait out its keep-alive.
      response.once("close", () => stopping && setImmediate(() => server.closeIdleConnections()));
      if (isMediaTarget(request.url ?? "")) void handleMedia(deps, request, response);
      else void operations(request, response);
    },
  );
  // A reader that takes nothing for this long is gone; a paused player has its buffer and comes back.
  server.timeout = 120_000;
  server.maxConnections = deps.maxConnections;
  return {
    server,
    stop: (graceMs) => {
      stopping = true;
      return closed(server, graceMs);
    },
  };
}

function closed(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
