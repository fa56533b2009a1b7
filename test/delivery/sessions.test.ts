import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { flashAndBeep } from "../rig/media.ts";
import { callerOf, startProduct } from "../rig/product.ts";

/** Long enough for a loaded machine; that a minute is kept is measured elsewhere. */
const DEADLINE_MS = 180_000;

test("a session through the whole product: opened, cut to its device, renewed, stopped, taken down", async (context) => {
  const product = await startProduct({ environment: { MATINEE_STREAMS_PER_ACCOUNT: "2" } });
  context.after(() => product.stop());
  const { call, tokens, library } = product;
  const film = await flashAndBeep({ seconds: 2, size: "640x360" });
  const asset = await product.until(await product.uploadFile(film), ({ state }) => state === "ready");
  const made = await call("POST", "/v1/titles", {
    type: "movie",
    name: { en: "Flashes" },
    assetId: asset._id,
  });
  const titleId = made.body.id;
  await call("POST", `/v1/titles/${titleId}/publish`, {});
  const viewer = callerOf(product.apiUrl, tokens.viewer);
  const open = (body: object) => viewer("POST", "/v1/playback", { titleId, ...body });
  const status = async (url: string): Promise<number> => {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return answer.status;
  };
  const until = async (url: string, wanted: number): Promise<void> => {
    for (const deadline = performance.now() + DEADLINE_MS; (await status(url)) !== wanted; await pause(250))
      assert.ok(performance.now() < deadline, `not ${wanted} in time`);
  };

  const renewing = (await open({ capabilities: { renews: true, maxHeight: 240 } })).body;
  assert.match(renewing.manifestUrl, /\/main-[0-9a-f]{16}\.m3u8$/);
  const main = await (await fetch(renewing.manifestUrl)).text();
  const heights = [...main.matchAll(/RESOLUTION=\d+x(\d+)/g)].map(([, height]) => Number(height));
  assert.ok(heights.length > 0 && heights.every((height) => height <= 240), main);
  const media = main.split("\n").filter((line) => line.endsWith("media.m3u8"));
  for (const uri of media) assert.equal(await status(new URL(uri, renewing.manifestUrl).href), 200, uri);
  const mpd = await (await fetch(renewing.dashUrl!)).text();
  const mpdHeights = [...mpd.matchAll(/ height="(\d+)"/g)].map(([, height]) => Number(height));
  assert.ok(mpdHeights.length > 0 && mpdHeights.every((height) => height <= 240), mpd);

  const lasting = (await open({})).body;
  assert.equal((await open({})).body.code, "too_many_streams");
  const { body: renewed } = await viewer("POST", `/v1/playback/${renewing.sessionId}/renew`);
  assert.equal(await status(renewed.manifestUrl), 200);
  assert.equal((await viewer("DELETE", `/v1/playback/${renewing.sessionId}`)).status, 204);
  await until(renewed.manifestUrl, 403);
  assert.deepEqual([await status(renewing.manifestUrl), await status(lasting.manifestUrl)], [403, 200]);
  assert.equal((await viewer("POST", `/v1/playback/${renewing.sessionId}/renew`)).body.code, "playback_over");

  const second = (await open({ capabilities: { renews: true } })).body;
  const third = (await open({ takeover: lasting.sessionId })).body;
  await until(lasting.manifestUrl, 403);
  assert.deepEqual([await status(second.manifestUrl), await status(third.manifestUrl)], [200, 200]);

  await call("POST", `/v1/titles/${titleId}/unpublish`);
  assert.equal((await viewer("POST", `/v1/playback/${second.sessionId}/renew`)).body.code, "playback_over");
  assert.equal((await open({})).status, 404);
  await until(third.manifestUrl, 403);
  // Nothing of it was lost on the way: each session that was answered is on record.
  const ids = [renewing, lasting, second, third].map(({ sessionId }) => sessionId);
  assert.equal(await library.playbacks.countDocuments({ _id: { $in: ids } }), ids.length);
});
