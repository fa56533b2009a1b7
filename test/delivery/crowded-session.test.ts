import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "@hono/node-server";
import { CROWDED_SESSIONS_PATH, countPlaces, PLACES_PER_SESSION } from "../../core/crowded-sessions.ts";
import { signEdgeReport } from "../../core/edge-report.ts";
import { packagePrefix } from "../../core/keys.ts";
import { reportCrowds } from "../../delivery/report-crowds.ts";
import { openLog } from "../../stores/log.ts";
import { GENERATION, openTestApi, publishedMovie } from "../api/api-for-test.ts";
import { freePort } from "../rig/product.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";
import { openEdge, storePackage } from "./edge-for-test.ts";
import { ADDRESS_HEADER, COUNTRY_HEADER, raw } from "./edge-under-test.ts";

const NAME = "crowded";
const MOST = PLACES_PER_SESSION;
/** As often as it takes, a minute after the other. */
const MINUTES = 3;
// The API publishes its list where the edge reads.
const api = await openTestApi(NAME, (config) => ({ ...config, blobs: s3ForTest(NAME) }));
const viewer = api.as("alpha", "viewer");
const { asset, titleId } = await publishedMovie(api, "alpha");
await storePackage(NAME, `/${packagePrefix(asset._id, GENERATION)}`);

async function open(): Promise<{ sessionId: string; path: string }> {
  const { body } = await viewer("POST", "/v1/playback", { titleId });
  return { sessionId: body.sessionId, path: new URL(body.manifestUrl).pathname };
}

test("fifty clients on one session for three minutes: it is over at the edge, and that of a household is not (T29)", async (context) => {
  const port = await freePort();
  const crowds = countPlaces(MOST);
  const trustedHeaders = { address: ADDRESS_HEADER, country: COUNTRY_HEADER };
  const edge = await openEdge(NAME, { crowds, trustedHeaders });
  edge.clock.nowSeconds = Math.floor(Date.now() / 1000);
  edge.grantKeys.splice(0, edge.grantKeys.length, ...api.deps.config.grantKeys);
  const reporter = reportCrowds({
    crowds,
    apiUrl: `http://127.0.0.1:${port}`,
    grantKeys: () => edge.grantKeys,
    log: openLog({ name: "edge-test", level: "silent" }),
  });
  const ask = (path: string, client: number) =>
    raw(edge.url, path, { [ADDRESS_HEADER]: `192.0.2.${client}` }).then(({ status }) => status);
  const [shared, own] = [await open(), await open()];
  for (let minute = 0; minute < MINUTES; minute++, edge.clock.nowSeconds += 60) {
    for (let client = 0; client < 50; client++) assert.equal(await ask(shared.path, client), 200);
    for (let times = 0; times < 2 * MOST; times++) assert.equal(await ask(own.path, times % MOST), 200);
  }
  await reporter.flush();
  // While nobody answered there it was kept.
  const server = serve({ fetch: api.app.fetch, port, hostname: "127.0.0.1" });
  context.after(async () => {
    reporter.close();
    server.close();
    await edge.close();
  });
  await reporter.flush();
  await api.deps.revoker.refresh();
  await edge.revocations.look();
  assert.deepEqual([await ask(shared.path, 1), await ask(own.path, 1)], [403, 200]);
  const renewed = await viewer("POST", `/v1/playback/${shared.sessionId}/renew`);
  assert.deepEqual([renewed.status, renewed.body.code], [409, "playback_over"]);
});

test("behind a proxy that nobody named its addresses are no places", async (context) => {
  const crowds = countPlaces(0);
  const edge = await openEdge(NAME, { crowds });
  context.after(() => edge.close());
  edge.clock.nowSeconds = Math.floor(Date.now() / 1000);
  edge.grantKeys.splice(0, edge.grantKeys.length, ...api.deps.config.grantKeys);
  const { sessionId, path } = await open();
  const ask = async (headers: Record<string, string>): Promise<void> => {
    for (let minute = 0; minute < MINUTES; minute++, edge.clock.nowSeconds += 60)
      assert.equal((await raw(edge.url, path, headers)).status, 200);
  };
  for (const name of ["x-forwarded-for", "forwarded", "via"]) {
    await ask({ [name]: "192.0.2.7" });
    assert.deepEqual(crowds.take(), [], name);
  }
  await ask({});
  assert.deepEqual(crowds.take(), [sessionId]);
});

test("only an edge of ours ends sessions so, and only sessions of viewers", async () => {
  const { sessionId } = await open();
  const say = async (said: unknown, signature?: string): Promise<number> => {
    const body = JSON.stringify(said);
    const signed = signature ?? signEdgeReport(api.deps.config.grantKeys[0]!, body);
    const headers = { "Content-Type": "application/json", "Matinee-Signature": signed };
    return (await api.request(CROWDED_SESSIONS_PATH, { method: "POST", headers, body })).status;
  };
  assert.equal(await say({ sessions: [sessionId] }, "now.AAAA"), 403);
  for (const wrong of [{}, { sessions: [] }, { sessions: ["pv_1"] }, { sessions: [sessionId], more: 1 }])
    assert.equal(await say(wrong), 400, JSON.stringify(wrong));
  assert.equal((await viewer("POST", `/v1/playback/${sessionId}/renew`)).status, 200);
  for (let times = 0; times < 2; times++)
    assert.equal(await say({ sessions: ["ps_unknown", sessionId] }), 204);
  assert.equal((await viewer("POST", `/v1/playback/${sessionId}/renew`)).status, 409);
});
