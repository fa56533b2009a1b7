import assert from "node:assert/strict";
import { test } from "node:test";
import { packagePrefix } from "../../core/keys.ts";
import { GENERATION, openTestApi, publishedMovie } from "../api/api-for-test.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { openEdge, storePackage } from "./edge-for-test.ts";

const NAME = "leaked";

test("a link that has leaked: an administrator ends its session, and no other (T29)", async (context) => {
  // The API publishes its list where the edge reads.
  const api = await openTestApi(NAME, (config) => ({ ...config, blobs: s3ForTest(NAME) }));
  const edge = await openEdge(NAME);
  context.after(() => edge.close());
  edge.clock.nowSeconds = Math.floor(Date.now() / 1000);
  edge.grantKeys.splice(0, edge.grantKeys.length, ...api.deps.config.grantKeys);
  const { asset, titleId } = await publishedMovie(api, "alpha");
  await storePackage(NAME, `/${packagePrefix(asset._id, GENERATION)}`);
  const viewer = api.as("alpha", "viewer");
  const [leaked, other] = [
    (await viewer("POST", "/v1/playback", { titleId })).body,
    (await viewer("POST", "/v1/playback", { titleId, capabilities: { renews: true } })).body,
  ];
  const statusOf = async (url: string): Promise<number> => {
    const answer = await fetch(edge.url + new URL(url).pathname);
    await answer.arrayBuffer();
    return answer.status;
  };
  const both = () => Promise.all([leaked, other].map(({ manifestUrl }) => statusOf(manifestUrl)));
  /** As each of them does every ten seconds. */
  const lookAtTheList = async (): Promise<void> => {
    await api.deps.revoker.refresh();
    await edge.revocations.look();
  };
  // What an operator has is the link.
  const [, , , id] = new URL(leaked.manifestUrl).pathname.split("/")[2]!.split(".");
  const end = (tenant: "alpha" | "beta", role: "viewer" | "editor" | "admin", session = id) =>
    api.as(tenant, role)("DELETE", `/v1/admin/sessions/${session}`);

  for (const role of ["viewer", "editor"] as const) assert.equal((await end("alpha", role)).status, 403);
  assert.equal((await end("beta", "admin")).status, 404);
  assert.equal((await end("alpha", "admin", "ps_unknown")).status, 404);
  await lookAtTheList();
  assert.deepEqual(await both(), [200, 200]);

  for (let times = 0; times < 2; times++) assert.equal((await end("alpha", "admin")).status, 204);
  await lookAtTheList();
  assert.deepEqual(await both(), [403, 200]);
  const renewed = await viewer("POST", `/v1/playback/${id}/renew`);
  assert.deepEqual([renewed.status, renewed.body.code], [409, "playback_over"]);
});
