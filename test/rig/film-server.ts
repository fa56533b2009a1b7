import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the server saw it. */
export interface FilmRequest {
  path: string;
  headers: IncomingMessage["headers"];
  /** Of the answer's body, as far as it was handed on. */
  sentBytes: number;
  /** Whoever asked went before all was sent. */
  isCutByClient: boolean;
}

/** A server of films somewhere on this machine. */
export interface FilmServer {
  url: string;
  connections: number;
  requests: FilmRequest[];
  close(): void;
}

/** How one request is answered; `serveFile` is the usual way. */
export type FilmAnswer = (request: IncomingMessage, response: ServerResponse, seen: FilmRequest) => void;

/** Listens on one address of this machine; `answer` may change from request to request. */
export async function startFilmServer(answer: FilmAnswer, host = "127.0.0.1"): Promise<FilmServer> {
  const films: FilmServer = {
    url: "",
    connections: 0,
    requests: [],
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  const server = createServer((request, response) => {
    const { url: path = "", headers } = request;
    const seen: FilmRequest = { path, headers, sentBytes: 0, isCutByClient: false };
    films.requests.push(seen);
    response.on("close", () => {
      seen.isCutByClient = !response.writableFinished;
    });
    answer(request, response, seen);
  });
  server.on("connection", () => {
    films.connections += 1;
  });
  server.listen(0, host);
  await once(server, "listening");
  films.url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return films;
}

/** What becomes of an answer's body: all of it is sent, or it ends, or falls silent, behind that byte of the file. */
export interface Trouble {
  cutAt?: number;
  silentFrom?: number;
}

/** A file with its tag, or the rest of it where that is asked for by the same tag. */
export function serveFile(bytes: Buffer, etag: string, trouble: Trouble = {}): FilmAnswer {
  return (request, response, seen) => {
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    const isRest = from !== undefined && request.headers["if-range"] === etag;
    const start = isRest ? Number(from) : 0;
    response.writeHead(isRest ? 206 : 200, {
      etag,
      "accept-ranges": "bytes",
      "content-length": bytes.length - start,
      ...(isRest ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    const stop = trouble.cutAt ?? trouble.silentFrom ?? bytes.length;
    const body = bytes.subarray(start, Math.max(start, stop));
    seen.sentBytes = body.length;
    if (trouble.silentFrom !== undefined) response.write(body);
    else if (trouble.cutAt !== undefined) response.write(body, () => response.destroy());
    else response.end(body);
  };
}
