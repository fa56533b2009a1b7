import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { packagePrefix } from "../../core/keys.ts";
import { grantOf, renewDelayMs, withGrant } from "../../player-demo/grant-swap.ts";
import { GENERATION, openTestApi, publishedMovie } from "../api/api-for-test.ts";
import { openEdge, storePackage } from "./edge-for-test.ts";

const NAME = "long-film";
const SIX_HOURS_SECONDS = 6 * 3_600;
const SEGMENT = "video/360p/00001.m4s";
const NEXT_SEGMENT = "video/360p/00002.m4s";
const SEGMENT_SECONDS = 6;
const MiB = 1024 * 1024;

test("six hours of a film, with the clock moved: under grants of five minutes no request fails", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "matinee-long-"));
  const cache = { folder, diskBytes: 64 * MiB, memoryBytes: 16 * MiB };
  const api = await openTestApi(NAME);
  const edge = await openEdge(NAME, { cache });
  context.after(async () => {
    await edge.close();
    await rm(folder, { recursive: true, force: true });
  });
  edge.grantKeys.splice(0, edge.grantKeys.length, ...api.deps.config.grantKeys);
  const { asset, titleId } = await publishedMovie(api, "alpha");
  const length = { "published.durationSeconds": SIX_HOURS_SECONDS };
  await api.deps.library.assets.updateOne({ _id: asset._id }, { $set: length });
  const prefix = packagePrefix(asset._id, GENERATION);
  const { objects } = await storePackage(NAME, `/${prefix}`);
  // Small: it is asked for 3,600 times. The one after it is fetched ahead each time, and would be looked for in vain.
  for (const path of [SEGMENT, NEXT_SEGMENT]) {
    objects.set(path, randomBytes(2_000));
    await edge.blobs.put("media", prefix + path, objects.get(path)!, { contentType: "video/mp4" });
  }
  // One clock for both, and it goes as the film does.
  const began = Math.floor(Date.now() / 1000);
  let nowSeconds = began;
  edge.clock.nowSeconds = nowSeconds;
  api.deps.library.serverNow = () => new Date(nowSeconds * 1000);

  const call = api.as("alpha", "viewer");
  const open = async (renews: boolean) =>
    (await call("POST", "/v1/playback", { titleId, capabilities: { renews } })).body;
  const [renewing, lasting] = [await open(true), await open(false)];
  let { manifestUrl, expiresAt } = renewing;
  let renewAtMs = 0;
  const plan = () => {
    renewAtMs = nowSeconds * 1000 + renewDelayMs(Date.parse(expiresAt) - nowSeconds * 1000);
  };
  plan();
  const failed: string[] = [];
  let renewals = 0;
  const get = async (path: string, grant: string): Promise<number> => {
    const answer = await fetch(withGrant(`${edge.url}/v/x/${prefix}${path}`, grant));
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200 || !bytes.equals(objects.get(path)!))
      failed.push(`${answer.status} ${path} after ${nowSeconds - began} s`);
    return answer.status;
  };
  for (; nowSeconds < began + SIX_HOURS_SECONDS; nowSeconds += SEGMENT_SECONDS) {
    edge.clock.nowSeconds = nowSeconds;
    if (nowSeconds * 1000 >= renewAtMs) {
      const renewed = await call("POST", `/v1/playback/${renewing.sessionId}/renew`);
      assert.equal(renewed.status, 200);
      ({ manifestUrl, expiresAt } = renewed.body);
      renewals += 1;
      plan();
    }
    await get(SEGMENT, grantOf(manifestUrl)!);
    // A player that cannot renew has one grant for all of it; sound is asked for under either.
    if (nowSeconds % 60 === began % 60) await get("audio/a0/00000.m4s", grantOf(lasting.manifestUrl)!);
  }
  assert.deepEqual(failed, []);
  assert.ok(renewals >= SIX_HOURS_SECONDS / 300, `${renewals} renewals`);
  const first = await get("audio/a0/00000.m4s", grantOf(renewing.manifestUrl)!);
  assert.equal(first, 403, "the first grant ended long ago");
});
