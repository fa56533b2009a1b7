import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serve } from "@hono/node-server";
import { foldFigures } from "../../api/fold-figures.ts";
import { readClientData } from "../../core/cmcd.ts";
import { openClientCounts } from "../../delivery/client-counts.ts";
import { openMetrics } from "../../delivery/metrics.ts";
import { reportCounts } from "../../delivery/report-counts.ts";
import { openLog } from "../../stores/log.ts";
import { GENERATION, openTestApi, publishedMovie } from "../api/api-for-test.ts";
import { eventually } from "../rig/processes.ts";
import { freePort } from "../rig/product.ts";
import { type Edge, openEdge, storePackage } from "./edge-for-test.ts";

let edge: Edge;
let prefix: string;
let folder: string;

before(async () => {
  ({ prefix } = await storePackage("client-data"));
  folder = await mkdtemp(join(tmpdir(), "matinee-edge-"));
  edge = await openEdge("client-data", {
    cache: { folder, diskBytes: 64e6, memoryBytes: 8e6 },
    trustedHeaders: { address: null, country: "x-country" },
  });
});

after(async () => {
  await edge.close();
  await rm(folder, { recursive: true, force: true });
});

const SEGMENT = "video/360p/00000.m4s";
const SAID = 'bl=4000,br=600,bs,mtp=9000,ot=v,sid="6e2f-1"';

async function get(path: string, said: string | null, headers: Record<string, string> = {}): Promise<number> {
  const query = said === null ? "" : `?CMCD=${encodeURIComponent(said)}`;
  const grant = headers.grant ?? edge.grant(prefix);
  const answer = await fetch(`${edge.url}/v/${grant}${prefix}${path}${query}`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

test("what players say with their requests is added up by rung and country, and no cache keys by it", async () => {
  const [asset, generation] = prefix.slice(1).split("/");
  const statuses = [
    await get(SEGMENT, SAID, { "x-country": "de" }),
    await get(SEGMENT, 'bl=8000,br=600,sid="6e2f-2"', { "x-country": "DE" }),
    await get(SEGMENT, null, { "cmcd-request": "bl=1000", "cmcd-status": "bs" }),
    // Said, and not of a picture; not said; not allowed.
    await get("audio/a0/00000.m4s", SAID),
    await get("video/360p/media.m3u8", SAID),
    await get(SEGMENT, null),
    await get(SEGMENT, SAID, { grant: edge.grant("/as_other/0f0f/") }),
  ];
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 403]);
  const place = { assetId: asset, generation, renditionId: "360p" };
  assert.deepEqual(edge.counts.take(10), [
    {
      ...place,
      country: "DE",
      ...{ requests: 2, starved: 1, encodedKbps: 1_200, encodedSamples: 2 },
      ...{ bufferMs: 12_000, bufferSamples: 2, throughputKbps: 9_000, throughputSamples: 1 },
    },
    {
      ...place,
      country: "ZZ",
      ...{ requests: 1, starved: 1, encodedKbps: 0, encodedSamples: 0 },
      ...{ bufferMs: 1_000, bufferSamples: 1, throughputKbps: 0, throughputSamples: 0 },
    },
  ]);
  assert.deepEqual(edge.counts.take(10), []);
  // The segment, the sound's, the playlist, and the segment that follows ours and is not there.
  assert.equal(await edge.metric('matinee_delivery_store_fetches_total{result="kept"}'), 3);
  assert.equal(await edge.metric('matinee_delivery_client_requests_total{outcome="starved"}'), 2);
});

test("the log has the player's session, and no query", async () => {
  await get(SEGMENT, SAID);
  // It is written once the answer is through, which is after we have it.
  const line = await eventually("a line with a session", 60, () => edge.lines.find(hasSession) ?? null);
  assert.equal(JSON.parse(line).clientSession, "6e2f-1");
  // With what stands behind each: three letters alone may come up in a random id.
  assert.ok(!edge.lines.some((one) => /(CMCD|mtp)(=|%3D)/i.test(one)));
});

const hasSession = (line: string): boolean => line.includes(SEGMENT) && line.includes("clientSession");

test("a crowd of packages takes bounded memory", async () => {
  const metrics = openMetrics();
  const counts = openClientCounts(metrics);
  const said = { sessionId: null, encodedKbps: 1, bufferMs: null, throughputKbps: null, hasStarved: false };
  for (let index = 0; index < 6_000; index++) counts.note(`/as_${index}/0f/video/360p/00000.m4s`, "DE", said);
  assert.equal(counts.take(10_000).length, 5_000);
  assert.match(await metrics.registry.metrics(), /client_requests_total\{outcome="dropped"\} 1000/);
});

test("what was counted while the API was away reaches its figures later, once", async () => {
  const api = await openTestApi("edge-reports");
  const { library, config } = api.deps;
  const { asset, titleId } = await publishedMovie(api, "alpha");
  const port = await freePort();
  const counts = openClientCounts(openMetrics());
  const log = openLog({ name: "edge-test", level: "silent" });
  const reporter = reportCounts({
    counts,
    apiUrl: `http://127.0.0.1:${port}`,
    grantKeys: () => config.grantKeys,
    log,
  });
  const note = () =>
    counts.note(`/${asset._id}/${GENERATION}/video/v720/00000.m4s`, "DE", {
      sessionId: null,
      encodedKbps: 2_000,
      bufferMs: 3_000,
      throughputKbps: 8_000,
      hasStarved: false,
    });
  note();
  await reporter.flush();
  assert.equal(await library.reports.countDocuments({}), 0);
  for (let request = 0; request < 4; request++) note();
  const server = serve({ fetch: api.app.fetch, port, hostname: "127.0.0.1" });
  await Promise.all([reporter.flush(), reporter.flush()]);
  reporter.close();
  assert.equal(await library.reports.countDocuments({ kind: "edge" }), 2);
  await foldFigures(api.deps);
  const { body } = await api.as("alpha")("GET", `/v1/analytics/titles/${titleId}`);
  assert.deepEqual(body.total.line, {
    requests: 5,
    starvedRatio: 0,
    encodedBps: 2_000_000,
    bufferSeconds: 3,
    throughputBps: 8_000_000,
  });
  await new Promise((resolve) => server.close(resolve));
});

test("nothing that a viewer says or asks for has a report refused", async () => {
  const api = await openTestApi("edge-reports-hostile");
  const port = await freePort();
  const server = serve({ fetch: api.app.fetch, port, hostname: "127.0.0.1" });
  const counts = openClientCounts(openMetrics());
  const reporter = reportCounts({
    counts,
    apiUrl: `http://127.0.0.1:${port}`,
    grantKeys: () => api.deps.config.grantKeys,
    log: openLog({ name: "edge-test", level: "silent" }),
  });
  const place = `/as_1/${GENERATION}/video`;
  const said = (text: string) => readClientData(`/?CMCD=${encodeURIComponent(text)}`, {})!;
  counts.note(`${place}/${"v".repeat(200)}/00000.m4s`, "DE", said("br=1"));
  for (const most of ["br=999999999,bl=999999999,mtp=999999999", "br=1000000,bl=21600000,mtp=10000000"]) {
    const client = said(most);
    for (let times = 0; times < 200_000; times++) counts.note(`${place}/v720/00000.m4s`, "DE", client);
  }
  await reporter.flush();
  reporter.close();
  const kept = await api.deps.library.reports.find({ kind: "edge" }).toArray();
  assert.deepEqual(
    kept.flatMap((one) => (one.kind === "edge" ? one.rows.map(({ renditionId }) => renditionId) : [])),
    ["v720"],
  );
  await new Promise((resolve) => server.close(resolve));
});
