import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { Failure } from "../../core/errors.ts";
import { parseNetworks } from "../../core/public-address.ts";
import { type PublicRequest, publicFetch, type Resolve } from "../../stores/public-fetch.ts";

const LOOPBACK = parseNetworks("127.0.0.0/8");

interface Listener {
  url: string;
  port: number;
  connections: number;
  requests: { method: string; url: string; headers: Record<string, unknown>; body: string }[];
}

/** A server on one address of this machine that counts who connects. */
async function listen(t: TestContext, host: string | null, answer: RequestListener): Promise<Listener> {
  const listener: Listener = { url: "", port: 0, connections: 0, requests: [] };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const { method = "", url = "", headers } = request;
    listener.requests.push({ method, url, headers, body });
    answer(request, response);
  });
  server.on("connection", () => {
    listener.connections += 1;
  });
  // With no host: at all addresses of this machine.
  if (host === null) server.listen(0);
  else server.listen(0, host);
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  listener.port = (server.address() as AddressInfo).port;
  listener.url = `http://${host ?? "127.0.0.1"}:${listener.port}`;
  return listener;
}

const hello: RequestListener = (_request, response) => response.end("hello");

async function fetched(url: string, over: Partial<PublicRequest> = {}) {
  const limits = { networks: [], headersMs: 5_000, idleMs: 5_000, maxBytes: 1_000 };
  const answer = await publicFetch({ url, ...limits, ...over });
  const pieces: Buffer[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return {
    status: answer.status,
    headers: answer.headers,
    url: answer.url,
    text: Buffer.concat(pieces).toString(),
  };
}

/** Fails with this code, and says nothing of where. */
async function refusedAs(code: string, url: string, over: Partial<PublicRequest> = {}): Promise<void> {
  await assert.rejects(fetched(url, over), (thrown: Failure) => {
    assert.equal(thrown.code, code, `${url}: ${thrown.message}`);
    assert.doesNotMatch(thrown.message, /\d+\.\d+|secret|https?:\/\//);
    return true;
  });
}

/** Spellings of this machine, by which a listener at `port` would hear of a request. */
function spellings(port: number): string[] {
  const hosts = [
    ...[
      "127.0.0.1",
      "127.1",
      "127.0.1",
      "2130706433",
      "0x7f000001",
      "0x7f.0.0.1",
      "0x7f.1",
      "017700000001",
      "0177.0.0.1",
    ],
    ...[
      "0177.0.0x1",
      "127.0.0.1.",
      "0",
      "0.0.0.0",
      "00.0.0.0",
      "localhost",
      "LOCALHOST",

      "127。0。0。1",
    ],
    ...[
      "%31%32%37.0.0.1",
      "①②⑦.⓪.⓪.①",
      "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]",
      "[::ffff:7f00:0001]",
      "[0:0:0:0:0:ffff:127.0.0.1]",
    ],
    ...[
      "[::]",
      "[::1]",
      "[0:0:0:0:0:0:0:1]",
      "[::127.0.0.1]",
      "[::ffff:0:0]",
      "[::ffff:0:7f00:1]",
      "[64:ff9b::7f00:1]",
    ],
  ];
  const forms = hosts.flatMap((host) => [`http://${host}:${port}/?secret`, `https://${host}:${port}/`]);
  return [...forms, `http:\\\\127.0.0.1:${port}\\`, `http:127.0.0.1:${port}`, `http:/127.0.0.1:${port}`];
}

test("T24: of all spellings of this machine none is connected to, neither first nor by a redirect", async (t) => {
  const canary = await listen(t, null, hello);
  const urls = spellings(canary.port);
  assert.ok(urls.length >= 60);
  for (const url of urls) await refusedAs("url_refused", url);
  // From a place that is allowed, back to one that is not.
  let location = "";
  const turn = await listen(t, "127.0.0.2", (_request, response) =>
    response.writeHead(302, { location: Buffer.from(location).toString("latin1") }).end(),
  );
  for (location of urls.filter((url) => url.includes("//")))
    await refusedAs("url_refused", turn.url, { networks: parseNetworks("127.0.0.2/32"), mostRedirects: 3 });
  assert.ok(turn.connections >= 60);
  assert.equal(canary.connections, 0);
});

test("T24: a name that answers otherwise each time leads only to what was checked", async (t) => {
  const canary = await listen(t, "127.0.0.1", hello);
  const allowed = parseNetworks("127.0.0.2/32");
  let asked = 0;
  const rebinding: Resolve = async () => [asked++ % 2 === 0 ? "127.0.0.2" : "127.0.0.1"];
  const outcomes: string[] = [];
  for (let turn = 0; turn < 20; turn++)
    await fetched(`http://films.example:${canary.port}/`, { networks: allowed, resolve: rebinding }).then(
      () => outcomes.push("came"),
      (thrown: Failure) => outcomes.push(thrown.code),
    );
  // Nobody listens at the address that is allowed, so each of its turns was really tried there.
  assert.deepEqual(
    outcomes,
    Array.from({ length: 20 }, (_, turn) => (turn % 2 === 0 ? "host_unreachable" : "url_refused")),
  );
  // A name with both kinds of addresses: only the good one.
  await refusedAs("host_unreachable", `http://films.example:${canary.port}/`, {
    networks: allowed,
    resolve: async () => ["127.0.0.1", "::1", "127.0.0.2"],
  });
  assert.equal(canary.connections, 0);
});

test("a name is asked for once a hop, and its request goes to the host that it names", async (t) => {
  const listener = await listen(t, "127.0.0.1", hello);
  const names: string[] = [];
  const resolve: Resolve = async (name) => {
    names.push(name);
    return ["127.0.0.1"];
  };
  const url = `http://films.example:${listener.port}/a?b=c`;
  assert.deepEqual((await fetched(url, { networks: LOOPBACK, resolve })).text, "hello");
  assert.deepEqual(names, ["films.example"]);
  assert.equal(listener.requests[0]?.headers.host, `films.example:${listener.port}`);
  assert.equal(listener.requests[0]?.url, "/a?b=c");
});

test("T24: three redirects are followed and four are not, and no cookie goes with them", async (t) => {
  const listener = await listen(t, "127.0.0.1", ({ url = "" }, response) => {
    const left = Number(url.slice(1));
    if (left === 0) response.end("there");
    else response.writeHead(302, { location: `/${left - 1}`, "set-cookie": "a=b" }).end();
  });
  const over = { networks: LOOPBACK, mostRedirects: 3 };
  const answer = await fetched(`${listener.url}/3`, over);
  assert.deepEqual([answer.status, answer.text, answer.url], [200, "there", `${listener.url}/0`]);
  await refusedAs("redirects_refused", `${listener.url}/4`, over);
  assert.equal(listener.requests.filter(({ headers }) => "cookie" in headers).length, 0);
  // Unless redirects are asked for, the answer is the redirect's own.
  await refusedAs("redirects_refused", `${listener.url}/1`, { networks: LOOPBACK });
});

test("a body is sent as it is, and a redirect of it is an answer like others", async (t) => {
  const listener = await listen(t, "127.0.0.1", (_request, response) =>
    response.writeHead(307, { location: "/elsewhere" }).end("no"),
  );
  const body = Buffer.from("{}");
  const over: Partial<PublicRequest> = {
    networks: LOOPBACK,
    method: "POST",
    body,
    headers: { "x-a": "b" },
    mostRedirects: 3,
  };
  const answer = await fetched(listener.url, over);
  assert.deepEqual([answer.status, answer.text], [307, "no"]);
  assert.deepEqual(
    listener.requests.map((one) => [one.method, one.body, one.headers["x-a"]]),
    [["POST", "{}", "b"]],
  );
});

test("bodies that are endless, silent or cut end with a word of their own", async (t) => {
  const kinds: Record<string, RequestListener> = {
    "/endless": (_request, response) => {
      const piece = Buffer.alloc(64 * 1024);
      const more = () => {
        while (!response.destroyed && response.write(piece));
        response.once("drain", more);
      };
      more();
    },
    "/silent": (_request, response) => response.write("a"),
    "/mute": () => undefined,
    "/cut": (_request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("abc", () => response.destroy());
    },
    "/chunked-cut": (_request, response) => void response.write("abc", () => response.destroy()),
    "/whole": (_request, response) => response.end("x".repeat(1_000)),
  };
  const listener = await listen(t, "127.0.0.1", (request, response) =>
    kinds[request.url ?? ""]?.(request, response),
  );
  const short = { networks: LOOPBACK, headersMs: 100, idleMs: 100 };
  await refusedAs("answer_too_large", `${listener.url}/endless`, { networks: LOOPBACK });
  await refusedAs("answer_late", `${listener.url}/silent`, short);
  await refusedAs("answer_late", `${listener.url}/mute`, short);
  await refusedAs("host_unreachable", `${listener.url}/cut`, { networks: LOOPBACK });
  await refusedAs("host_unreachable", `${listener.url}/chunked-cut`, { networks: LOOPBACK });
  await refusedAs("host_unreachable", "http://127.0.0.3:65123/", { networks: LOOPBACK });
  assert.equal((await fetched(`${listener.url}/whole`, { networks: LOOPBACK })).text.length, 1_000);
});

test("whoever asked may end it at any time, and an answer that nobody reads goes quietly", async (t) => {
  const listener = await listen(t, "127.0.0.1", ({ url }, response) => {
    if (url === "/begun") response.write("a");
  });
  const reason = new Error("enough");
  for (const path of ["/mute", "/begun"]) {
    const controller = new AbortController();
    const whole = fetched(`${listener.url}${path}`, { networks: LOOPBACK, signal: controller.signal });
    while (!listener.requests.some(({ url }) => url === path)) await new Promise(setImmediate);
    controller.abort(reason);
    await assert.rejects(whole, reason);
  }
  const gone = AbortSignal.abort(reason);
  await assert.rejects(fetched(listener.url, { networks: LOOPBACK, signal: gone }), reason);
  const limits = { networks: LOOPBACK, headersMs: 5_000, idleMs: 5_000, maxBytes: 1 };
  (await publicFetch({ url: `${listener.url}/begun`, ...limits })).close();
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const withOpenssl = { skip: hasOpenssl ? false : "there is no openssl to make a certificate with" };

function certificateOf(t: TestContext, name: string): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), "matinee-tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

test("a server must prove its name, and does not lead from https to http", withOpenssl, async (t) => {
  const plain = await listen(t, "127.0.0.1", (_request, response) =>
    response.writeHead(302, { location: `https://films.example:${port}/` }).end(),
  );
  const tls = certificateOf(t, "films.example");
  const paths: string[] = [];
  const server = createSecureServer(tls, ({ url = "" }, response) => {
    paths.push(url);
    if (url === "/down") response.writeHead(302, { location: `${plain.url}/` }).end();
    else response.end("hello");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const over = { networks: LOOPBACK, mostRedirects: 3, resolve: async () => ["127.0.0.1"] };
  const url = `https://films.example:${port}`;
  await refusedAs("host_unreachable", url, over);
  const trusted = getCACertificates("default");
  t.after(() => setDefaultCACertificates(trusted));
  setDefaultCACertificates([...trusted, tls.cert]);
  assert.equal((await fetched(url, over)).text, "hello");
  await refusedAs("host_unreachable", `https://other.example:${port}`, over);
  await assert.rejects(fetched(`${url}/down`, over), {
    code: "redirects_refused",
    message: "It leads from https on to http, where others can read along.",
  });
  assert.equal((await fetched(plain.url, over)).text, "hello");
  assert.deepEqual(paths, ["/", "/down", "/"]);
});
