import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { foldFigures } from "../../api/fold-figures.ts";
import { dayOf } from "../../core/days.ts";
import { EDGE_REPORTS_PATH, type EdgeRow, signEdgeReport } from "../../core/edge-report.ts";
import { NO_FIGURES, NO_LINE } from "../../core/figures.ts";
import type { GrantKey } from "../../core/grant.ts";
import { newId } from "../../core/ids.ts";
import { packagePrefix } from "../../core/keys.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { findAsset } from "../../stores/library/assets.ts";
import type { Library } from "../../stores/library/connect.ts";
import { foldNextBatch } from "../../stores/library/fold-reports.ts";
import { publishAsset, recordPlan, startProbing } from "../../stores/library/work.ts";
import { dyingAfter } from "../rig/dying-library.ts";
import { GENERATION, openTestApi, publishedMovie, RENDITIONS, SOURCE, type Tenant } from "./api-for-test.ts";

const COUNTRY = "cloudfront-viewer-country";
const api = await openTestApi("analytics", (config) => ({ ...config, countryHeader: COUNTRY }));
const { library, blobs, config } = api.deps;
const editor = api.as("alpha");
const viewer = api.as("alpha", "viewer");
/** Another one is, where a test goes on past midnight. */
const today = () => dayOf(library.serverNow());

type Event = Record<string, string | number | boolean | null>;

const START: Event = { type: "startup", seq: 0, startupSeconds: 1.2, renditionId: "v720" };
const PLAYED: Event = { type: "heartbeat", seq: 1, playedSeconds: 10, renditionId: "v720" };
const STALL: Event = { type: "stall", seq: 2, durationSeconds: 2.5, renditionId: "v720" };
const FATAL: Event = { type: "error", seq: 3, code: "bufferAppendError", fatal: true, renditionId: "v720" };

async function open(titleId: string, tenant: Tenant = "alpha"): Promise<string> {
  return (await api.as(tenant, "viewer")("POST", "/v1/playback", { titleId })).body.sessionId;
}

/** Says it from a country; events have a place and a time of no matter. */
function say(sessionId: string, events: Event[], country = "DE", tenant: Tenant = "alpha") {
  const placed = events.map((event) => ({ at: "2026-01-01T00:00:00Z", positionSeconds: 1, ...event }));
  const path = `/v1/playback/${sessionId}/beacons`;
  return api.as(tenant, "viewer")("POST", path, { events: placed }, { [COUNTRY]: country });
}

/** One whole session that is over. */
async function watch(titleId: string, events: Event[], country?: string, tenant?: Tenant): Promise<void> {
  const sessionId = await open(titleId, tenant);
  assert.equal((await say(sessionId, events, country, tenant)).status, 202);
  await api.as(tenant ?? "alpha", "viewer")("DELETE", `/v1/playback/${sessionId}`);
}

/** As if what is waited for had not come, then the round of the API. */
async function fold(own: Library = library): Promise<void> {
  await library.reports.updateMany({ state: "open" }, { $set: { closeAt: new Date(0) } });
  await foldFigures({ ...api.deps, library: own });
}

const figures = async (titleId: string, query = "") =>
  (await editor("GET", `/v1/analytics/titles/${titleId}${query}`)).body;

/** Resolves for all of them once so many have come. */
function meeting(many: number): () => Promise<void> {
  const all = Promise.withResolvers<void>();
  let here = 0;
  return () => {
    if (++here === many) all.resolve();
    return all.promise;
  };
}

/** A library whose figures are not written before the others have come as far. */
function meetingAtFigures(library: Library, meet: () => Promise<void>): Library {
  let met: Promise<void> | null = null;
  const figures = new Proxy(library.figures, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== "updateOne") return member.bind(target);
      return async (...args: unknown[]) => {
        met ??= meet();
        await met;
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { ...library, figures };
}

/** As this process's metrics have it. */
async function sessionsCounted(): Promise<number> {
  const text = await (await api.request("/metrics")).text();
  return Number(/^matinee_playback_sessions_total (\d+)$/m.exec(text)?.[1]);
}

/** Another generation of the asset, published. */
async function remake({ _id }: AssetRecord): Promise<string> {
  await editor("POST", `/v1/assets/${_id}/reprocess`, {});
  const generation = randomBytes(10).toString("hex");
  const revised = await findAsset(library, "alpha", _id);
  assert.ok(revised);
  await startProbing(library, revised);
  const plan = buildPlan(SOURCE, DEFAULT_PLAN_SETTINGS, "test");
  await recordPlan(library, revised, { source: SOURCE, plan, generation, findings: [], sidecars: [] });
  for (const one of [GENERATION, generation]) {
    const key = `${packagePrefix(_id, one)}main.m3u8`;
    await blobs.put("media", key, Buffer.from("#EXTM3U"), { contentType: "text/plain" });
  }
  await publishAsset(library, revised, { generation, durationSeconds: 30, renditions: RENDITIONS });
  return generation;
}

describe("what players tell", () => {
  test("becomes figures of the title, whatever the order, however often", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const begun = today();
    const [one, other] = [await open(titleId), await open(titleId)];
    await say(one, [STALL, PLAYED]);
    await Promise.all([say(one, [START]), say(one, [PLAYED, STALL]), say(one, [{ ...PLAYED, seq: 4 }])]);
    await say(other, [{ ...START, startupSeconds: 4 }, FATAL], "AT");
    await fold();
    for (const sessionId of [one, other]) await viewer("DELETE", `/v1/playback/${sessionId}`);
    const { total, rows, ...asked } = await figures(titleId, "?by=country");
    assert.deepEqual(asked.by, "country");
    const { startup, ...sums } = total;
    assert.deepEqual(sums, {
      sessions: 2,
      plays: 2,
      watchSeconds: 20,
      errorRate: 0.5,
      rebufferRatio: 2.5 / 22.5,
      stalls: 1,
      stallSeconds: 2.5,
      averageBps: 2_000_000,
      line: null,
    });
    assert.ok(Math.abs(startup.p50Seconds - 1.2) < 0.06 && Math.abs(startup.p95Seconds - 4) < 0.2);
    assert.deepEqual(
      rows.map((row: { key: string; plays: number; errorRate: number }) => [
        row.key,
        row.plays,
        row.errorRate,
      ]),
      [
        ["AT", 1, 1],
        ["DE", 1, 0],
      ],
    );
    const byRung = (await figures(titleId, "?by=rung")).rows;
    assert.deepEqual([byRung.length, byRung[0].key, byRung[0].watchSeconds], [1, "v720", 20]);
    assert.equal((await figures(titleId, "?by=generation")).rows[0].key, GENERATION);
    const [{ key }] = (await figures(titleId)).rows;
    assert.ok([begun, today()].includes(key), key);
  });

  test("after a long silence is added to what was counted, once, and after the end to nothing", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const sessionId = await open(titleId);
    await say(sessionId, [START, PLAYED, FATAL]);
    await fold();
    const later = [
      { ...PLAYED, seq: 5 },
      { ...STALL, seq: 6 },
      { ...FATAL, seq: 7 },
    ];
    await say(sessionId, [...later, PLAYED]);
    await fold();
    await say(sessionId, later);
    await fold();
    await say(sessionId, [{ ...PLAYED, seq: 8 }]);
    await viewer("DELETE", `/v1/playback/${sessionId}`);
    await fold();
    assert.equal((await say(sessionId, [{ ...PLAYED, seq: 9 }])).status, 202);
    await fold();
    const { total } = await figures(titleId);
    const { sessions, plays, watchSeconds, errorRate, stalls, stallSeconds } = total;
    assert.deepEqual(
      { sessions, plays, watchSeconds, errorRate, stalls, stallSeconds },
      { sessions: 1, plays: 1, watchSeconds: 30, errorRate: 1, stalls: 1, stallSeconds: 2.5 },
    );
    const [rung] = (await figures(titleId, "?by=rung")).rows;
    assert.deepEqual([rung.key, rung.sessions, rung.watchSeconds], ["v720", 1, 30]);
  });

  test("while it is being counted is asked for again", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const sessionId = await open(titleId);
    await say(sessionId, [START]);
    await library.reports.updateOne({ _id: sessionId }, { $set: { state: "closed", closeAt: new Date(0) } });
    assert.equal((await say(sessionId, [START])).status, 202, "which it has");
    const { status, body } = await say(sessionId, [PLAYED]);
    assert.deepEqual([status, body.code], [503, "session_busy"]);
    await fold();
    assert.equal((await say(sessionId, [PLAYED])).status, 202);
    await fold();
    assert.equal((await figures(titleId)).total.watchSeconds, 10);
    await viewer("DELETE", `/v1/playback/${sessionId}`);
  });

  test("a session that goes on in the middle of its batch is of a later one", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    await fold();
    const sessionId = await open(titleId);
    await say(sessionId, [START, PLAYED]);
    await library.reports.updateMany({ state: "open" }, { $set: { closeAt: new Date(0) } });
    await foldNextBatch(library);
    // As if that process had died before its last word.
    const again = { $set: { isDone: false } };
    const batch = await library.foldings.findOneAndUpdate({ _id: "reports" }, again);
    assert.ok(batch);
    assert.equal((await library.reports.findOne({ _id: sessionId }))?.state, "folded");
    await say(sessionId, [{ ...PLAYED, seq: 5 }]);
    const closeAt = new Date(batch.before.getTime() + 1);
    await library.reports.updateOne({ _id: sessionId }, { $set: { state: "closed", closeAt } });
    await foldNextBatch(library);
    await fold();
    assert.equal((await figures(titleId)).total.watchSeconds, 20);
    await viewer("DELETE", `/v1/playback/${sessionId}`);
  });

  test("keeps no account and no address", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    await watch(titleId, [START, PLAYED]);
    const reported = await library.reports.find({ titleId }).toArray();
    await fold();
    const counted = await library.figures.find({ titleId }).toArray();
    assert.deepEqual([reported.length, counted.length], [1, 1]);
    const kept = JSON.stringify([reported, counted]);
    assert.ok(!kept.includes("viewer-of-alpha") && !kept.includes("127.0.0.1"));
  });

  test("is refused where an event that counts is malformed, and taken where a word is the player's own", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const sessionId = await open(titleId);
    const bad: [Event, string][] = [
      [{ type: "startup", seq: 0 }, "events.0.startupSeconds"],
      [{ type: "stall", seq: -1, durationSeconds: 1 }, "events.0.seq"],
      [{ type: "heartbeat", seq: 1, playedSeconds: 1e9 }, "events.0.playedSeconds"],
      [{ type: "error", seq: 1, code: "x", fatal: "yes" }, "events.0.fatal"],
      [{ type: "rung", seq: 1, renditionId: "../x" }, "events.0.renditionId"],
    ];
    for (const [event, path] of bad) {
      const { status, body } = await say(sessionId, [event]);
      assert.deepEqual([status, body.code, body.errors[0]?.path], [400, "invalid_request", path]);
    }
    const own: Event[] = [
      { type: "stall", durationSeconds: "long" },
      { type: "constructor", seq: 9 },
      { type: "x.y" },
    ];
    assert.equal((await say(sessionId, own)).status, 202);
    assert.equal(await library.reports.countDocuments({ _id: sessionId }), 0);
    await viewer("DELETE", `/v1/playback/${sessionId}`);
  });

  test("of an editor's preview is not counted", async () => {
    const { asset } = await publishedMovie(api, "alpha");
    const { body } = await editor("POST", `/v1/assets/${asset._id}/preview`);
    const events = [{ ...START, at: "2026-01-01T00:00:00Z", positionSeconds: 1 }];
    const answer = await editor("POST", `/v1/playback/${body.sessionId}/beacons`, { events });
    assert.equal(answer.status, 202);
    assert.equal(await library.reports.countDocuments({ _id: body.sessionId }), 0);
  });

  test("is counted once, wherever the folding process dies, and beside another one", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    await fold();
    await watch(titleId, [START, PLAYED], "DE");
    await watch(titleId, [START, PLAYED], "AT");
    await library.reports.updateMany({ state: "open" }, { $set: { closeAt: new Date(0) } });
    const died = (thrown: Error) => assert.equal(thrown.message, "died");
    let writes = 0;
    for (let isWhole = false; !isWhole; writes++) {
      const before = await figures(titleId);
      assert.ok(before.total.sessions <= 2);
      isWhole = await foldNextBatch(dyingAfter(library, writes)).then(
        () => true,
        (thrown) => died(thrown) ?? false,
      );
    }
    assert.ok(writes >= 7, `${writes} writes`);
    const { total } = await figures(titleId);
    assert.deepEqual([total.sessions, total.watchSeconds], [2, 20]);
    const { body } = await editor("GET", "/v1/analytics/overview");
    const ours = body.titles.find((one: { titleId: string }) => one.titleId === titleId);
    assert.deepEqual([ours.plays, ours.watchSeconds, ours.name.en], [2, 20, "A Film"]);
  });

  test("is told by one of two processes that have read the same batch", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    await fold();
    await watch(titleId, [START, PLAYED], "DE");
    await library.reports.updateMany({ state: "open" }, { $set: { closeAt: new Date(0) } });
    // Closed and written down as a batch, no more.
    await assert.rejects(foldNextBatch(dyingAfter(library, 2)), { message: "died" });
    const both = meeting(2);
    const folded = await Promise.all([0, 1].map(() => foldNextBatch(meetingAtFigures(library, both))));
    assert.deepEqual(folded.map((batch) => batch?.all.sessions).sort(), [0, 1]);
  });

  test("is counted once by several processes at once, in figures and over their metrics", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    await fold();
    const before = await sessionsCounted();
    for (let round = 0; round < 3; round++) {
      for (const country of ["DE", "AT", "CH"]) await watch(titleId, [START, PLAYED], country);
      await library.reports.updateMany({ state: "open" }, { $set: { closeAt: new Date(0) } });
      assert.equal(await library.reports.countDocuments({ state: { $in: ["open", "closed"] } }), 3);
      await Promise.all([0, 1, 2].map(() => foldFigures(api.deps)));
      await fold();
    }
    const { total } = await figures(titleId);
    assert.deepEqual([total.sessions, total.watchSeconds], [9, 90]);
    assert.equal((await sessionsCounted()) - before, 9);
  });
});

describe("analytics", () => {
  test("are of the editor's own tenant, for a span of days", async () => {
    const { titleId } = await publishedMovie(api, "beta");
    const begun = today();
    await watch(titleId, [START, PLAYED], "DE", "beta");
    await fold();
    const path = `/v1/analytics/titles/${titleId}`;
    assert.deepEqual([(await editor("GET", path)).status, (await viewer("GET", path)).status], [404, 403]);
    const beta = api.as("beta");
    const { body } = await beta("GET", "/v1/analytics/overview");
    assert.deepEqual([body.total.sessions, body.days.length, body.titles.length], [1, 1, 1]);
    assert.ok([begun, today()].includes(body.to), body.to);
    const past = await beta("GET", `${path}?from=2020-01-01&to=2020-01-31`);
    assert.deepEqual([past.body.total.sessions, past.body.total.errorRate, past.body.rows], [0, null, []]);
    for (const query of ["?from=2026-02-01&to=2026-01-01", "?from=2020-01-01", "?by=x", "?from=1", "?y=1"]) {
      const { status, body: problem } = await beta("GET", path + query);
      assert.deepEqual([status, problem.code], [400, "invalid_request"], query);
    }
  });

  test("are told of one generation, country or rung alone, put together by another", async () => {
    const { asset, titleId } = await publishedMovie(api, "beta");
    const { _id: assetId, tenant } = asset;
    const place = { scope: "title" as const, tenant, titleId, assetId, day: today(), batch: 0 };
    const plays = (count: number) => ({ ...NO_FIGURES, sessions: count, plays: count });
    const record = (generation: string, country: string, small: number, large: number) => ({
      ...{ ...place, _id: `few.${generation}.${country}`, generation, country, all: plays(small + large) },
      rungs: { v240: plays(small), ...(large === 0 ? {} : { v720: plays(large) }) },
    });
    await library.figures.insertMany([
      record("g1", "AT", 1, 2),
      record("g1", "DE", 4, 8),
      record("g2", "AT", 16, 32),
      record("g2", "DE", 64, 0),
    ]);
    const told = async (query: string) => {
      const { body } = await api.as("beta")("GET", `/v1/analytics/titles/${titleId}?${query}`);
      const rows = body.rows.map((row: { key: string; plays: number }) => `${row.key} ${row.plays}`);
      return [body.total.plays, ...rows].join(", ");
    };
    assert.equal(await told("by=country"), "127, AT 51, DE 76");
    assert.equal(await told("by=country&generation=g1"), "15, AT 3, DE 12");
    assert.equal(await told("by=generation&country=AT"), "51, g1 3, g2 48");
    assert.equal(await told("by=rung&country=DE&generation=g1"), "12, v240 4, v720 8");
    assert.equal(await told("by=country&rung=v720"), "42, AT 34, DE 8");
    assert.equal(await told("by=generation&rung=v720&country=DE"), "8, g1 8");
    assert.equal(await told("by=rung&rung=v240"), "85, v240 85");
    assert.equal(await told("by=country&rung=constructor"), "0");
    assert.equal(await told("by=country&country=at"), "0");
    await library.figures.deleteMany({ titleId });
  });

  test("are whole however many there are of them", async () => {
    const { asset, titleId } = await publishedMovie(api, "beta");
    const { _id: assetId, tenant } = asset;
    const place = { scope: "title" as const, tenant, titleId, assetId, generation: GENERATION, day: today() };
    const all = { ...NO_FIGURES, sessions: 1, plays: 1 };
    const many = Array.from({ length: 5_001 }, (_, index) => ({
      ...{ ...place, _id: `many.${index}`, country: index === 5_000 ? "AT" : "DE" },
      ...{ all, rungs: {}, batch: 0 },
    }));
    await library.figures.insertMany(many);
    const { total, rows } = (await api.as("beta")("GET", `/v1/analytics/titles/${titleId}?by=country`)).body;
    const plays = rows.map((row: { key: string; plays: number }) => [row.key, row.plays]);
    assert.deepEqual(
      [total.plays, plays],
      [
        5_001,
        [
          ["AT", 1],
          ["DE", 5_000],
        ],
      ],
    );
    await library.figures.deleteMany({ titleId });
  });

  test("make the row of what is played most, an episode for its series", async () => {
    const rare = await publishedMovie(api, "beta", { name: { en: "Rare" } });
    const series = (await api.as("beta")("POST", "/v1/titles", { type: "series", name: { en: "S" } })).body;
    const season = (
      await api.as("beta")("POST", "/v1/titles", { type: "season", name: { en: "1" }, parentId: series.id })
    ).body;
    for (const { id } of [series, season]) await api.as("beta")("POST", `/v1/titles/${id}/publish`, {});
    const episode = await publishedMovie(api, "beta", { type: "episode", parentId: season.id });
    await watch(rare.titleId, [START], "DE", "beta");
    for (let play = 0; play < 3; play++) await watch(episode.titleId, [START], "DE", "beta");
    await fold();
    const { body } = await api.as("beta", "viewer")("GET", "/v1/catalog/home");
    const row = body.rows.find(({ id }: { id: string }) => id === "trending");
    const shown = row.titles.map(({ id }: { id: string }) => id);
    assert.deepEqual([shown[0], shown.includes(rare.titleId)], [series.id, true]);
  });
});

describe("a generation that is worse for its viewers", () => {
  test("is flagged, said in figures and metrics, and no more so once one has gone back", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    for (let play = 0; play < 40; play++) await watch(titleId, [START, PLAYED]);
    const next = await remake(asset);
    await fold();
    const list = async () =>
      (await editor("GET", `/v1/assets/${asset._id}/generations`)).body.data.map(
        ({ generation, health }: { generation: string; health: { verdict: string; reasons: object[] } }) => ({
          generation,
          ...health,
        }),
      );
    assert.deepEqual(
      (await list()).map(({ verdict }: { verdict: string }) => verdict),
      ["unknown", "unknown"],
    );
    for (let play = 0; play < 40; play++) {
      await watch(titleId, play % 4 === 0 ? [FATAL] : [START, PLAYED]);
    }
    await fold();
    const [flagged, first] = await list();
    assert.deepEqual(flagged, {
      generation: next,
      verdict: "worse",
      against: GENERATION,
      sessions: 40,
      reasons: [{ figure: "errorRate", before: 0, now: 0.25 }],
    });
    assert.deepEqual([first.generation, first.against], [GENERATION, null]);
    const worse = async () =>
      /^matinee_generations_worse (\d+)$/m.exec(await (await api.request("/metrics")).text())?.[1];
    assert.equal(await worse(), "1");
    const back = await editor("POST", `/v1/assets/${asset._id}/rollback`, { generation: GENERATION });
    assert.equal(back.body.published.generation, GENERATION);
    await fold();
    assert.equal(await worse(), "0");
    const text = await (await api.request("/metrics")).text();
    assert.match(text, /^matinee_playback_failures_total [1-9]/m);
    const third = await remake(asset);
    const { generation, against } = (await list())[0];
    assert.deepEqual([generation, against], [third, GENERATION], "not against what one went back from");
  });
});

describe("what an edge counted", () => {
  const send = (body: string, signature: string) =>
    api.request(EDGE_REPORTS_PATH, { method: "POST", body, headers: { "Matinee-Signature": signature } });
  const [key] = config.grantKeys as [GrantKey];
  const reportOf = (assetId: string, more: Partial<EdgeRow> = {}) =>
    JSON.stringify({
      id: newId("er"),
      rows: [
        {
          ...{ assetId, generation: GENERATION, renditionId: "v720", country: "DE" },
          ...NO_LINE,
          requests: 10,
          starved: 1,
          encodedKbps: 20_000,
          encodedSamples: 10,
          bufferMs: 40_000,
          bufferSamples: 8,
          ...more,
        },
      ],
    });

  test("is added to the title's figures once, however often it is sent", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const shown = await library.titles.findOne({ _id: titleId });
    assert.ok(shown);
    const draft = { ...shown, _id: "ti_0", state: "draft" as const };
    await library.titles.insertOne(draft);
    const body = reportOf(asset._id);
    const statuses = [];
    for (let time = 0; time < 3; time++) {
      statuses.push((await send(body, signEdgeReport(key, body))).status);
      await fold();
    }
    assert.deepEqual(statuses, [204, 204, 204]);
    assert.equal(await library.figures.countDocuments({ titleId: draft._id }), 0, "nobody watches a draft");
    await library.titles.deleteOne({ _id: draft._id });
    const [row] = (await figures(titleId, "?by=rung")).rows;
    assert.deepEqual([row.key, row.sessions], ["v720", 0]);
    assert.deepEqual(row.line, {
      requests: 10,
      starvedRatio: 0.1,
      encodedBps: 2_000_000,
      bufferSeconds: 5,
      throughputBps: null,
    });
  });

  test("is refused unsigned or malformed, and passed over where nobody knows the film", async () => {
    const body = reportOf("as_none");
    assert.equal((await send(body, "now.AAAA")).status, 403);
    assert.equal((await send(`${body} `, signEdgeReport(key, body))).status, 403);
    assert.equal((await send(body, signEdgeReport(key, body))).status, 204);
    for (const bad of ["{}", "no JSON", reportOf("as_none", { requests: -1 }), reportOf("../x")]) {
      assert.equal((await send(bad, signEdgeReport(key, bad))).status, 400, bad);
    }
    const large = "x".repeat(300_000);
    assert.equal((await send(large, signEdgeReport(key, large))).status, 413);
    await fold();
    assert.equal(await library.figures.countDocuments({ assetId: "as_none" }), 0);
  });
});
