import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { emptyAsset } from "../../api/reap-assets.ts";
import { parseMasterKeys } from "../../core/content-key.ts";
import { sealedBy } from "../../core/sealing.ts";
import { findContentKey, obtainContentKey, removeContentKey } from "../../stores/library/content-keys.ts";
import { madeAsset, openTestApi, publishedMovie, type TestApi, tokenOf } from "./api-for-test.ts";

const api = await openTestApi("license");
const viewer = api.as("alpha", "viewer");
const editor = api.as("alpha");
const { library, config } = api.deps;

/** A published movie under a key of its own, as its workers leave it, and how it is asked for. */
async function protectedMovie(on: TestApi = api) {
  const movie = await publishedMovie(on, "alpha");
  const key = await obtainContentKey(on.deps.library, on.deps.config.masterKeys, movie.asset);
  const published = { $set: { "published.keyId": key.keyId } };
  await on.deps.library.assets.updateOne({ _id: movie.asset._id }, published);
  return { ...movie, ...key, kid: Buffer.from(key.keyId, "hex").toString("base64url") };
}

async function start(titleId: string) {
  const { status, body } = await viewer("POST", "/v1/playback", { titleId });
  assert.equal(status, 201);
  return body;
}

const ask = (sessionId: string, kids: unknown, call = viewer) =>
  call("POST", `/v1/playback/${sessionId}/license`, { kids, type: "temporary" });
const said = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code];

describe("a licence", () => {
  test("T33: is the key of the session's film, and kept by no cache", async () => {
    const { titleId, keyId, key, kid } = await protectedMovie();
    const { sessionId, protection } = await start(titleId);
    assert.deepEqual(protection, {
      scheme: "cbcs",
      keySystem: "org.w3.clearkey",
      licenseUrl: `/v1/playback/${sessionId}/license`,
      keyIds: [keyId],
    });
    const answer = await ask(sessionId, [kid]);
    const keys = [{ kty: "oct", kid, k: Buffer.from(key).toString("base64url") }];
    assert.deepEqual([answer.status, answer.body], [200, { keys, type: "temporary" }]);
    assert.match(answer.headers.get("cache-control") ?? "", /no-store/);
    // As browsers' players send it: without a word of what it is.
    const bare = await api.request(protection.licenseUrl, {
      method: "POST",
      headers: { Authorization: `Bearer ${tokenOf("alpha", "viewer")}` },
      body: new TextEncoder().encode(JSON.stringify({ kids: [kid] })),
    });
    assert.deepEqual([bare.status, await bare.json()], [200, answer.body]);
  });

  test("T33: is refused without the account, for another's session, and for any other key", async () => {
    const [mine, other] = [await protectedMovie(), await protectedMovie()];
    const { sessionId, protection } = await start(mine.titleId);
    const body = JSON.stringify({ kids: [mine.kid] });
    const headers = { "Content-Type": "application/json" };
    assert.equal((await api.request(protection.licenseUrl, { method: "POST", headers, body })).status, 401);
    assert.deepEqual(said(await ask(sessionId, [mine.kid], editor)), [404, "not_found"]);
    assert.deepEqual(said(await ask(sessionId, [other.kid])), [404, "not_found"]);
    assert.deepEqual(said(await ask(sessionId, [mine.kid, other.kid])), [404, "not_found"]);
    for (const kids of [[], ["x"], "x", [{ $ne: 1 }], undefined])
      assert.deepEqual(said(await ask(sessionId, kids)), [400, "invalid_request"], JSON.stringify(kids));
    assert.deepEqual(said(await viewer("POST", protection.licenseUrl, "{")), [400, "invalid_request"]);
    const clear = await start((await publishedMovie(api, "alpha")).titleId);
    assert.equal(clear.protection, undefined);
    assert.deepEqual(said(await ask(clear.sessionId, [mine.kid])), [409, "not_protected"]);
  });

  test("is refused once the session is over, the title taken down or the asset deleted", async () => {
    const film = await protectedMovie();
    const [ended, open] = [await start(film.titleId), await start(film.titleId)];
    await viewer("DELETE", `/v1/playback/${ended.sessionId}`);
    assert.deepEqual(said(await ask(ended.sessionId, [film.kid])), [409, "playback_over"]);
    assert.equal((await ask(open.sessionId, [film.kid])).status, 200);
    await editor("POST", `/v1/titles/${film.titleId}/unpublish`);
    assert.deepEqual(said(await ask(open.sessionId, [film.kid])), [409, "playback_over"]);
    const late = await start((await protectedMovie()).titleId);
    await library.playbacks.updateOne({ _id: late.sessionId }, { $set: { expiresAt: new Date(0) } });
    assert.deepEqual(said(await ask(late.sessionId, [film.kid])), [409, "playback_over"]);

    const doomed = await protectedMovie();
    const last = await start(doomed.titleId);
    await editor("DELETE", `/v1/assets/${doomed.asset._id}`);
    assert.deepEqual(said(await ask(last.sessionId, [doomed.kid])), [409, "playback_over"]);
  });

  test("is given to an editor who previews, and seldom to anybody who asks again and again", async () => {
    const { asset, kid } = await protectedMovie();
    const preview = await editor("POST", `/v1/assets/${asset._id}/preview`);
    assert.equal((await ask(preview.body.sessionId, [kid], editor)).status, 200);
    const answers = [];
    for (let count = 0; count < 40; count++) answers.push(await ask(preview.body.sessionId, [kid], editor));
    const refused = answers.find(({ status }) => status === 429);
    assert.equal(refused?.body.code, "rate_limited");
    assert.ok(Number(refused?.headers.get("retry-after")) > 0);
  });
});

describe("a content key", () => {
  test("is one for an asset, however many ask for it at once", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    const asked = Array.from({ length: 8 }, () => obtainContentKey(library, config.masterKeys, asset));
    const keys = await Promise.all(asked);
    assert.equal(new Set(keys.map(({ keyId, key }) => keyId + Buffer.from(key).toString("hex"))).size, 1);
  });

  test("is sealed anew by the first master key, and opens by no other", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    const [old, now] = parseMasterKeys(`old:${"12".repeat(32)},now:${"34".repeat(32)}`);
    const made = await obtainContentKey(library, [old!], asset);
    const sealer = async () => sealedBy((await library.contentKeys.findOne({ _id: asset._id }))!.sealed);
    assert.equal(await sealer(), "old");
    const found = await findContentKey(library, [now!, old!], asset._id);
    assert.deepEqual([found?.keyId, Buffer.from(found!.key)], [made.keyId, Buffer.from(made.key)]);
    assert.equal(await sealer(), "now");
    const refused = { code: "protection_unavailable" };
    await assert.rejects(findContentKey(library, [old!], asset._id), refused);
    await assert.rejects(findContentKey(library, [], asset._id), refused);
    await removeContentKey(library, asset._id);
    assert.equal(await findContentKey(library, [now!], asset._id), null);
    await assert.rejects(obtainContentKey(library, [], asset), refused);
  });

  test("goes with its asset", async () => {
    const { asset } = await protectedMovie();
    await editor("DELETE", `/v1/assets/${asset._id}`);
    await emptyAsset(api.deps, asset);
    assert.equal(await library.contentKeys.findOne({ _id: asset._id }), null);
  });
});

describe("protection", () => {
  const upload = (encoding: object, call = editor) =>
    call("POST", "/v1/uploads", { filename: "f.mp4", sizeBytes: 1, encoding });

  test("is asked for by upload and by reprocess, told of the asset, and off unless asked for", async () => {
    const opened = await upload({ protection: "clearkey", codecs: ["hevc"] });
    const asset = await editor("GET", `/v1/assets/${opened.body.assetId}`);
    assert.deepEqual(asset.body.encoding, { codecs: ["h264", "hevc"], protection: "clearkey" });
    const { asset: made } = await publishedMovie(api, "alpha");
    const reprocess = (encoding: object) => editor("POST", `/v1/assets/${made._id}/reprocess`, { encoding });
    assert.equal((await reprocess({ protection: "clearkey" })).body.encoding.protection, "clearkey");
    const other = await reprocess({ codecs: ["hevc"] });
    assert.deepEqual(other.body.encoding, { codecs: ["h264", "hevc"], protection: "clearkey" });
    assert.deepEqual(
      said(await reprocess({ codecs: ["av1"] })),
      [400, "invalid_request"],
      "never in clear unasked",
    );
    assert.deepEqual((await reprocess({ protection: "none" })).body.encoding, { codecs: ["h264"] });
    assert.deepEqual((await reprocess({ codecs: ["av1"] })).body.encoding, { codecs: ["h264", "av1"] });
  });

  test("is refused with what cannot be protected, and where no master key is set", async () => {
    const refused = await upload({ protection: "clearkey", codecs: ["av1"] });
    assert.deepEqual(said(refused), [400, "invalid_request"]);
    assert.equal(refused.body.errors[0].path, "encoding.protection");
    assert.equal((await upload({ protection: "drm" })).status, 400);
    const without = await openTestApi("license-without", (settings) => ({ ...settings, masterKeys: [] }));
    const answer = await upload({ protection: "clearkey" }, without.as("alpha"));
    assert.deepEqual(said(answer), [409, "protection_unavailable"]);
    assert.equal(await without.deps.library.uploads.countDocuments({}), 0, "nothing is left open");
  });
});
