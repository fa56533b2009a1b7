import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ApiConfig } from "../../api/config.ts";
import type { Role } from "../../core/records/account.ts";
import { countingInRedis, madeAsset, openTestApi, publishedMovie, tokenOf } from "./api-for-test.ts";

const api = await openTestApi("access");

interface Route {
  method: string;
  path: string;
  least: Role;
  body?: unknown;
}

/** Every route but the one that needs no token, from the document that is made of the routes themselves, with a body that it would take. */
const BODIES: Record<string, unknown> = {
  "POST /v1/uploads": { filename: "f", sizeBytes: 1 },
  "POST /v1/uploads/{id}/parts": { parts: [{ partNumber: 1, sha256: `${"A".repeat(43)}=` }] },
  "POST /v1/uploads/{id}/complete": {},
  "POST /v1/assets": { sourceUrl: "https://example.com/a.mp4" },
  "POST /v1/assets/{id}/poster": { id: "poster-1" },
  "POST /v1/assets/{id}/rollback": { generation: "g" },
  "POST /v1/assets/{id}/findings/{code}/waive": { reason: "r" },
  "POST /v1/assets/{id}/reprocess": { encoding: { codecs: ["h264"] } },
  "POST /v1/assets/{id}/tracks": { kind: "subtitle", language: "en", vtt: "WEBVTT" },
  "POST /v1/titles": { name: "N" },
  "PATCH /v1/titles/{id}": { maturity: "12" },
  "POST /v1/titles/{id}/publish": {},
  "POST /v1/playback": { titleId: "{id}" },
  "POST /v1/links": { titleId: "{id}" },
  "PUT /v1/me/preferences": { audio: ["en"], subtitles: [] },
  "POST /v1/playback/{sessionId}/beacons": {
    events: [{ type: "time", at: "2026-01-01T00:00:00Z", positionSeconds: 1 }],
  },
  "POST /v1/playback/{sessionId}/license": { kids: ["A".repeat(22)] },
};
const RANKED: readonly Role[] = ["viewer", "editor", "admin"];
/** Of nobody in particular: where a link leads, and what operators and readers ask. */
const OPEN = ["/l/{code}", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"];
const routes: Route[] = Object.entries(api.document.paths)
  // Steering is opened by grants.
  .filter(([path]) => !OPEN.includes(path) && !path.startsWith("/steering/"))
  .flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security }]) => {
      const name = `${method.toUpperCase()} ${path}`;
      const least = security?.[0]?.bearer[0] as Role;
      return { method: method.toUpperCase(), path, least, body: BODIES[name] };
    }),
  );

/** Every id of a kind that stands in a path, made in tenant alpha. */
async function idsOfAlpha() {
  const alpha = api.as("alpha");
  const upload = await alpha("POST", "/v1/uploads", { filename: "f", sizeBytes: 1 });
  const { asset, titleId } = await publishedMovie(api, "alpha");
  const playback = await alpha("POST", "/v1/playback", { titleId });
  const link = await alpha("POST", "/v1/links", { titleId });
  return {
    uploads: upload.body.id,
    assets: asset._id,
    titles: titleId,
    playback: playback.body.sessionId,
    sessions: playback.body.sessionId,
    links: link.body.code,
  };
}

function concrete(route: Route, ids: Record<string, string>) {
  const [, kind = ""] = /^\/v1\/(?:catalog\/|admin\/)?([a-z]+)/.exec(route.path) ?? [];
  const id = ids[kind] ?? "none";
  const body =
    route.body === undefined
      ? undefined
      : JSON.parse(JSON.stringify(route.body).replace("{id}", ids.titles ?? ""));
  return { path: route.path.replace(/\{\w+\}/, id), body };
}

describe("access", () => {
  test("is refused without a good token on every route", async () => {
    for (const route of routes) {
      const { path } = concrete(route, {});
      for (const header of [
        undefined,
        "Bearer mk_unknown",
        "Bearer a.b.c",
        "Basic abc",
        `bearer  ${"x".repeat(5_000)}`,
      ]) {
        const answer = await api.request(path, {
          method: route.method,
          headers: header === undefined ? {} : { Authorization: header },
        });
        assert.equal(answer.status, 401, `${route.method} ${path} ${header}`);
        assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer/);
        assert.equal((await answer.json()).code, "unauthenticated");
      }
    }
  });

  test("is 403 to each role below the one that the route is said to be for", async () => {
    const ids = await idsOfAlpha();
    let tried = 0;
    for (const route of routes) {
      const { path, body } = concrete(route, ids);
      for (const role of RANKED.slice(0, RANKED.indexOf(route.least))) {
        const answer = await api.as("alpha", role)(route.method, path, body);
        assert.deepEqual([answer.status, answer.body.code], [403, "forbidden"], `${route.method} ${path}`);
        tried++;
      }
    }
    assert.ok(tried >= 40, `${tried}`);
  });

  test("T21: another tenant's id is 404 on every route, and nothing changes", async () => {
    const ids = await idsOfAlpha();
    const { library } = api.deps;
    const collections = [
      library.uploads,
      library.assets,
      library.titles,
      library.playbacks,
      library.links,
    ] as const;
    const snapshot = async () =>
      JSON.stringify(
        await Promise.all(collections.map((one) => one.find({ tenant: "alpha" } as object).toArray())),
      );
    const before = await snapshot();
    const stranger = api.as("beta", "admin");
    const withIds = routes.filter(
      ({ path, method }) => path.includes("{") || /^POST \/v1\/(playback|links)$/.test(`${method} ${path}`),
    );
    assert.ok(withIds.length >= 18);
    for (const route of withIds) {
      const { path, body } = concrete(route, ids);
      const answer = await stranger(route.method, path, body, { "If-Match": "*" });
      assert.deepEqual([answer.status, answer.body.code], [404, "not_found"], `${route.method} ${path}`);
    }
    for (const list of [
      "/v1/assets",
      "/v1/titles",
      "/v1/links",
      "/v1/catalog/titles",
      "/v1/catalog/search?q=film",
    ]) {
      assert.deepEqual((await stranger("GET", list)).body.data, [], list);
    }
    assert.deepEqual((await stranger("GET", "/v1/catalog/home")).body.rows, []);
    assert.equal(await snapshot(), before);
  });

  test("another account's playback session is 404 within a tenant", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const viewer = api.as("alpha", "viewer");
    const { body } = await viewer("POST", "/v1/playback", { titleId });
    const path = `/v1/playback/${body.sessionId}/renew`;
    assert.equal((await api.as("alpha", "editor")("POST", path)).status, 404);
    assert.equal((await viewer("POST", path)).status, 200);
    assert.equal((await api.as("alpha", "editor")("POST", path)).status, 404);
  });

  test("each of many who come at one moment is taken for who they are", async () => {
    // Keys that nobody has asked for yet: all of them are looked up together.
    const fresh = await openTestApi("together");
    await fresh.deps.library.apiKeys.updateMany({ tenant: "beta" }, { $set: { revokedAt: new Date() } });
    const asked: [string, number][] = [
      [tokenOf("alpha", "viewer"), 403],
      ["mk_unknown", 401],
      [tokenOf("beta", "editor"), 401],
      [tokenOf("alpha", "editor"), 200],
      [tokenOf("alpha", "viewer"), 403],
    ];
    const answers = await Promise.all(
      asked.map(([token]) => fresh.request("/v1/assets", { headers: { Authorization: `Bearer ${token}` } })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      asked.map(([, status]) => status),
    );
  });

  test("ends with a key's revocation", async () => {
    const fresh = await openTestApi("revoked");
    await fresh.deps.library.apiKeys.updateMany({ tenant: "beta" }, { $set: { revokedAt: new Date() } });
    assert.equal((await fresh.as("beta")("GET", "/v1/assets")).status, 401);
    assert.equal((await fresh.as("alpha")("GET", "/v1/assets")).status, 200);
  });
});

describe("input", () => {
  test("T36: operators in place of scalars are refused in every member of every body", async () => {
    const ids = await idsOfAlpha();
    const operators = [{ $ne: 1 }, { $gt: "" }, { $where: "1" }, ["x"], { "a.b": 1 }, { $regex: ".*" }];
    const editor = api.as("alpha");
    let tried = 0;
    for (const route of routes.filter(({ body }) => body !== undefined)) {
      const { path, body } = concrete(route, ids);
      for (const member of Object.keys(body)) {
        for (const operator of operators) {
          const answer = await editor(
            route.method,
            path,
            { ...body, [member]: operator },
            { "If-Match": "*" },
          );
          assert.deepEqual(
            [answer.status, answer.body.code],
            [400, "invalid_request"],
            `${route.method} ${path} ${member}`,
          );
          tried++;
        }
      }
    }
    assert.ok(tried >= 40);
    for (const query of [
      "limit[$gt]=1",
      "state[$ne]=x",
      "cursor[$ne]=x",
      "limit=1e9",
      "limit=0",
      "cursor=abc",
      "state=$ne",
      "unknown=1",
    ]) {
      assert.equal((await editor("GET", `/v1/assets?${query}`)).status, 400, query);
    }
  });

  test("T37: members that are ours to decide are refused on every write", async () => {
    const ids = await idsOfAlpha();
    const ours = [
      "state",
      "tenant",
      "ownerId",
      "id",
      "_id",
      "version",
      "published",
      "role",
      "generation",
      "__proto__",
      "constructor",
    ];
    const editor = api.as("alpha");
    for (const route of routes.filter(
      ({ body }) => body !== undefined && !JSON.stringify(body).includes("events"),
    )) {
      const { path, body } = concrete(route, ids);
      // A rollback names the generation that it wants, a choice its poster; they decide none.
      for (const member of ours.filter((one) => !Object.hasOwn(body, one))) {
        const text = `${JSON.stringify(body).slice(0, -1)}${Object.keys(body).length > 0 ? "," : ""}"${member}":"x"}`;
        const answer = await editor(route.method, path, text, { "If-Match": "*" });
        assert.deepEqual(
          [answer.status, answer.body.code],
          [400, "invalid_request"],
          `${route.method} ${path} ${member}`,
        );
      }
    }
  });

  test("T38: what is no small JSON is refused: broken, deep, huge, of another type", async () => {
    const post = (body: string, type = "application/json") =>
      api.request("/v1/titles", {
        method: "POST",
        body,
        headers: { Authorization: `Bearer ${tokenOf("alpha", "editor")}`, "Content-Type": type },
      });
    const deep = `{"name":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    const cases: [string, string | undefined, number, string][] = [
      ["{", undefined, 400, "invalid_request"],
      ["null", undefined, 400, "invalid_request"],
      ["[]", undefined, 400, "invalid_request"],
      [deep, undefined, 400, "invalid_request"],
      [JSON.stringify({ name: "x".repeat(70_000) }), undefined, 413, "body_too_large"],
      ["name=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"],
      ['{"name":"x"}', "text/plain", 415, "unsupported_media_type"],
    ];
    for (const [body, type, status, code] of cases) {
      const answer = await post(body, type);
      const problem = await answer.json();
      assert.deepEqual([answer.status, problem.code], [status, code], body.slice(0, 40));
      if (status === 400) assert.ok(problem.errors[0].message, body.slice(0, 40));
    }
  });

  test("a wrong method is 405 with Allow, an unknown path 404, both as problems", async () => {
    const editor = api.as("alpha");
    const wrong = await editor("PUT", "/v1/assets");
    assert.deepEqual(
      [wrong.status, wrong.body.code, wrong.headers.get("allow")],
      [405, "method_not_allowed", "GET, HEAD, POST"],
    );
    const unknown = await editor("GET", "/v1/nothing");
    assert.deepEqual([unknown.status, unknown.body.code], [404, "not_found"]);
    assert.deepEqual((await editor("GET", "/nothing")).body.code, "not_found");
  });

  test("pull ingest is off", async () => {
    const answer = await api.as("alpha")("POST", "/v1/assets", { sourceUrl: "http://169.254.169.254/" });
    assert.deepEqual([answer.status, answer.body.code], [403, "pull_ingest_disabled"]);
  });
});

describe("an answer", () => {
  test("carries the request's id, or one of ours, and is kept by nobody", async () => {
    const editor = api.as("alpha");
    assert.equal(
      (await editor("GET", "/v1/assets", undefined, { "X-Request-Id": "mine-1" })).headers.get(
        "x-request-id",
      ),
      "mine-1",
    );
    const made = await editor("GET", "/v1/assets", undefined, { "X-Request-Id": "<script>" });
    assert.match(made.headers.get("x-request-id") ?? "", /^rq_[0-9a-z]{26}$/);
    assert.equal(made.headers.get("cache-control"), "private, no-store");
    assert.equal(made.headers.get("x-content-type-options"), "nosniff");
  });

  test("T41: opens itself to listed origins alone", async () => {
    const origins = [
      "https://evil.test",
      "null",
      "https://studio.test.evil.test",
      "https://studio.test:444",
      "http://studio.test",
      "https://xstudio.test",
      "*",
    ];
    const preflight = (origin: string) =>
      api.request("/v1/assets", {
        method: "OPTIONS",
        headers: { Origin: origin, "Access-Control-Request-Method": "GET" },
      });
    for (const origin of origins) {
      assert.equal((await preflight(origin)).headers.get("access-control-allow-origin"), null, origin);
    }
    const good = await preflight("https://studio.test");
    assert.equal(good.headers.get("access-control-allow-origin"), "https://studio.test");
    assert.equal(good.headers.get("access-control-allow-credentials"), null);
    // What a page may read of an answer, be it a refusal.
    for (const [path, role] of [
      ["/v1/assets", "editor"],
      ["/v1/assets", "viewer"],
      ["/v1/nothing", "editor"],
    ] as const) {
      const of = async (origin: string) =>
        (await api.as("alpha", role)("GET", path, undefined, { Origin: origin })).headers;
      const listed = await of("https://studio.test");
      assert.equal(listed.get("access-control-allow-origin"), "https://studio.test");
      assert.match(listed.get("access-control-expose-headers") ?? "", /ETag.*Retry-After.*X-Request-Id/);
      assert.equal(listed.get("vary"), "Origin");
      assert.equal((await of("https://evil.test")).get("access-control-allow-origin"), null);
      assert.equal((await of("https://evil.test")).get("vary"), "Origin");
    }
  });

  test("is 429 with when to come again once the budget is spent, whatever X-Forwarded-For says", async () => {
    const tight = await openTestApi("rates", (config) => ({
      ...config,
      rates: { perAccount: 3, perStranger: 2 },
    }));
    await countingInRedis(tight);
    const answers = [];
    for (let n = 0; n < 5; n++) {
      answers.push(
        await tight.as("alpha")("GET", "/v1/assets", undefined, { "X-Forwarded-For": `10.0.0.${n}` }),
      );
    }
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 429, 429],
    );
    const last = answers[4];
    assert.equal(last?.body.code, "rate_limited");
    assert.equal(last?.headers.get("ratelimit-remaining"), "0");
    assert.ok(Number(last?.headers.get("retry-after")) >= 1);
    assert.equal((await tight.as("beta")("GET", "/v1/assets")).status, 200);
    const guesses = [];
    for (let n = 0; n < 4; n++) {
      guesses.push(
        (await tight.request("/v1/assets", { headers: { Authorization: `Bearer mk_guess${n}` } })).status,
      );
    }
    assert.deepEqual(guesses, [401, 401, 429, 429]);
  });

  test("T42: is counted to the last one by processes side by side, however many come at once", async () => {
    const rates = (config: ApiConfig) => ({ ...config, rates: { perAccount: 7, perStranger: 2 } });
    const pair = [await openTestApi("shared-rates", rates), await openTestApi("shared-rates", rates)];
    for (const api of pair) await countingInRedis(api);
    const of = (tenant: "alpha" | "beta", count: number) =>
      Array.from({ length: count }, (_, n) => pair[n % 2]!.as(tenant)("GET", "/v1/assets"));
    const [answers, others] = await Promise.all([Promise.all(of("alpha", 20)), Promise.all(of("beta", 5))]);
    const passed = answers.filter(({ status }) => status === 200);
    assert.equal(passed.length, 7);
    assert.deepEqual(
      passed.map(({ headers }) => Number(headers.get("ratelimit-remaining"))).sort(),
      [0, 1, 2, 3, 4, 5, 6],
    );
    // Counted in the same scripts, each for itself.
    assert.deepEqual(
      others.map(({ headers }) => Number(headers.get("ratelimit-remaining"))).sort(),
      [2, 3, 4, 5, 6],
    );
  });

  test("says nothing of what went wrong inside, and when to come again", async () => {
    const broken = await openTestApi("broken");
    const asset = await madeAsset(broken, "alpha", "encoding");
    await broken.as("alpha")("GET", `/v1/assets/${asset._id}`);
    await broken.deps.library.close();
    const answer = await broken.as("alpha")("GET", `/v1/assets/${asset._id}`);
    assert.deepEqual([answer.status, answer.body.code], [503, "library_unavailable"]);
    assert.ok(answer.headers.get("retry-after"));
    assert.doesNotMatch(JSON.stringify(answer.body), /mongo|topology|at \w+ \(|node_modules/i);
  });
});
