import { lookup } from "node:dns/promises";
import { type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { Failure } from "../core/errors.ts";
import { isReachable, type Network } from "../core/public-address.ts";
import { addressIn, checkUrl, URL_FAULT_WORDS, type UrlFault } from "../core/public-url.ts";

/**
 * Requests to where a stranger says (RELIABILITY T24, T25). The addresses that a name has are checked in the lookup of
 * the connection itself, so the one that is connected to is one that was checked: a name that answers otherwise the next
 * time gains nothing. No proxy, cookie or pooled connection is used, and each redirect is looked at like the first URL.
 */

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<string[]>;

export interface PublicRequest {
  url: string;
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: Buffer;
  /** What the operator allows beside the public internet. */
  networks: readonly Network[];
  /** How many redirects of a GET are followed; a POST's never are. None unless said. */
  mostRedirects?: number;
  /** From the beginning of each hop to the headers of its answer. */
  headersMs: number;
  /** How long the body may stay silent. */
  idleMs: number;
  /** What the body may have at most. */
  maxBytes: number;
  signal?: AbortSignal;
  /** The system's own unless given. */
  resolve?: Resolve;
}

/** The body is to be read to its end, or `close` called. */
export interface PublicAnswer {
  status: number;
  /** By name in lower case; of a header that came more than once, what Node makes of it. */
  headers: Record<string, string | undefined>;
  /** Where it came from in the end. */
  url: string;
  /** Pieces of at most 64 KiB; throws as `publicFetch` does. */
  body: AsyncIterable<Buffer>;
  close(): void;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends one request and gives the answer once its headers are there, whatever its status. Throws a Failure whose words name
 * neither the URL nor an address: `url_refused` (a `source` failure, as are all that another try will not mend),
 * `redirects_refused`, `answer_too_large`; `host_unreachable` and `answer_late` are transient. The signal's reason comes
 * out as it is.
 */
export async function publicFetch(request: PublicRequest): Promise<PublicAnswer> {
  const mostRedirects = request.body === undefined ? (request.mostRedirects ?? 0) : 0;
  let url = checked(request.url, request.networks);
  for (let hops = 0; ; hops++) {
    const answer = await ask(url, request);
    const location = REDIRECTS.has(answer.statusCode ?? 0) ? answer.headers.location : undefined;
    if (location === undefined || request.method === "POST") return opened(answer, url, request);
    answer.destroy();
    if (hops >= mostRedirects)
      throw new Failure("source", "redirects_refused", `It leads on more than ${mostRedirects} times.`);
    const next = checked(
      URL.canParse(location, url) ? new URL(location, url).href : location,
      request.networks,
    );
    // What was asked for in secret is not to be told to all on the way.
    if (url.protocol === "https:" && next.protocol === "http:")
      throw new Failure(
        "source",
        "redirects_refused",
        "It leads from https on to http, where others can read along.",
      );
    url = next;
  }
}

function checked(text: string, networks: readonly Network[]): URL {
  const looked = checkUrl(text, networks);
  if ("fault" in looked) throw refused(looked.fault);
  return looked.url;
}

function refused(fault: UrlFault): Failure {
  return new Failure("source", "url_refused", `The URL, or where it leads to, ${URL_FAULT_WORDS[fault]}.`);
}

/** One hop: resolves with the answer's headers there and nothing of its body read. */
function ask(url: URL, request: PublicRequest): Promise<IncomingMessage> {
  const { method = "GET", headers, body, signal, headersMs } = request;
  signal?.throwIfAborted();
  const options = {
    method,
    // A connection of its own, by no proxy that the environment names.
    agent: false as const,
    host: addressIn(url) ?? url.hostname,
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, "user-agent": "Matinee", "accept-encoding": "identity", ...headers },
    lookup: checkedLookup(request),
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = (url.protocol === "https:" ? secureRequest : plainRequest)(options);
    const timer = setTimeout(() => sent.destroy(late()), headersMs);
    const onAbort = () => sent.destroy();
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort);
    sent.once("response", (answer) => {
      over();
      resolve(answer);
    });
    sent.on("error", (thrown) => {
      over();
      reject(translated(thrown, signal));
    });
    sent.end(body);
  });
}

/** Only asked for names: an address in the URL itself has been looked at before. */
function checkedLookup({ networks, resolve = resolveBySystem }: PublicRequest): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const good = addresses.filter((address) => isReachable(address, networks));
        const [first] = good;
        if (first === undefined) callback(refused("address"), []);
        else if (options.all)
          callback(
            null,
            good.map((address) => ({ address, family: isIP(address) })),
          );
        else callback(null, first, isIP(first));
      },
      (thrown) => callback(thrown, []),
    );
  };
}

async function resolveBySystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

function opened(answer: IncomingMessage, url: URL, request: PublicRequest): PublicAnswer {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(answer.headers))
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return {
    status: answer.statusCode ?? 0,
    headers,
    url: url.href,
    body: watched(answer, request),
    close: () => void answer.destroy(),
  };
}

/** The body's pieces, none too late and all together not too many. */
async function* watched(
  answer: IncomingMessage,
  { idleMs, maxBytes, signal }: PublicRequest,
): AsyncGenerator<Buffer> {
  const silent = () => answer.destroy(late());
  const onAbort = () => answer.destroy();
  let timer = setTimeout(silent, idleMs);
  let bytes = 0;
  signal?.addEventListener("abort", onAbort);
  try {
    signal?.throwIfAborted();
    for await (const piece of answer) {
      clearTimeout(timer);
      bytes += piece.length;
      if (bytes > maxBytes)
        throw new Failure("source", "answer_too_large", "It sends more than is taken here.");
      yield piece;
      timer = setTimeout(silent, idleMs);
    }
    // A body that ends early with neither an error nor all that was announced is a cut one.
    if (!answer.complete) throw unreachable(undefined);
  } catch (thrown) {
    throw translated(thrown, signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    answer.destroy();
  }
}

function translated(thrown: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  return thrown instanceof Failure ? thrown : unreachable(thrown);
}

function unreachable(cause: unknown): Failure {
  return new Failure("transient", "host_unreachable", "It cannot be reached, or breaks off.", { cause });
}

function late(): Failure {
  return new Failure("transient", "answer_late", "It does not answer in time, or falls silent.");
}
