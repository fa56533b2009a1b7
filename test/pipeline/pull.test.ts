import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, before, type TestContext, test } from "node:test";
import type { AssetView } from "../../api/asset-view.ts";
import { DEFAULT_ENCODING } from "../../core/encoding.ts";
import { newId } from "../../core/ids.ts";
import { assetSources, fetchedKey } from "../../core/keys.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { PullTransfer } from "../../core/records/pull.ts";
import { type Blobs, openBlobs } from "../../stores/blobs.ts";
import { createAsset } from "../../stores/library/assets.ts";
import { type FilmAnswer, type FilmServer, serveFile, startFilmServer } from "../rig/film-server.ts";
import { flashAndBeep } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

const MIB = 2 ** 20;
/** More than two parts: what was stored before a break is not sent again. */
const FILE_BYTES = 20 * MIB + 5;
const PART_BYTES = 8 * MIB;
const CAP_BYTES = 24 * MIB;
const SECRET = "X-Amz-Signature=secret-of-the-url";

let product: Product;
let blobs: Blobs;
/** No film: what becomes of it after its fetch is of no interest. */
let file: Buffer;

before(async () => {
  product = await startProduct({
    workers: 1,
    slots: 1,
    environment: {
      MATINEE_PULL_INGEST: "on",
      MATINEE_PULL_NETWORKS: "127.0.0.1/32",
      MATINEE_PULL_MAX_BYTES: String(CAP_BYTES),
    },
  });
  const { environment } = product;
  blobs = openBlobs({
    endpoint: environment.MATINEE_S3_ENDPOINT!,
    publicEndpoint: environment.MATINEE_S3_ENDPOINT!,
    region: environment.MATINEE_S3_REGION!,
    accessKeyId: environment.MATINEE_S3_ACCESS_KEY_ID!,
    secretAccessKey: environment.MATINEE_S3_SECRET_ACCESS_KEY!,
    sourceBucket: environment.MATINEE_S3_SOURCE_BUCKET!,
    mediaBucket: environment.MATINEE_S3_MEDIA_BUCKET!,
  });
  file = randomBytes(FILE_BYTES);
});
after(async () => {
  blobs.close();
  await product.stop();
});

/** A server whose answers are these, one after another, the last one for all that follow. */
async function films(t: TestContext, ...answers: FilmAnswer[]): Promise<FilmServer> {
  let turn = 0;
  const server = await startFilmServer((...asked) =>
    answers[Math.min(turn++, answers.length - 1)]!(...asked),
  );
  t.after(() => server.close());
  return server;
}

async function pull(sourceUrl: string, more: object = {}): Promise<string> {
  const answer = await product.call("POST", "/v1/assets", { sourceUrl, ...more });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body.id;
}

const isFetched = ({ pinned }: AssetRecord): boolean => pinned !== null;
const isOver = ({ state }: AssetRecord): boolean => state === "failed" || state === "ready";

/** Once the master is there: that it is the file, byte for byte, and that nothing is left of its fetch. */
async function assertFetched(assetId: string, bytes: Buffer): Promise<void> {
  const { pinned, pull: order, tenant } = await product.until(assetId, isFetched);
  assert.deepEqual([pinned?.sizeBytes, order?.sourceUrl, order?.transfer], [bytes.length, null, null]);
  assert.ok(pinned?.key.startsWith(assetSources(tenant, assetId)));
  const stored = await blobs.read("sources", pinned!.key);
  assert.ok(stored !== null && bytes.equals(stored));
}

async function failureOf(sourceUrl: string): Promise<NonNullable<AssetView["error"]>> {
  const assetId = await pull(sourceUrl);
  await product.until(assetId, isOver);
  const { error } = (await product.call("GET", `/v1/assets/${assetId}`)).body;
  assert.ok(error);
  assert.doesNotMatch(error.message, /\d+\.\d+\.\d+|secret-of-the-url|https?:/);
  return error;
}

/** A whole part of it is stored. */
async function partStored(assetId: string): Promise<PullTransfer> {
  return eventually("a part in storage", 300, async () => {
    const { pull: order } = (await product.library.assets.findOne({ _id: assetId }))!;
    if (order?.transfer == null) return null;
    const parts = await blobs.listParts(order.transfer);
    return parts !== null && parts.length > 0 ? order.transfer : null;
  });
}

const restOfFile = { range: `bytes=${PART_BYTES}-`, "if-range": '"v1"' };
const asked = ({ headers }: { headers: Record<string, unknown> }) => ({
  range: headers.range,
  "if-range": headers["if-range"],
});

test("a film is fetched over three redirects and published, and its URL is told to nobody", async (t) => {
  const film = await readFile(await flashAndBeep({ seconds: 2 }));
  let hops = 3;
  const server = await films(t, (request, response, seen) => {
    if (hops > 0) response.writeHead(302, { location: `/next-${hops--}?${SECRET}` }).end();
    else {
      response.setHeader("content-disposition", "attachment; filename*=UTF-8''Der%20Film.mp4");
      serveFile(film, '"v1"')(request, response, seen);
    }
  });
  const title = await product.call("POST", "/v1/titles", { type: "movie", name: { en: "Pulled" } });
  const sha256 = createHash("sha256").update(film).digest("hex");
  const assetId = await pull(`${server.url}/start?${SECRET}`, { titleId: title.body.id, sha256 });
  const asset = await product.until(assetId, isOver);
  assert.deepEqual([asset.state, asset.error], ["ready", null]);
  await assertFetched(assetId, film);
  assert.equal(asset.filename, "Der Film.mp4");
  assert.equal((await product.call("GET", `/v1/titles/${title.body.id}`)).body.assetId, assetId);
  assert.equal((await product.call("POST", `/v1/titles/${title.body.id}/publish`, {})).status, 200);
  assert.equal(server.requests.length, 4);
  for (const { headers } of server.requests)
    assert.ok(!("cookie" in headers) && !("authorization" in headers));
  const { library } = product;
  const ledger = (await product.call("GET", `/v1/assets/${assetId}/ledger?limit=100`)).body;
  const told = [
    await library.assets.findOne({ _id: assetId }),
    await library.tasks.find({ assetId }).toArray(),
    await library.generations.find({ assetId }).toArray(),
    ledger,
  ];
  assert.doesNotMatch(JSON.stringify(told), /secret-of-the-url/);
  const stages = ledger.data.map(({ stage }) => stage);
  assert.equal(stages.filter((stage) => stage === "fetch").length, 1);
});

test("a connection that is cut is gone on with where it broke off", async (t) => {
  const server = await films(t, serveFile(file, '"v1"', { cutAt: 12 * MIB }), serveFile(file, '"v1"'));
  await assertFetched(await pull(`${server.url}/film.mov`), file);
  assert.deepEqual(server.requests.map(asked), [{ range: undefined, "if-range": undefined }, restOfFile]);
});

test("a rest that is longer than was said is not taken, and one that says how long the file is is not taken for all of it", async (t) => {
  const tooLong: FilmAnswer = (_request, response) => {
    const range = `bytes ${PART_BYTES}-${file.length - 1}/${file.length}`;
    response.writeHead(206, { etag: '"v1"', "content-range": range });
    response.end(Buffer.concat([file.subarray(PART_BYTES), randomBytes(MIB)]));
  };
  const longer = await films(
    t,
    serveFile(file, '"v1"', { cutAt: 12 * MIB }),
    tooLong,
    serveFile(file, '"v1"'),
  );
  await assertFetched(await pull(longer.url), file);
  const ofNoLength: FilmAnswer = (_request, response) => {
    response.writeHead(200, { etag: '"v1"' });
    response.write(file.subarray(0, 12 * MIB), () => response.destroy());
  };
  const inPart: FilmAnswer = (_request, response) => {
    const range = `bytes ${PART_BYTES}-${PART_BYTES + MIB - 1}/${file.length}`;
    response.writeHead(206, { etag: '"v1"', "content-range": range });
    response.end(file.subarray(PART_BYTES, PART_BYTES + MIB));
  };
  const shorter = await films(t, ofNoLength, inPart, serveFile(file, '"v1"'));
  await assertFetched(await pull(shorter.url), file);
});

test("another file under the same URL is fetched from its beginning, and so is one without a tag", async (t) => {
  const other = randomBytes(9 * MIB);
  const changed = await films(t, serveFile(file, '"v1"', { cutAt: 12 * MIB }), serveFile(other, '"v2"'));
  await assertFetched(await pull(changed.url), other);
  assert.deepEqual(changed.requests.map(asked), [{ range: undefined, "if-range": undefined }, restOfFile]);
  const untagged = await films(
    t,
    (_request, response) => void response.write(file.subarray(0, 12 * MIB), () => response.destroy()),
    (_request, response) => response.end(other),
  );
  await assertFetched(await pull(untagged.url), other);
  assert.deepEqual(
    untagged.requests.map(({ headers }) => headers.range),
    [undefined, undefined],
  );
});

test("F01 kill -9 of the worker in mid-fetch: another one goes on with what is stored", async (t) => {
  const server = await films(t, serveFile(file, '"v1"', { silentFrom: 12 * MIB }), serveFile(file, '"v1"'));
  const assetId = await pull(server.url);
  await partStored(assetId);
  const worker = product.workers.at(-1)!;
  worker.kill("SIGKILL");
  await once(worker, "exit");
  await product.addWorker();
  await assertFetched(assetId, file);
  assert.deepEqual(server.requests.map(asked), [{ range: undefined, "if-range": undefined }, restOfFile]);
});

test("F33 a worker that died between the object and its record: the next one only writes the record", async (t) => {
  const server = await films(t, serveFile(file, '"v1"'));
  const id = newId("as");
  const key = fetchedKey("default", id, 1);
  const multipartId = await blobs.createMultipart(key, "application/octet-stream");
  const small = file.subarray(0, MIB);
  const part = await blobs.sendPart({ key, multipartId, partNumber: 1 }, small, AbortSignal.timeout(60_000));
  await blobs.completeMultipart({ key, multipartId, parts: [part] });
  await createAsset(product.library, {
    ...{ id, tenant: "default", ownerId: "editor-1", titleId: null, filename: "film.mov" },
    encoding: DEFAULT_ENCODING,
    pull: {
      sourceUrl: server.url,
      sha256: null,
      transfer: { key, multipartId, etag: '"v1"', sizeBytes: small.length },
    },
  });
  await assertFetched(id, small);
  assert.equal(server.requests.length, 0);
});

test("cancel ends the fetch; retry goes on with it; what is deleted leaves nothing in storage", async (t) => {
  const server = await films(t, serveFile(file, '"v1"', { silentFrom: 12 * MIB }), serveFile(file, '"v1"'));
  const assetId = await pull(server.url);
  await partStored(assetId);
  const shown = await eventually("progress", 60, async () => {
    const { progress } = (await product.call("GET", `/v1/assets/${assetId}`)).body;
    // 12 of 20 MiB, of the tenth of the work that a fetch stands for.
    return progress.ratio >= 0.05 ? progress : null;
  });
  assert.equal(shown.stage, "fetching");
  assert.ok(shown.ratio <= 0.06);
  assert.equal((await product.call("POST", `/v1/assets/${assetId}/cancel`, {})).status, 202);
  await eventually("the connection is closed", 60, () => server.requests[0]?.isCutByClient || null);
  assert.equal((await product.call("POST", `/v1/assets/${assetId}/retry`, {})).body.state, "waiting");
  await assertFetched(assetId, file);
  assert.deepEqual(server.requests.map(asked).at(-1), restOfFile);

  const endless = await films(t, serveFile(file, '"v1"', { silentFrom: 12 * MIB }));
  const deletedId = await pull(endless.url);
  const transfer = await partStored(deletedId);
  assert.equal((await product.call("DELETE", `/v1/assets/${deletedId}`)).status, 202);
  await eventually("the parts are gone", 60, async () =>
    (await blobs.listParts(transfer)) === null ? true : null,
  );
});

test("T24: neither a fourth redirect nor one to a private address is followed", async (t) => {
  const canary = await startFilmServer(serveFile(file, '"v1"'), "127.0.0.2");
  t.after(() => canary.close());
  const onwards: FilmAnswer = ({ url = "" }, response) =>
    response.writeHead(302, { location: `/${Number(url.slice(1)) - 1}` }).end();
  const chain = await films(t, onwards);
  assert.equal((await failureOf(`${chain.url}/4`)).code, "source_refused");
  assert.equal(chain.requests.length, 4);
  for (const location of [`${canary.url}/?${SECRET}`, canary.url.replace("127.0.0.2", "[::ffff:7f00:2]")]) {
    const turn = await films(t, (_request, response) => response.writeHead(301, { location }).end());
    assert.deepEqual(await failureOf(`${turn.url}/?${SECRET}`), {
      code: "source_refused",
      message:
        "The URL, or where it leads to, must lead to a public address. Name the file itself, at a public address.",
      retryable: false,
    });
  }
  assert.equal(canary.connections, 0);
});

test("what is too large, empty, refused, or no film ends with a code of its own", async (t) => {
  const endless: FilmAnswer = (_request, response, seen) => {
    const piece = Buffer.alloc(MIB);
    const more = (): void => {
      let isTaken = true;
      while (isTaken && !response.destroyed) {
        isTaken = response.write(piece);
        seen.sentBytes += MIB;
      }
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  };
  const table: [string, FilmAnswer, string, boolean][] = [
    ["an endless body", endless, "source_too_large", false],
    [
      "a large one that says so",
      (_request, response) => void response.writeHead(200, { "content-length": CAP_BYTES + 1 }).write("a"),
      "source_too_large",
      false,
    ],
    ["an empty one", (_request, response) => response.end(), "source_damaged", false],
    ["a 404", (_request, response) => response.writeHead(404).end("no"), "source_refused", true],
    [
      "a page",
      (_request, response) =>
        response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in</html>"),
      "unsupported_container",
      false,
    ],
  ];
  for (const [name, answer, code, retryable] of table) {
    const server = await films(t, answer);
    const failure = await failureOf(`${server.url}/film.mp4?${SECRET}`);
    assert.deepEqual([failure.code, failure.retryable], [code, retryable], name);
    assert.equal(server.requests.length, 1, name);
    // The cap, and what stands in buffers on the way.
    assert.ok(server.requests[0]!.sentBytes < CAP_BYTES + 16 * MIB, name);
  }
});

test("an attempt asks three times, and the last of twelve attempts is the end of it", async (t) => {
  const first = Promise.withResolvers<void>();
  const server = await films(t, async ({ url }, response) => {
    if (url === "/start") response.writeHead(302, { location: "/film.mov" }).end();
    else {
      await first.promise;
      response.writeHead(503).end();
    }
  });
  const assetId = await pull(`${server.url}/start`);
  await eventually("it has been asked", 300, async () => (server.requests.length === 2 ? true : null));
  // The attempt that runs is the twelfth to fail, though it does not know.
  await product.library.tasks.updateOne({ assetId, kind: "fetch" }, { $set: { failures: 11 } });
  first.resolve();
  await product.until(assetId, isOver);
  const { error } = (await product.call("GET", `/v1/assets/${assetId}`)).body;
  assert.deepEqual([error?.code, error?.retryable], ["source_unreachable", true]);
  const task = await product.library.tasks.findOne({ assetId, kind: "fetch" });
  assert.deepEqual(
    task?.attempts.map(({ outcome }) => outcome),
    ["failed", "failed"],
  );
  const turn = ["/start", "/film.mov"];
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    Array.from({ length: 6 }, () => turn).flat(),
  );
});

test("T24: a server that sends slowly keeps no place for long, and none keeps one for ever", async (t) => {
  const restart = async (environment: Record<string, string>): Promise<void> => {
    const worker = product.workers.at(-1)!;
    worker.kill("SIGKILL");
    await once(worker, "exit");
    await product.addWorker(environment);
  };
  const drops: FilmAnswer = (_request, response) => {
    response.writeHead(200, { etag: '"v1"', "content-length": FILE_BYTES });
    const timer = setInterval(() => response.write(Buffer.alloc(1_000)), 50);
    response.on("close", () => clearInterval(timer));
  };
  await restart({ MATINEE_PULL_GRACE_SECONDS: "1" });
  const slow = await films(t, drops);
  const slowId = await pull(slow.url);
  const task = await eventually("an attempt has ended", 300, async () => {
    const found = await product.library.tasks.findOne({ assetId: slowId, kind: "fetch" });
    return found !== null && found.attempts.length > 0 ? found : null;
  });
  const { error } = task.attempts[0]!;
  assert.deepEqual([error?.class, error?.code], ["transient", "source_unreachable"]);
  assert.match(error?.message ?? "", /too slowly: less than 1000000 bits a second in 1 seconds/);
  assert.equal(slow.requests.length, 1, "not asked again in the same attempt");
  assert.equal((await product.call("DELETE", `/v1/assets/${slowId}`)).status, 202);

  await restart({ MATINEE_PULL_LEAST_BPS: "0", MATINEE_PULL_SECONDS: "4" });
  const long = await films(t, drops);
  const failure = await failureOf(long.url);
  assert.deepEqual([failure.code, failure.retryable], ["source_unreachable", true]);
  assert.match(failure.message, /more than 4 seconds in all/);
  assert.equal(long.requests.length, 1, "no other attempt is made");
});
