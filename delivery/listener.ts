import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer, type ServerHttp2Session } from "node:http2";
import type { Server as NetServer, Socket } from "node:net";

export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
}

/** A server that does not listen yet, and how it is stopped. */
export interface Listener {
  server: NetServer;
  /** Takes no new connection, lets answers end for `graceMs`, then cuts them off. */
  stop(graceMs: number): Promise<void>;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const LIMITS = {
  // RELIABILITY T40: a slow sender of headers or body holds a connection this long and no longer.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  // Longer than the 60 s that load balancers keep an idle connection, so that they close first.
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
};
/** A reader that takes nothing for this long is gone; a paused player has its buffer and comes back. */
const SILENT_READER_MS = 120_000;

/** HTTP/1.1 without TLS: for behind a proxy that ends it, and on loopback. */
export function plainListener(answer: Answer): Listener {
  let stopping = false;
  const server: Server = createServer(LIMITS, (request, response) => {
    // A connection that was busy when the stop began must not wait out its keep-alive.
    response.once("close", () => stopping && setImmediate(() => server.closeIdleConnections()));
    answer(request, response);
  });
  server.timeout = SILENT_READER_MS;
  return {
    server,
    stop(graceMs) {
      stopping = true;
      const stopped = closed(server, graceMs, () => server.closeAllConnections());
      server.closeIdleConnections();
      return stopped;
    },
  };
}

/** HTTP/2, and HTTP/1.1 for who does not speak it, over TLS 1.2 and newer. */
export function secureListener(tls: TlsFiles, answer: Answer): Listener {
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Map<Socket, number>();
  let stopping = false;
  const server = createSecureServer({ ...LIMITS, ...tls, minVersion: "TLSv1.2", allowHTTP1: true });
  const closeIdle = (socket: Socket): void => {
    if (stopping && sockets.get(socket) === 0) socket.end();
  };
  server.on("secureConnection", (socket) => {
    sockets.set(socket, 0);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("session", (session) => {
    // An HTTP/2 connection ends by its session, not by its socket.
    sockets.delete(session.socket as Socket);
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("request", (request, response) => {
    const { socket } = request as unknown as IncomingMessage;
    if (request.httpVersionMajor === 1) {
      sockets.set(socket, (sockets.get(socket) ?? 0) + 1);
      response.once("close", () => {
        if (sockets.has(socket)) sockets.set(socket, (sockets.get(socket) ?? 1) - 1);
        closeIdle(socket);
      });
    }
    // Node's compatibility API: for what we call, the same methods with the same meaning.
    answer(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  server.setTimeout(SILENT_READER_MS);
  return {
    server,
    stop(graceMs) {
      stopping = true;
      const stopped = closed(server, graceMs, () => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets.keys()) socket.destroy();
      });
      for (const session of sessions) session.close();
      for (const socket of sockets.keys()) closeIdle(socket);
      return stopped;
    },
  };
}

function closed(server: NetServer, graceMs: number, cutOff: () => void): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(cutOff, graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
