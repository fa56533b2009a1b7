import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { readApiConfig } from "../../api/config.ts";
import { readDeliveryConfig } from "../../delivery/config.ts";
import { readOptions } from "../../infra/start/options.ts";
import { dangers, readiness } from "../../infra/start/readiness.ts";
import { makeSecrets } from "../../infra/start/secrets.ts";
import {
  apiService,
  deliveryService,
  type Foundations,
  readyUrl,
  transcoderService,
  withDatabase,
} from "../../infra/start/services.ts";
import { readyLine, welcome } from "../../infra/start/welcome.ts";
import { readConfig as readTranscoderConfig } from "../../transcoder/config.ts";
import { folderForTest } from "./folder-for-test.ts";

function foundations(dataDirectory: string, environment: Record<string, string> = {}): Foundations {
  return {
    root: "/house",
    dataDirectory,
    environment,
    ports: { api: 8080, delivery: 8081, "transcoder-1": 9001 },
    secrets: makeSecrets(),
    mongoUrl: "mongodb://127.0.0.1:1",
    redisUrl: "redis://:secret@127.0.0.1:2",
    s3: { endpoint: "http://127.0.0.1:3", accessKeyId: "a", secretAccessKey: "s", region: "us-east-1" },
    tools: { ffmpegPath: "/x/ffmpeg", ffprobePath: "/x/ffprobe", bwrapPath: null, scorerPath: null },
    pagesDirectory: "/house/dist/pages",
  };
}

test("each service is given settings that it takes, and that agree with each other's", (context) => {
  const on = foundations(folderForTest(context));
  const api = readApiConfig(apiService(on).env);
  const delivery = readDeliveryConfig(deliveryService(on).env);
  const transcoder = readTranscoderConfig(transcoderService(on, "transcoder-1", 1).env);
  assert.equal(api.mongoUrl, "mongodb://127.0.0.1:1/matinee");
  assert.equal(transcoder.mongoUrl, api.mongoUrl);
  assert.deepEqual(transcoder.redis, api.queue);
  assert.equal(api.deliveryUrl, "http://127.0.0.1:8081");
  assert.deepEqual(api.grantKeys, delivery.grantKeys);
  assert.deepEqual(transcoder.masterKeys, api.masterKeys);
  assert.equal(api.masterKeys.length, 1);
  assert.equal(deliveryService(on).env.MATINEE_MASTER_KEYS, undefined, "the edge opens no key");
  assert.equal(delivery.cache?.folder, `${on.dataDirectory}/edge-cache`);
  assert.equal(delivery.blobs.mediaBucket, transcoder.blobs.mediaBucket);
  assert.deepEqual(delivery.corsOrigins, ["http://127.0.0.1:8080", "http://localhost:8080"]);
  assert.deepEqual(api.bootKeys.map(({ role }) => role).sort(), ["admin", "editor", "viewer"]);
  assert.equal(transcoder.tools.bwrapPath, null);
});

test("several edges share a port at addresses of their own, each with its cache, and know where to send who asks", (context) => {
  const on = foundations(folderForTest(context));
  const { edges, deliveryUrl } = readApiConfig(apiService(on, 3).env);
  assert.deepEqual(
    edges.map(({ url }) => url),
    ["http://127.0.0.1:8081", "http://127.0.0.2:8081", "http://127.0.0.3:8081"],
  );
  assert.equal(deliveryUrl, "http://127.0.0.1:8081");
  const read = [1, 2, 3].map((number) => readDeliveryConfig(deliveryService(on, number).env));
  assert.deepEqual(
    read.map(({ http }) => `http://${http.host}:${http.port}`),
    edges.map(({ url }) => url),
  );
  assert.equal(new Set(read.map(({ cache }) => cache?.folder)).size, 3);
  assert.ok(read.every(({ steeringUrl }) => steeringUrl === "http://127.0.0.1:8080"));
  assert.equal(readyUrl(on.ports, deliveryService(on, 2).part), "http://127.0.0.2:8081/readyz");
  assert.equal(readApiConfig(apiService(on).env).edges.length, 1);
});

test("the cores are shared among the workers, unless a person has said otherwise", (context) => {
  const folder = folderForTest(context);
  const slots = (workers: number, environment = {}) =>
    Number(
      transcoderService(foundations(folder, environment), "transcoder-1", workers).env.MATINEE_WORKER_SLOTS,
    );
  assert.equal(slots(1_000), 1);
  assert.ok(slots(1) >= slots(2));
  assert.equal(slots(1, { MATINEE_WORKER_SLOTS: "5" }), 5);
});

test("a MongoDB URL gets our database where it names none", () => {
  const table: [string, string][] = [
    ["mongodb://h:1", "mongodb://h:1/matinee"],
    ["mongodb://h:1/", "mongodb://h:1/matinee"],
    ["mongodb://h:1/films", "mongodb://h:1/films"],
    ["mongodb://u:p@h:1,i:2/?replicaSet=r", "mongodb://u:p@h:1,i:2/matinee?replicaSet=r"],
    ["mongodb+srv://h/films?tls=true", "mongodb+srv://h/films?tls=true"],
  ];
  for (const [given, expected] of table) assert.equal(withDatabase(given), expected);
});

test("ready means that every dependency is as it should be, and what is not is named", async (context) => {
  let answer: { status: number; body: object } = { status: 200, body: {} };
  const server = createServer((_, response) => {
    response.writeHead(answer.status).end(JSON.stringify(answer.body));
  }).listen(0, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (status: number, dependencies: object) => {
    answer = { status, body: { dependencies } };
    return readiness(url);
  };
  assert.equal(await ask(200, { mongodb: { ok: true }, blobStore: "ok" }), null);
  assert.equal(await ask(200, { redis: { ok: false, problem: "evicts" } }), "redis: evicts");
  assert.equal(
    await ask(503, { s3: { ok: false, detail: "away" }, blobStore: "gone" }),
    "s3: away; blobStore: gone",
  );
  assert.equal(await ask(503, {}), "/readyz answers 503");
  await ask(200, {
    sandbox: { ok: true, detail: "UNSAFE: no bubblewrap" },
    s3: { ok: true, detail: "fine" },
  });
  assert.deepEqual(await dangers(url), ["sandbox UNSAFE: no bubblewrap"]);
});

test("the ready line is what docs/api.md promises, and a person reads the same", () => {
  const { tokens } = makeSecrets();
  const line = readyLine({ api: "http://a", delivery: "http://d" }, tokens);
  assert.deepEqual(Object.keys(line), ["ready", "api", "delivery", "player", "studio", "tokens"]);
  assert.equal(line.player, `http://a/player/#token=${tokens.viewer}`);
  for (const word of [line.player, line.studio, "http://a/docs", ...Object.values(tokens)]) {
    assert.ok(welcome(line).includes(word), word);
  }
});

test("the command line is read, and what it cannot mean is refused", () => {
  assert.deepEqual(readOptions([], "/here"), {
    json: false,
    empty: false,
    help: false,
    dataDirectory: "/here/data",
    workers: 1,
    edges: 1,
  });
  assert.deepEqual(
    readOptions(["--json", "--empty", "--data", "/x", "--workers", "2", "--edges", "3"], "/here"),
    {
      json: true,
      empty: true,
      help: false,
      dataDirectory: "/x",
      workers: 2,
      edges: 3,
    },
  );
  assert.equal(readOptions(["--help"], "/here").help, true);
  for (const bad of [
    ["--workers", "0"],
    ["--workers", "two"],
    ["--edges", "9"],
    ["--data", ""],
    ["--nonsense"],
    ["film.mp4"],
  ]) {
    assert.throws(() => readOptions(bad, "/here"), bad.join(" "));
  }
});
