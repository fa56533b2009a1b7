import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import { GENERATION, madeAsset, openTestApi, publishedMovie } from "./api-for-test.ts";

const api = await openTestApi("playback");
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
    assert.ok(Math.abs(claims.expiresAtSeconds - nowSeconds() - 6 * 3_600) < 60);
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

  test("T35: no new grant once the title is taken down or the asset deleted", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const first = await start(titleId, { renews: true });
    await editor("POST", `/v1/titles/${titleId}/unpublish`);
    assert.equal((await viewer("POST", `/v1/playback/${first.sessionId}/renew`)).body.code, "playback_over");
    const other = await publishedMovie(api, "alpha");
    const second = await start(other.titleId);
    assert.equal((await editor("DELETE", `/v1/assets/${other.asset._id}`)).status, 202);
    assert.equal((await viewer("POST", `/v1/playback/${second.sessionId}/renew`)).body.code, "playback_over");
    assert.equal(
      (await viewer("POST", "/v1/playback", { titleId: other.titleId })).body.code,
      "not_playable",
    );
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
    const late = await viewer("GET", "/v1/catalog/home");
    assert.ok(!late.body.rows.some(({ id }: { id: string }) => id === "continue-watching"));
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
