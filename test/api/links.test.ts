import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createApp } from "../../api/app.ts";
import { readApiConfig } from "../../api/config.ts";
import { openRevoker } from "../../api/revoker.ts";
import { playerPlace } from "../../core/link-visit.ts";
import type { LinkRecord } from "../../core/records/link.ts";
import { carryEvents } from "../../stores/library/outbox.ts";
import { dyingAfter } from "../rig/dying-library.ts";
import { openTestApi, publishedMovie, tokenOf } from "./api-for-test.ts";
import { assertDescribed } from "./described-answer.ts";

const api = await openTestApi("links", (config) => ({
  ...config,
  publicUrl: "https://films.test",
  rates: { perAccount: 10_000, perStranger: 3 },
}));
const { library } = api.deps;
const viewer = api.as("alpha", "viewer");
const editor = api.as("alpha");
const BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36";

let lastAddress = 0;
/** Follows a link as a browser would, from an address of its own unless it is given. */
async function follow(
  code: string,
  headers: Record<string, string> = {},
  address = `10.0.0.${++lastAddress}`,
) {
  const request = new Request(`http://api.test/l/${code}`, {
    headers: { "User-Agent": BROWSER, ...headers },
  });
  const peer = { incoming: { socket: { remoteAddress: address } } };
  const answer = await api.app.request(request, undefined, peer);
  await assertDescribed(api.document, "GET", `/l/${code}`, answer);
  return answer;
}

async function hitsOf(code: string): Promise<number> {
  return (await editor("GET", `/v1/links/${code}`)).body.hits;
}

/** So many links of an account of beta's. */
function linksOf(ownerId: string, titleId: string, count: number): LinkRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const madeAs = `full-${ownerId}-${index}`;
    const owner = { tenant: "beta", ownerId, titleId, createdAt: library.serverNow() };
    const rest = { startSeconds: null, isAlias: true, expiresAt: null, hits: 0, lastHitAt: null };
    return { _id: madeAs, madeAs, ...owner, ...rest };
  });
}

/** As if the link had been made to end a second ago. */
function expire(code: string) {
  const expiresAt = new Date(library.serverNow().getTime() - 1_000);
  return library.links.updateOne({ _id: code }, { $set: { expiresAt } });
}

describe("a share link", () => {
  test("is made by a viewer, leads to the moment in the player, and counts who follows it", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const made = await viewer("POST", "/v1/links", { titleId, startSeconds: 12.5 });
    assert.equal(made.status, 201);
    const { code, url } = made.body;
    assert.match(code, /^[0-9a-hjkmnp-tv-z]{12}$/);
    assert.equal(url, `https://films.test/l/${code}`);
    assert.equal(made.headers.get("location"), `/v1/links/${code}`);
    const answer = await follow(code);
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.get("location"), `/player/#title=${titleId}&from=12.5`);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
    assert.equal((await follow(code.toUpperCase())).status, 302);
    assert.equal(await hitsOf(code), 2);
  });

  test("leads to the page that is set, to the letter: with its slash or without one", () => {
    const set = {
      ...{ MATINEE_S3_ENDPOINT: "http://s3.test", MATINEE_S3_ACCESS_KEY_ID: "a" },
      ...{
        MATINEE_S3_SECRET_ACCESS_KEY: "s",
        MATINEE_S3_SOURCE_BUCKET: "in",
        MATINEE_S3_MEDIA_BUCKET: "out",
      },
      ...{ MATINEE_MONGO_URL: "mongodb://m.test/db", MATINEE_REDIS_URL: "redis://r.test" },
      ...{ MATINEE_GRANT_KEYS: `k:${"ab".repeat(32)}`, MATINEE_DELIVERY_URL: "https://one.test" },
    };
    for (const page of [
      "https://films.test",
      "https://films.test/watch",
      "https://films.test/watch/",
      "https://films.test/?club=7/",
    ]) {
      const { playerUrl } = readApiConfig({ ...set, MATINEE_PLAYER_URL: page });
      const link = { titleId: "ti_1", startSeconds: 2 };
      assert.equal(playerPlace(playerUrl, link, true), `${page}#title=ti_1&from=2`);
    }
    const withPlace = { ...set, MATINEE_PLAYER_URL: "https://films.test/#/watch" };
    assert.throws(() => readApiConfig(withPlace), /MATINEE_PLAYER_URL: has a #/);
  });

  test("says nothing of a moment where none was meant, and of a series leads to what is told of it", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const film = (await viewer("POST", "/v1/links", { titleId })).body;
    assert.equal((await follow(film.code)).headers.get("location"), `/player/#title=${titleId}`);
    const series = (await editor("POST", "/v1/titles", { type: "series", name: "S" })).body.id;
    await editor("POST", `/v1/titles/${series}/publish`, {});
    const moment = await viewer("POST", "/v1/links", { titleId: series, startSeconds: 1 });
    assert.deepEqual([moment.status, moment.body.errors[0].path], [400, "startSeconds"]);
    const { code } = (await viewer("POST", "/v1/links", { titleId: series })).body;
    assert.equal((await follow(code)).headers.get("location"), `/player/#about=${series}`);
  });

  test("does not count heads, what fetches ahead and machines; visits at one moment all count", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { code } = (await viewer("POST", "/v1/links", { titleId })).body;
    const head = await api.app.request(`/l/${code}`, { method: "HEAD", headers: { "User-Agent": BROWSER } });
    assert.equal(head.status, 302);
    const machines: Record<string, string>[] = [
      { "User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)" },
      { "User-Agent": "facebookexternalhit/1.1" },
      { "Sec-Purpose": "prefetch;prerender" },
    ];
    for (const headers of machines) assert.equal((await follow(code, headers)).status, 302);
    assert.equal(await hitsOf(code), 0);
    const answers = await Promise.all(Array.from({ length: 40 }, () => follow(code)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [302]);
    assert.equal(await hitsOf(code), 40);
  });

  test("bears words of its own, which are one person's in the installation until it is deleted", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const elsewhere = await publishedMovie(api, "beta");
    const made = await viewer("POST", "/v1/links", { titleId, alias: "spring-gala-2026" });
    assert.deepEqual([made.status, made.body.code, made.body.isAlias], [201, "spring-gala-2026", true]);
    const taken = { titleId: elsewhere.titleId, alias: "spring-gala-2026" };
    const refused = await api.as("beta", "viewer")("POST", "/v1/links", taken);
    assert.deepEqual([refused.status, refused.body.code], [409, "alias_taken"]);
    assert.equal((await viewer("DELETE", "/v1/links/spring-gala-2026")).status, 204);
    assert.equal((await viewer("DELETE", "/v1/links/spring-gala-2026")).status, 404);
    assert.equal((await api.as("beta", "viewer")("POST", "/v1/links", taken)).status, 201);
  });

  test("is refused with what it cannot be", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    for (const [what, body, path] of [
      ["a reserved word", { alias: "admin" }, "alias"],
      ["capitals", { alias: "Gala" }, "alias"],
      ["two dashes", { alias: "a--b" }, "alias"],
      ["a dash at the end", { alias: "gala-" }, "alias"],
      ["too few letters", { alias: "ab" }, "alias"],
      ["too many letters", { alias: "a".repeat(61) }, "alias"],
      ["a path", { alias: "a/../b" }, "alias"],
      ["the form of a drawn code", { alias: "branchbanter" }, "alias"],
      ["a moment behind the end", { startSeconds: 30 }, "startSeconds"],
      ["a moment before the beginning", { startSeconds: -1 }, "startSeconds"],
      ["an end that is past", { expiresAt: "2020-01-01T00:00:00Z" }, "expiresAt"],
      ["an unknown member", { url: "https://evil.test" }, "url"],
    ] as const) {
      const answer = await viewer("POST", "/v1/links", { titleId, ...body });
      assert.deepEqual([answer.status, answer.body.code], [400, "invalid_request"], what);
      assert.equal(answer.body.errors[0].path, path, what);
    }
  });

  test("under one Idempotency-Key is one link, also where the first request crashed half way", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const key = { "Idempotency-Key": "link-1" };
    const body = { titleId, alias: "once-only" };
    const [first, again] = await Promise.all([
      viewer("POST", "/v1/links", body, key),
      viewer("POST", "/v1/links", body, key),
    ]);
    assert.deepEqual([first.status, again.status], [201, 201]);
    assert.deepEqual(again.body, first.body);
    // The link is there, its answer is not: as after a crash between the two.
    const lapsed = { $set: { answer: null, leaseUntil: new Date(0) } };
    const crashed = await library.claims.updateMany({ answer: { $regex: "once-only" } }, lapsed);
    assert.equal(crashed.modifiedCount, 1);
    assert.deepEqual((await viewer("POST", "/v1/links", body, key)).body, first.body);
    const other = await viewer("POST", "/v1/links", { titleId }, key);
    assert.deepEqual([other.status, other.body.code], [409, "idempotency_conflict"]);
  });

  test("made by a request that crashed is found by its repetition, though it filled the account and its title is down", async () => {
    const { titleId } = await publishedMovie(api, "beta");
    const maker = api.as("beta", "viewer");
    await library.links.deleteMany({ tenant: "beta" });
    await library.links.insertMany(linksOf("viewer-of-beta", titleId, 999));
    const key = { "Idempotency-Key": "link-1000" };
    const made = await maker("POST", "/v1/links", { titleId }, key);
    assert.equal(made.status, 201);
    const lapsed = { $set: { answer: null, leaseUntil: new Date(0) } };
    const crashed = await library.claims.updateMany({ answer: { $regex: made.body.code } }, lapsed);
    assert.equal(crashed.modifiedCount, 1);
    await api.as("beta")("POST", `/v1/titles/${titleId}/unpublish`);
    const again = await maker("POST", "/v1/links", { titleId }, key);
    assert.deepEqual([again.status, again.body], [201, made.body]);
  });
});

describe("a link that leads nowhere", () => {
  const statusOf = async (code: string) => {
    const answer = await follow(code);
    return [answer.status, (await answer.json()).code];
  };

  test("is 410 once it is over, and 404 where there never was one", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const expiresAt = new Date(library.serverNow().getTime() + 3_600_000).toISOString();
    const { code } = (await viewer("POST", "/v1/links", { titleId, expiresAt })).body;
    assert.equal((await follow(code)).status, 302);
    await expire(code);
    assert.deepEqual(await statusOf(code), [410, "link_expired"]);
    assert.deepEqual(await statusOf("0000000000zz"), [404, "not_found"]);
    assert.equal(await hitsOf(code), 1);
  });

  test("is 404 while its title is taken down, back with it, and forgotten once the title is deleted", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { code } = (await viewer("POST", "/v1/links", { titleId })).body;
    await editor("POST", `/v1/titles/${titleId}/unpublish`);
    assert.deepEqual(await statusOf(code), [404, "not_found"]);
    await editor("POST", `/v1/titles/${titleId}/publish`, {});
    assert.equal((await follow(code)).status, 302);
    await editor("DELETE", `/v1/titles/${titleId}`);
    assert.deepEqual(await statusOf(code), [404, "not_found"]);
    assert.equal((await viewer("GET", `/v1/links/${code}`)).status, 404);
  });

  test("goes with its title, wherever the deletion died: the same call again does the rest of it", async () => {
    const { blobs, log, config } = api.deps;
    let isWhole = false;
    let writes = 0;
    for (; !isWhole; writes++) {
      const { titleId, asset } = await publishedMovie(api, "alpha");
      await carryEvents(library, 100);
      const endpoint = { url: "https://example.com/", types: ["title.unpublished"] };
      const { id: webhookId } = (await api.as("alpha", "admin")("POST", "/v1/webhooks", endpoint)).body;
      const { code } = (await viewer("POST", "/v1/links", { titleId })).body;
      const dying = dyingAfter(library, writes);
      const revoker = openRevoker({ library: dying, blobs, log, grantKeys: [...config.grantKeys] });
      const app = createApp({ ...api.deps, library: dying, revoker }, new Map());
      const headers = { Authorization: `Bearer ${tokenOf("alpha", "editor")}` };
      const { status } = await app.request(`/v1/titles/${titleId}`, { method: "DELETE", headers });
      revoker.close();
      isWhole = status === 204;
      if (!isWhole) assert.equal(status, 500, `${writes} writes`);
      const again = await editor("DELETE", `/v1/titles/${titleId}`);
      assert.ok([204, 404].includes(again.status), `${writes} writes`);
      assert.equal((await editor("GET", `/v1/titles/${titleId}`)).status, 404);
      assert.equal((await editor("GET", `/v1/links/${code}`)).status, 404, `${writes} writes`);
      const { titleId: named } = (await editor("GET", `/v1/assets/${asset._id}`)).body;
      assert.equal(named, undefined, `${writes} writes`);
      const withdrawn = await library.revocations.findOne({ _id: `withdrawn:${asset._id}` });
      assert.notEqual(withdrawn, null, `${writes} writes`);
      assert.equal(await library.deliveries.countDocuments({ webhookId }), 1, `${writes} writes`);
      await library.webhooks.deleteMany({});
    }
    assert.ok(writes > 6, `${writes} writes`);
  });

  test("tells a person so in their language, with nothing of what they asked for in it", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { code } = (await viewer("POST", "/v1/links", { titleId })).body;
    await expire(code);
    const browser = { Accept: "text/html,*/*;q=0.8" };
    const over = await follow(code, { ...browser, "Accept-Language": "de-AT,en;q=0.5" });
    assert.equal(over.status, 410);
    assert.equal(over.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(
      over.headers.get("content-security-policy") ?? "",
      /^default-src 'none'; style-src 'sha256-/,
    );
    assert.equal(over.headers.get("cache-control"), "no-store");
    assert.match(await over.text(), /<html lang="de">.*Dieser Link ist abgelaufen/s);
    const unknown = await follow("%3Cscript%3Ealert(1)", browser);
    assert.equal(unknown.status, 404);
    const page = await unknown.text();
    assert.match(page, /<html lang="en">.*There is nothing here/s);
    assert.doesNotMatch(page, /script/);
  });

  test("costs who follows a dead link again and again nothing that words are guessed by", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    await viewer("POST", "/v1/links", { titleId, alias: "on-a-poster" });
    const office = "10.9.9.7";
    const dead = ["0000000000zz", "1111111111zz", "2222222222zz", "3333333333zz"];
    const noWords = ["a", "never--a-word", "%C3%A4%C3%B6%C3%BC"];
    const oldWords = Array.from({ length: 6 }, () => "gala-of-last-year");
    for (const code of [...dead, ...noWords, ...oldWords])
      assert.equal((await follow(code, {}, office)).status, 404, code);
    assert.equal((await follow("on-a-poster", {}, office)).status, 302);
  });

  test("words may be guessed so often a minute from one address; a drawn code still opens there", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const drawn = (await viewer("POST", "/v1/links", { titleId })).body.code;
    await viewer("POST", "/v1/links", { titleId, alias: "found-by-words" });
    const guesser = "10.9.9.9";
    for (let guess = 0; guess < 3; guess++)
      assert.equal((await follow(`guess-${guess}`, {}, guesser)).status, 404);
    const refused = await follow("found-by-words", {}, guesser);
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get("retry-after")) >= 1);
    assert.equal((await follow("guess-3", {}, guesser)).status, 429);
    assert.equal((await follow("0000000000zz", {}, guesser)).status, 404);
    assert.equal((await follow(drawn, {}, guesser)).status, 302);
    assert.equal((await follow("found-by-words", {}, "10.9.9.8")).status, 302);
  });
});

describe("the links of a tenant", () => {
  test("are each account's own to viewers, all to editors, and nobody's elsewhere", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const own = (await viewer("POST", "/v1/links", { titleId })).body.code;
    const others = (await editor("POST", "/v1/links", { titleId })).body.code;
    const codes = async (call: typeof viewer) =>
      (await call("GET", `/v1/links?titleId=${titleId}`)).body.data.map(({ code }: { code: string }) => code);
    assert.deepEqual(await codes(viewer), [own]);
    assert.deepEqual((await codes(editor)).sort(), [own, others].sort());
    assert.deepEqual(await codes(api.as("beta", "admin")), []);
    assert.equal((await viewer("GET", `/v1/links/${others}`)).status, 404);
    assert.equal((await viewer("DELETE", `/v1/links/${others}`)).status, 404);
    assert.equal((await api.as("beta", "admin")("DELETE", `/v1/links/${own}`)).status, 404);
    assert.equal((await editor("DELETE", `/v1/links/${own}`)).status, 204);
  });

  test("come page by page, newest first", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const made: string[] = [];
    for (let one = 0; one < 3; one++) {
      const { code } = (await viewer("POST", "/v1/links", { titleId })).body;
      // A second apart: those of one millisecond have no order that anybody could know.
      await library.links.updateOne({ _id: code }, { $set: { createdAt: new Date(one * 1_000) } });
      made.push(code);
    }
    const first = (await viewer("GET", `/v1/links?titleId=${titleId}&limit=2`)).body;
    const rest = `/v1/links?titleId=${titleId}&limit=2&cursor=${first.nextCursor}`;
    const second = (await viewer("GET", rest)).body;
    const codes = [...first.data, ...second.data].map(({ code }) => code);
    assert.deepEqual(codes, made.reverse());
    assert.deepEqual([first.data.length, second.nextCursor], [2, null]);
  });

  test("lead only to what their maker may see: drafts are linked to by editors alone", async () => {
    const draft = (await editor("POST", "/v1/titles", { name: "D" })).body.id;
    assert.equal((await viewer("POST", "/v1/links", { titleId: draft })).status, 404);
    const invitation = await editor("POST", "/v1/links", { titleId: draft });
    assert.equal(invitation.status, 201);
    assert.equal((await follow(invitation.body.code)).status, 404);
    assert.equal((await api.as("beta", "editor")("POST", "/v1/links", { titleId: draft })).status, 404);
  });

  test("are no more than a thousand of one account", async () => {
    const { titleId } = await publishedMovie(api, "beta");
    await library.links.insertMany(linksOf("editor-of-beta", titleId, 1_000));
    const refused = await api.as("beta", "editor")("POST", "/v1/links", { titleId });
    assert.deepEqual([refused.status, refused.body.code], [409, "too_many_links"]);
  });
});
