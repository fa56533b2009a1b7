import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { ByteRange } from "../../core/byte-ranges.ts";

/** The store as one worker reaches it, where what comes back is counted. */
export interface CountingStore {
  endpoint: string;
  /** Of each object, by `bucket/key`: a span for each answer, as long as what was passed on of it. */
  reads: ReadonlyMap<string, readonly ByteRange[]>;
  /** Bytes of listings. */
  listedBytes(): number;
  /** Answers that the worker did not take to their end: of these it may have read less than was passed on. */
  brokenOff(): number;
  close(): void;
}

/**
 * Opens one on loopback, before the store at `target`. Requests pass as they are, host and signature too: that name is what a worker signed.
 */
export async function openCountingStore(target: URL): Promise<CountingStore> {
  const agent = new Agent({ keepAlive: true });
  const reads = new Map<string, ByteRange[]>();
  let listedBytes = 0;
  let brokenOff = 0;
  const count = (asked: IncomingMessage, answer: IncomingMessage): void => {
    const isOfBytes = answer.statusCode === 200 || answer.statusCode === 206;
    if (asked.method !== "GET" || !isOfBytes) return;
    const name = objectOf(asked.url ?? "");
    const start = firstByteOf(answer);
    const span = { start, end: start };
    if (name !== null) reads.set(name, [...(reads.get(name) ?? []), span]);
    answer.on("data", (piece: Buffer) => {
      span.end += piece.length;
      if (name === null) listedBytes += piece.length;
    });
    answer.once("close", () => {
      if (!answer.complete) brokenOff++;
    });
  };
  const server = createServer((asked: IncomingMessage, answered: ServerResponse) => {
    const { method, url: path, headers } = asked;
    const passed = request({ host: target.hostname, port: target.port, agent, method, path, headers });
    const end = (): void => void answered.destroy();
    passed.once("response", (answer) => {
      count(asked, answer);
      answered.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      pipeline(answer, answered, () => undefined);
    });
    answered.once("close", () => passed.destroy());
    pipeline(asked, passed, (error) => error && end());
    passed.once("error", end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reads,
    listedBytes: () => listedBytes,
    brokenOff: () => brokenOff,
    close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** `bucket/key`; null of a request for a whole bucket, which lists it. */
function objectOf(url: string): string | null {
  const { pathname } = new URL(url, "http://store");
  const name = decodeURIComponent(pathname.slice(1));
  return name.indexOf("/") > 0 && !name.endsWith("/") ? name : null;
}

function firstByteOf({ headers }: IncomingMessage): number {
  return Number(/^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1] ?? 0);
}
