import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { readApiConfig } from "../../api/config.ts";
import { parseEdges } from "../../core/edges.ts";
import { signGrant } from "../../core/grant.ts";
import { openEdge, type Edge as RunningEdge } from "../delivery/edge-for-test.ts";
import { eventually } from "../rig/processes.ts";
import { configForTest, GENERATION, openTestApi, publishedMovie } from "./api-for-test.ts";
import { openIssuer } from "./issuer-for-test.ts";

const MASTER =
  '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1"\nv.m3u8\n';
const [first, second] = ["http://fra.test DE", "http://iad.test US"];
const { jwt, signed } = await openIssuer();
const api = await openTestApi("steering", (config) => ({
  ...config,
  jwt,
  edges: parseEdges(`${first}, ${second}`),
  deliveryUrl: "http://fra.test",
  publicUrl: "https://api.test",
  countryHeader: "x-country",
}));
const viewer = api.as("alpha", "viewer");
const nameOf = (url: string): string => url.slice(url.lastIndexOf("/") + 1);

async function movie(): Promise<{ titleId: string; prefix: string }> {
  const { asset, titleId } = await publishedMovie(api, "alpha");
  const prefix = `${asset._id}/${GENERATION}/`;
  await api.deps.blobs.put("media", `${prefix}main.m3u8`, gzipSync(MASTER), {
    contentType: "application/vnd.apple.mpegurl",
    contentEncoding: "gzip",
  });
  await api.deps.blobs.put(
    "media",
    `${prefix}main.mpd`,
    gzipSync('<?xml version="1.0"?>\n<MPD a="b">\n</MPD>\n'),
    {
      contentType: "application/dash+xml",
      contentEncoding: "gzip",
    },
  );
  return { titleId, prefix };
}

async function open(titleId: string, country: string) {
  const { status, body } = await viewer("POST", "/v1/playback", { titleId }, { "x-country": country });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

test("a viewer is sent to the near edge, with a master that knows where to ask", async () => {
  const { titleId, prefix } = await movie();
  const masters = new Set<string>();
  for (const [country, host] of [
    ["DE", "fra.test"],
    ["US", "iad.test"],
    ["CA", "iad.test"],
    ["PL", "fra.test"],
  ] as const) {
    const body = await open(titleId, country);
    assert.match(body.manifestUrl, new RegExp(`^http://${host}/v/[^/]+/${prefix}main-[0-9a-f]{16}\\.m3u8$`));
    masters.add(nameOf(body.manifestUrl));
    const mpd = new URL(body.dashUrl);
    assert.equal(mpd.origin, "https://api.test");
    const written = await (await api.request(mpd.pathname, { headers: { "x-country": country } })).text();
    const [, best] =
      /<BaseURL serviceLocation="([^"]+)">http:\/\/\1\/v\/[^/]+\/[^<]+\/<\/BaseURL>/.exec(written) ?? [];
    assert.equal(best, host);
    assert.equal(written.match(/<BaseURL /g)?.length, 2);
    const [, server = ""] = /<ContentSteering [^>]*>([^<]+)</.exec(written) ?? [];
    const { pathname, search } = new URL(server);
    const named = await (await api.request(pathname + search, { headers: { "x-country": country } })).json();
    assert.deepEqual([named["PATHWAY-PRIORITY"][0], named["PATHWAY-CLONES"]], [host, []]);
    const steering = new URL(body.steeringUrl);
    assert.deepEqual([steering.origin, steering.searchParams.get("edge")], ["https://api.test", host]);
    const answer = await api.request(steering.pathname + steering.search, {
      headers: { "x-country": country },
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/vnd.apple.steering-list");
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    const other = host === "fra.test" ? "iad.test" : "fra.test";
    assert.deepEqual(await answer.json(), {
      VERSION: 1,
      TTL: 120,
      "RELOAD-URI": body.steeringUrl,
      "PATHWAY-PRIORITY": [".", other],
      "PATHWAY-CLONES": [{ "BASE-ID": ".", ID: other, "URI-REPLACEMENT": { HOST: other } }],
    });
  }
  const { blobs } = api.deps;
  const [name, ...others] = [...masters];
  assert.deepEqual(others, [], "one for all edges");
  const steered = gunzipSync((await blobs.read("media", prefix + name))!).toString();
  assert.match(steered, /EXT-X-CONTENT-STEERING:SERVER-URI="steering.json"/);
  assert.equal(gunzipSync((await blobs.read("media", `${prefix}main.m3u8`))!).toString(), MASTER);
});

test("a renewal keeps to the steered master", async () => {
  const { titleId } = await movie();
  const { sessionId, manifestUrl } = await open(titleId, "US");
  const { body } = await viewer("POST", `/v1/playback/${sessionId}/renew`, undefined, { "x-country": "US" });
  assert.match(body.manifestUrl, /^http:\/\/iad\.test\/.+\/main-[0-9a-f]{16}\.m3u8$/);
  assert.equal(nameOf(body.manifestUrl), nameOf(manifestUrl));
});

test("a package that was collected and made again has its steered master again", async () => {
  const { titleId, prefix } = await movie();
  const { blobs, library } = api.deps;
  const name = nameOf((await open(titleId, "DE")).manifestUrl);
  await blobs.remove("media", [prefix + name]);
  const [assetId] = prefix.split("/");
  const again = { $set: { "published.at": new Date(Date.now() + 1) } };
  await library.assets.updateOne({ _id: assetId }, again);
  assert.equal(nameOf((await open(titleId, "DE")).manifestUrl), name);
  assert.notEqual(await blobs.head("media", prefix + name), null);
});

test("where a token says its account's country, that is where its viewer is steered", async () => {
  const { titleId } = await movie();
  const token = await signed({ role: "viewer", tenant: "alpha", country: "us" });
  const opened = await api.request("/v1/playback", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", "x-country": "DE" },
    body: JSON.stringify({ titleId }),
  });
  const body = await opened.json();
  // A player shows its grant there, and no token; the proxy says what it says to all.
  const ask = (url: string) =>
    api.request(url.slice("https://api.test".length), { headers: { "x-country": "DE" } });
  const order = async (url: string) => {
    const answer = await (await ask(url)).json();
    return { first: answer["PATHWAY-PRIORITY"][0], next: answer["RELOAD-URI"] };
  };
  const steered = await order(body.steeringUrl);
  assert.equal(new URL(body.manifestUrl).hostname, "iad.test");
  assert.equal(steered.first, ".");
  assert.equal((await order(`${steered.next}&_HLS_pathway=.`)).first, ".");
  const mpd = await (await ask(body.dashUrl)).text();
  assert.match(mpd, /<MPD [^>]*>\n {2}<BaseURL serviceLocation="iad\.test">/);
  const [, server = ""] = /<ContentSteering [^>]*>([^<]+)</.exec(mpd) ?? [];
  const named = await order(server.replaceAll("&amp;", "&"));
  assert.deepEqual([named.first, (await order(named.next)).first], ["iad.test", "iad.test"]);
  const strange = await order(body.steeringUrl.replace("country=US", "country=%3Cx%3E"));
  assert.equal(strange.first, "fra.test");
});

test("a session that was ended is told nothing more, nor is a cell made for it", async () => {
  const { titleId } = await movie();
  const { sessionId, steeringUrl, dashUrl, manifestUrl } = await open(titleId, "DE");
  const { pathname } = new URL(manifestUrl);
  const demand = pathname.replace(/main-[0-9a-f]+\.m3u8$/, "preview/video/p/00000.m4s");
  const statuses = async () => [
    (await api.request(steeringUrl.slice("https://api.test".length))).status,
    (await api.request(new URL(dashUrl).pathname)).status,
    (await api.request(`/preview-demands${demand}`, { method: "POST" })).status,
  ];
  assert.deepEqual(await statuses(), [200, 200, 404]);
  assert.equal((await viewer("DELETE", `/v1/playback/${sessionId}`)).status, 204);
  await api.deps.revoker.refresh();
  assert.deepEqual(await statuses(), [403, 403, 403]);
});

test("a film whose master cannot be steered now is played without", async () => {
  const { titleId } = await publishedMovie(api, "alpha");
  const body = await open(titleId, "DE");
  assert.match(body.manifestUrl, /\/main\.m3u8$/);
  assert.equal(body.steeringUrl, undefined);
});

test("where to play from is told to who may play, and to nobody else", async () => {
  const [key] = api.deps.config.grantKeys;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const grant = (prefix: string, expiresAtSeconds: number) =>
    signGrant(key!, { prefix, expiresAtSeconds, session: "ps_1" });
  const good = grant("/as_1/g1/", nowSeconds + 60);
  const cases: [string, number][] = [
    [`/steering/v/${good}/as_1/g1/steering.json`, 200],
    [`/steering/v/${good}/as_1/g1/steering.json?edge=nobody.test`, 200],
    [`/steering/v/${good}/as_1/g1/main.m3u8`, 404],
    [`/steering/v/${good}/as_2/g1/steering.json`, 403],
    [`/steering/v/${grant("/as_1/g1/", nowSeconds - 600)}/as_1/g1/steering.json`, 403],
    ["/steering/v/x/as_1/g1/steering.json", 403],
    ["/steering/as_1/g1/steering.json", 403],
  ];
  for (const [path, status] of cases) {
    const answer = await api.request(path);
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers.get("access-control-allow-origin"), "*", path);
  }
});

test("an edge that is gone, or is full, is named last; when it is back it counts again", async () => {
  const running = await Promise.all([openEdge("steering-a"), openEdge("steering-b", { maxConnections: 20 })]);
  const watched = await openTestApi("watch", (config) => ({
    ...config,
    // Only what is asked for their health: real edges of this process differ by their port.
    edges: running.map(({ url }, at) => ({
      url,
      hostname: `${"ab"[at]}.test`,
      countries: [],
      regions: new Set(),
    })),
  }));
  after(() => running[1]?.close());
  const { edges } = watched.deps;
  // Asked by hand from here on: what one lost answer does is not to be seen where another question comes in between.
  edges.close();
  const firstOf = (hostname: string) =>
    edges.ranked({ session: "ps_1", country: null, hostname })[0]?.hostname;
  // Both are in this process, so that what keeps it busy is their load as well.
  const seen = (what: string, isSo: () => boolean) =>
    eventually(what, 60, async () => {
      await edges.look();
      return isSo() || null;
    });
  await seen("all is well", () => edges.isCalm());
  assert.deepEqual([firstOf("a.test"), firstOf("b.test")], ["a.test", "b.test"]);
  const port = Number(new URL(running[1].url).port);
  const viewers = Array.from({ length: 18 }, () => connect(port, "127.0.0.1"));
  await seen("who plays from a full edge is sent away", () => firstOf("b.test") === "a.test");
  assert.equal(edges.isCalm(), false);
  for (const viewer of viewers) viewer.destroy();
  await seen("it has room again", () => firstOf("b.test") === "b.test" && edges.isCalm());
  await (running[0] as RunningEdge).close();
  await edges.look();
  assert.equal(firstOf("a.test"), "a.test", "one lost answer is nothing");
  await edges.look();
  assert.deepEqual([firstOf("a.test"), edges.isCalm()], ["b.test", false]);
  const metrics = await (await watched.request("/metrics")).text();
  assert.match(metrics, /^matinee_edge_up\{edge="a\.test"\} 0$/m);
  assert.match(metrics, /^matinee_edge_up\{edge="b\.test"\} 1$/m);
  const back = await openEdge("steering-a", { port: Number(new URL(running[0].url).port) });
  after(() => back.close());
  await seen("it is back", () => firstOf("a.test") === "a.test" && edges.isCalm());
});

test("one setting or several: the first edge is the default, and what is wrong is said", () => {
  const { grantKeys: _, ...rest } = configForTest("settings");
  const env = {
    MATINEE_S3_ENDPOINT: rest.blobs.endpoint,
    MATINEE_S3_ACCESS_KEY_ID: "a",
    MATINEE_S3_SECRET_ACCESS_KEY: "s",
    MATINEE_S3_SOURCE_BUCKET: "b",
    MATINEE_S3_MEDIA_BUCKET: "c",
    MATINEE_MONGO_URL: rest.mongoUrl,
    MATINEE_REDIS_URL: rest.queue.url,
    MATINEE_GRANT_KEYS: `k:${"ab".repeat(32)}`,
  };
  const read = (more: Record<string, string>) => readApiConfig({ ...env, ...more });
  const one = read({ MATINEE_DELIVERY_URL: "https://one.test/" });
  assert.deepEqual(
    [one.deliveryUrl, one.previewUrl, one.edges.length],
    ["https://one.test", "https://one.test", 1],
  );
  const two = read({ MATINEE_DELIVERY_URLS: "https://a.test DE, https://b.test US" });
  assert.deepEqual([two.deliveryUrl, two.edges.length], ["https://a.test", 2]);
  assert.throws(() => read({}), /MATINEE_DELIVERY_URL is missing/);
  assert.throws(
    () => read({ MATINEE_DELIVERY_URLS: "https://a.test, https://b.test:1" }),
    /MATINEE_DELIVERY_URLS: .*one scheme/,
  );
  assert.throws(
    () => read({ MATINEE_DELIVERY_URL: "https://a.test", MATINEE_COUNTRY_HEADER: "x: y" }),
    /MATINEE_COUNTRY_HEADER: is not/,
  );
});
