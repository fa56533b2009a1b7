import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import type { Rendition } from "../../core/records/asset.ts";
import { GENERATION, madeAsset, openTestApi, publishedMovie, RENDITIONS } from "./api-for-test.ts";

const api = await openTestApi("playback", (config) => ({ ...config, countryHeader: "X-Country" }));
const viewer = api.as("alpha", "viewer");
const editor = api.as("alpha");
const nowSeconds = () => Date.now() / 1000;

/** The claims of the grant in a URL, as the edge sees them. */
function claimsOf(url: string) {
  const split = splitGrantedPath(new URL(url).pathname);
  assert.ok(split);
  const verdict = verifyGrant(api.deps.config.grantKeys, split.grant, split.path, nowSeconds());
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.claims;
}

async function start(titleId: string, capabilities?: object) {
  const { status, body } = await viewer("POST", "/v1/playback", { titleId, capabilities });
  assert.equal(status, 201);
  return body;
}

const say = (sessionId: string, ...events: [string, number][]) =>
  viewer("POST", `/v1/playback/${sessionId}/beacons`, {
    events: events.map(([at, positionSeconds]) => ({ type: "time", at, positionSeconds, rebuffers: 2 })),
  });

/** Whether the viewer's home page offers to go on with the title. */
async function isGoneOnWith(titleId: string): Promise<boolean> {
  const { body } = await viewer("GET", "/v1/catalog/home");
  const row = body.rows.find(({ id }: { id: string }) => id === "continue-watching");
  return row?.titles.some(({ id }: { id: string }) => id === titleId) ?? false;
}

describe("playback", () => {
  test("gives a manifest behind a grant for exactly this package and session", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const body = await start(titleId);
    assert.match(
      body.manifestUrl,
      new RegExp(`^http://delivery\\.test/v/[^/]+/${asset._id}/${GENERATION}/main\\.m3u8$`),
    );
    const claims = claimsOf(body.manifestUrl);
    assert.equal(claims.prefix, `/${asset._id}/${GENERATION}/`);
    assert.equal(claims.session, body.sessionId);
    assert.equal(claimsOf(body.posterUrl).prefix, claims.prefix);
    assert.ok(Math.abs(claims.expiresAtSeconds - nowSeconds() - 3_600) < 60);
    assert.equal(claimsOf(body.storyboardUrl).session, body.sessionId);
    assert.match(body.storyboardUrl, /\/images\/storyboard\.vtt$/);
    assert.deepEqual([body.durationSeconds, body.resumeAtSeconds], [30, 0]);
    assert.deepEqual(
      body.tracks.map(({ kind, language }: { kind: string; language?: string }) => [kind, language]),
      [
        ["video", undefined],
        ["audio", "en"],
      ],
    );
  });

  test("gives five minutes to a player that renews, and renews until the session is over", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const body = await start(titleId, { renews: true });
    assert.ok(Math.abs(claimsOf(body.manifestUrl).expiresAtSeconds - nowSeconds() - 300) < 60);
    const renew = () => viewer("POST", `/v1/playback/${body.sessionId}/renew`);
    const renewed = await renew();
    assert.equal(renewed.status, 200);
    assert.equal(claimsOf(renewed.body.manifestUrl).session, body.sessionId);
    assert.equal((await viewer("DELETE", `/v1/playback/${body.sessionId}`)).status, 204);
    assert.deepEqual([(await renew()).status, (await renew()).body.code], [409, "playback_over"]);
  });

  test("T35: no new grant once the title is taken down or the asset deleted, renewed before or not", async () => {
    const renew = async (sessionId: string) =>
      (await viewer("POST", `/v1/playback/${sessionId}/renew`)).body.code ?? "renewed";
    const { titleId } = await publishedMovie(api, "alpha");
    const other = await publishedMovie(api, "alpha");
    const fresh = [await start(titleId, { renews: true }), await start(other.titleId)];
    const older = [await start(titleId, { renews: true }), await start(other.titleId)];
    for (const { sessionId } of older) assert.equal(await renew(sessionId), "renewed");
    await editor("POST", `/v1/titles/${titleId}/unpublish`);
    assert.equal((await editor("DELETE", `/v1/assets/${other.asset._id}`)).status, 202);
    for (const { sessionId } of [...fresh, ...older]) assert.equal(await renew(sessionId), "playback_over");
    assert.equal((await viewer("POST", "/v1/playback", { titleId: other.titleId })).status, 404);
    assert.deepEqual(
      (await viewer("GET", "/v1/catalog/titles")).body.data.filter(
        ({ id }: { id: string }) => id === other.titleId,
      ),
      [],
    );
  });

  test("goes on where the viewer was last, whatever the order of the beacons", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { sessionId } = await start(titleId);
    await say(sessionId, ["2026-01-01T00:00:20Z", 20], ["2026-01-01T00:00:10Z", 10]);
    await say(sessionId, ["2026-01-01T00:00:20Z", 20]);
    await say(sessionId, ["2026-01-01T00:00:05Z", 5]);
    assert.equal((await start(titleId)).resumeAtSeconds, 20);
    const home = await viewer("GET", "/v1/catalog/home");
    const row = home.body.rows.find(({ id }: { id: string }) => id === "continue-watching");
    assert.deepEqual(
      row.titles.map(({ id, progressRatio }: { id: string; progressRatio: number }) => [
        id,
        Math.round(progressRatio * 3),
      ]),
      [[titleId, 2]],
    );
    assert.equal(
      (await api.as("alpha", "admin")("POST", "/v1/playback", { titleId })).body.resumeAtSeconds,
      0,
    );
    await say(sessionId, ["2026-01-01T00:00:40Z", 29.5]);
    assert.equal((await start(titleId)).resumeAtSeconds, 0);
    assert.equal(await isGoneOnWith(titleId), false);
  });

  test("takes a film for seen from the credits of its second half on", async () => {
    const chapter = (startSeconds: number, kind: string | null) => ({
      startSeconds,
      kind,
      name: { en: "C" },
    });
    const chapters = [chapter(0, null), chapter(22, "credits")];
    const { titleId } = await publishedMovie(api, "alpha", { chapters });
    const { sessionId } = await start(titleId);
    await say(sessionId, ["2026-01-01T00:00:21Z", 21]);
    assert.deepEqual([(await start(titleId)).resumeAtSeconds, await isGoneOnWith(titleId)], [21, true]);
    await say(sessionId, ["2026-01-01T00:00:22Z", 22]);
    assert.deepEqual([(await start(titleId)).resumeAtSeconds, await isGoneOnWith(titleId)], [0, false]);
  });

  test("a player's wrong clock, and beacons that meet, move the position no more than true ones", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { sessionId } = await start(titleId);
    const ahead = (seconds: number) => new Date(Date.now() + 3_600_000 + seconds * 1_000).toISOString();
    const places = [12, 3, 18, 9, 6, 15];
    await Promise.all(places.map((second) => say(sessionId, [ahead(second), second])));
    assert.equal((await start(titleId)).resumeAtSeconds, 18);
    await say(sessionId, [ahead(7), 7]);
    assert.equal((await start(titleId)).resumeAtSeconds, 18);
  });

  test("a clock that is years ahead does not hold the position where it was", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { sessionId } = await start(titleId);
    await say(sessionId, ["2099-01-01T00:00:00Z", 4]);
    await say(sessionId, ["2099-01-01T00:00:10Z", 14]);
    assert.equal((await start(titleId)).resumeAtSeconds, 14);
    await say(sessionId, ["2099-01-01T00:00:05Z", 9]);
    assert.equal((await start(titleId)).resumeAtSeconds, 9, "by when it came");
    // Set right in between; ten seconds on, as the API's clock and this one are some milliseconds apart.
    await say(sessionId, [new Date(Date.now() + 10_000).toISOString(), 21]);
    assert.equal((await start(titleId)).resumeAtSeconds, 21);
  });

  test("another session's later moment counts, its earlier one does not", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const [one, other] = [await start(titleId), await start(titleId)];
    await say(one.sessionId, ["2026-01-01T00:00:20Z", 20]);
    await say(other.sessionId, ["2026-01-01T00:00:10Z", 10]);
    assert.equal((await start(titleId)).resumeAtSeconds, 20);
    await say(other.sessionId, ["2026-01-01T00:00:30Z", 5]);
    assert.equal((await start(titleId)).resumeAtSeconds, 5);
  });

  test("is for the regions of the title and within its window, at the start and at each renewal", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const publish = (body: object) => editor("POST", `/v1/titles/${titleId}/publish`, body);
    const open = (country?: string) =>
      viewer("POST", "/v1/playback", { titleId }, country === undefined ? {} : { "X-Country": country });
    const renew = async (sessionId: string, country: string) =>
      (await viewer("POST", `/v1/playback/${sessionId}/renew`, undefined, { "X-Country": country })).status;
    await publish({ regions: ["DE", "AT"] });
    assert.deepEqual(
      await Promise.all(
        [open("DE"), open("at"), open("FR"), open("XX"), open()].map(async (one) => (await one).status),
      ),
      [201, 201, 404, 404, 404],
    );
    const { sessionId } = (await open("DE")).body;
    assert.deepEqual([await renew(sessionId, "AT"), await renew(sessionId, "FR")], [200, 409]);
    const seen = async (country: string) =>
      (await viewer("GET", `/v1/catalog/titles/${titleId}`, undefined, { "X-Country": country })).status;
    assert.deepEqual([await seen("DE"), await seen("FR")], [200, 404]);
    // As when its window ends while somebody watches.
    const over = { $set: { availableUntil: new Date(Date.now() - 1_000) } };
    await api.deps.library.titles.updateOne({ _id: titleId }, over);
    assert.deepEqual([await renew(sessionId, "DE"), (await open("DE")).status], [409, 404]);
  });

  test("of a device gets playlists that fit it, made once and kept; others get the whole ones", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const prefix = `${asset._id}/${GENERATION}/`;
    const variant = (height: number) => [
      `#EXT-X-STREAM-INF:BANDWIDTH=${height}000,AVERAGE-BANDWIDTH=${height}000,CODECS="avc1.64001f",RESOLUTION=${height}x${height},VIDEO-RANGE=SDR`,
      `video/${height}p/media.m3u8`,
    ];
    const main = ["#EXTM3U", "#EXT-X-VERSION:7", "", ...variant(720), ...variant(360), ""].join("\n");
    const files: [string, string][] = [
      ["main.m3u8", main],
      ["main.mpd", "<MPD/>"],
    ];
    const renditions = [720, 360].map((height) => ({ ...RENDITIONS[0]!, id: `${height}p`, height }));
    await api.deps.library.assets.updateOne({ _id: asset._id }, { $set: { renditions } });
    const tracksOf = ({ tracks }: { tracks: { id: string }[] }) => tracks.map(({ id }) => id);
    // While there is none to cut down, the whole one is given.
    const early = await start(titleId, { maxHeight: 480 });
    assert.deepEqual(tracksOf(early), ["720p", "360p"]);
    assert.match(early.manifestUrl, /\/main\.m3u8$/);
    for (const [path, text] of files)
      await api.deps.blobs.put("media", prefix + path, gzipSync(text), { contentType: "x/y" });
    const small = await start(titleId, { maxHeight: 480, renews: true });
    assert.match(small.manifestUrl, /\/main-[0-9a-f]{16}\.m3u8$/);
    assert.deepEqual(tracksOf(small), ["360p"]);
    assert.match(small.dashUrl, /\/main\.mpd$/);
    const name = small.manifestUrl.slice(small.manifestUrl.lastIndexOf("/") + 1);
    const stored = await api.deps.blobs.read("media", prefix + name);
    const text = gunzipSync(stored!).toString();
    assert.ok(text.includes("video/360p/") && !text.includes("video/720p/"), text);
    claimsOf(small.manifestUrl);
    const renewed = await viewer("POST", `/v1/playback/${small.sessionId}/renew`);
    assert.ok(renewed.body.manifestUrl.endsWith(name));
    assert.ok(
      (await start(titleId, { maxHeight: 400 })).manifestUrl.endsWith(name),
      "the same text, the same object",
    );
    assert.match((await start(titleId, { maxHeight: 720 })).manifestUrl, /\/main\.m3u8$/);
    const whole = await start(titleId);
    assert.match(whole.manifestUrl, /\/main\.m3u8$/);
    assert.deepEqual(tracksOf(whole), ["720p", "360p"]);
    const bad = await viewer("POST", "/v1/playback", { titleId, capabilities: { maxHeight: 0 } });
    assert.deepEqual([bad.status, bad.body.code], [400, "invalid_request"]);
  });

  test("says which sound and text fit the account, or this one session", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const german: Rendition = { ...RENDITIONS[1]!, id: "a1", language: "de" };
    await api.deps.library.assets.updateOne({ _id: asset._id }, { $push: { renditions: german } });
    const { body: none } = await viewer("GET", "/v1/me/preferences");
    assert.deepEqual(none, { audio: [], subtitles: [] });
    const wanted = { audio: ["de", "en"], subtitles: ["en-GB"] };
    assert.deepEqual((await viewer("PUT", "/v1/me/preferences", wanted)).body, wanted);
    assert.deepEqual((await viewer("GET", "/v1/me/preferences")).body, wanted);
    assert.deepEqual((await api.as("beta", "viewer")("GET", "/v1/me/preferences")).body, none);
    assert.deepEqual((await start(titleId)).selected, { audioId: "a1", subtitleId: null });
    const own = await viewer("POST", "/v1/playback", { titleId, preferences: { audio: ["en"] } });
    assert.deepEqual([own.status, own.body.selected.audioId], [201, "a0"]);
    for (const body of [{ audio: ["not a language"] }, { audio: [], sound: [] }, []])
      assert.equal((await viewer("PUT", "/v1/me/preferences", body)).status, 400);
    await viewer("PUT", "/v1/me/preferences", none);
    assert.deepEqual((await viewer("GET", "/v1/me/preferences")).body, none);
  });

  test("of one account is no other's, though both ask at one moment", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { sessionId } = await start(titleId);
    const path = `/v1/playback/${sessionId}/renew`;
    const callers = [editor, viewer, api.as("beta", "viewer"), viewer, editor];
    const answers = await Promise.all(callers.map((call) => call("POST", path)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 200, 404, 200, 404],
    );
    for (const { body } of answers)
      if (body.manifestUrl) assert.equal(claimsOf(body.manifestUrl).session, sessionId);
  });

  test("repeated under one Idempotency-Key is one session", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const post = () => viewer("POST", "/v1/playback", { titleId }, { "Idempotency-Key": "p" });
    assert.deepEqual((await post()).body, (await post()).body);
  });

  test("of a preview needs a package, not a publication", async () => {
    const encoding = await madeAsset(api, "alpha", "encoding");
    const refused = await editor("POST", `/v1/assets/${encoding._id}/preview`);
    assert.deepEqual([refused.status, refused.body.code], [409, "not_playable"]);
    const ready = await madeAsset(api, "alpha", "ready");
    const { status, body } = await editor("POST", `/v1/assets/${ready._id}/preview`);
    assert.equal(status, 201);
    assert.equal(claimsOf(body.manifestUrl).prefix, `/${ready._id}/${GENERATION}/`);
  });
});
