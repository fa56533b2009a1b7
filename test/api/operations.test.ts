import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { openReadiness } from "../../api/readiness.ts";
import { madeAsset, openTestApi } from "./api-for-test.ts";

const pagesDir = await mkdtemp(path.join(tmpdir(), "matinee-pages-"));
await mkdir(path.join(pagesDir, "player/assets"), { recursive: true });
await writeFile(path.join(pagesDir, "player/index.html"), "<!doctype html><title>Player</title>");
await writeFile(path.join(pagesDir, "player/assets/index-B3xk9_aQ.js"), "export {};");
await writeFile(path.join(pagesDir, "player/secret.key"), "no");
after(() => rm(pagesDir, { recursive: true }));
const api = await openTestApi("operations", (config) => ({ ...config, pagesDir }));

describe("operations", () => {
  test("/healthz and /readyz answer, naming each part", async () => {
    assert.equal((await api.request("/healthz")).status, 200);
    const ready = await api.request("/readyz");
    assert.equal(ready.status, 200);
    const { status, dependencies } = await ready.json();
    assert.deepEqual([status, Object.keys(dependencies).sort()], ["ready", ["mongodb", "redis", "s3"]]);
  });

  test("/readyz is 503 without a needed part", async () => {
    const down = await openTestApi("down");
    await down.deps.library.close();
    const answer = await down.request("/readyz");
    const body = await answer.json();
    assert.deepEqual([answer.status, body.status, body.dependencies.mongodb.ok], [503, "unavailable", false]);
    assert.doesNotMatch(JSON.stringify(body), /mongo[^d]|topology/i);
  });

  test("a part that is only a hint degrades", async () => {
    const broken = () => Promise.reject(new Error("ECONNREFUSED 10.0.0.1"));
    const answer = await openReadiness([{ name: "redis", needed: false, check: broken }])();
    assert.equal(answer.status, "degraded");
    assert.equal(answer.dependencies.redis?.problem, "It does not answer.");
  });

  test("/metrics has requests by route and assets by state, and no ids", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    await api.as("alpha")("GET", `/v1/assets/${asset._id}`);
    await api.request("/no/such/page");
    const text = await (await api.request("/metrics")).text();
    assert.match(
      text,
      /matinee_http_request_duration_seconds_count\{method="GET",route="\/v1\/assets\/:id",status="200"\} 1/,
    );
    assert.match(text, /matinee_assets\{state="ready"\} 1/);
    assert.ok(!text.includes(asset._id));
    assert.ok(!text.includes("/no/such/page"));
  });
});

interface Operation {
  parameters?: { name: string }[];
}

describe("the document", () => {
  /** Every call of the contract that there is by now. */
  const CALLS = `
    POST /v1/uploads, GET /v1/uploads/{id}, DELETE /v1/uploads/{id}, POST /v1/uploads/{id}/parts, POST /v1/uploads/{id}/complete,
    POST /v1/assets, GET /v1/assets, GET /v1/assets/{id}, DELETE /v1/assets/{id}, GET /v1/assets/{id}/events,
    POST /v1/assets/{id}/preview, POST /v1/assets/{id}/retry, POST /v1/assets/{id}/cancel, GET /v1/assets/{id}/ledger, GET /v1/assets/{id}/conformance,
    POST /v1/assets/{id}/poster,
    GET /v1/assets/{id}/generations, POST /v1/assets/{id}/rollback, POST /v1/assets/{id}/reprocess,
    POST /v1/assets/{id}/findings/{code}/waive,
    POST /v1/assets/{id}/tracks, DELETE /v1/assets/{id}/tracks/{trackId},
    POST /v1/titles, GET /v1/titles, GET /v1/titles/{id}, PATCH /v1/titles/{id}, DELETE /v1/titles/{id},
    POST /v1/titles/{id}/publish, POST /v1/titles/{id}/unpublish,
    GET /v1/catalog/home, GET /v1/catalog/titles, GET /v1/catalog/titles/{id}, GET /v1/catalog/search,
    GET /v1/me/preferences, PUT /v1/me/preferences,
    POST /v1/playback, POST /v1/playback/{sessionId}/renew, POST /v1/playback/{sessionId}/beacons, DELETE /v1/playback/{sessionId}, POST /v1/playback/{sessionId}/license, POST /v1/grant-keys/{kid}/revoke, DELETE /v1/admin/sessions/{id},
    POST /v1/webhooks, GET /v1/webhooks, GET /v1/webhooks/{id}, PATCH /v1/webhooks/{id}, DELETE /v1/webhooks/{id}, POST /v1/webhooks/{id}/test,
    GET /v1/webhooks/{id}/deliveries, POST /v1/webhooks/{id}/deliveries/{deliveryId}/replay,
    POST /v1/links, GET /v1/links, GET /v1/links/{code}, DELETE /v1/links/{code}, GET /l/{code},
    GET /v1/analytics/overview, GET /v1/analytics/titles/{id}, GET /admin/queues,
    GET /steering/v/{grant}/{assetId}/{generation}/steering.json, GET /steering/v/{grant}/{assetId}/{generation}/{manifest},
    GET /healthz, GET /readyz, GET /metrics, GET /openapi.json, GET /docs`;
  /** Without a token: whoever follows a link is asked for one where it leads, and operators keep theirs apart. */
  const LINK = "/l/{code}";
  const OPEN = [LINK, "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"];
  const isOpen = (at: string) => OPEN.includes(at) || at.startsWith("/steering/");
  /** No calls: what our own processes ask each other, and pages. */
  const UNDESCRIBED =
    /^(POST \/edge-(reports|crowded-sessions)|POST \/preview-demands\/\*|GET \/(|(player|studio|docs)(\/\*)?))$/;

  test("describes every call, each with its answers, problems and resolvable references", async () => {
    const document = await (await api.request("/openapi.json")).json();
    assert.match(document.openapi, /^3\.1/);
    const described = Object.entries<object>(document.paths).flatMap(([at, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${at}`),
    );
    assert.deepEqual(
      described.sort(),
      CALLS.split(",")
        .map((call) => call.trim())
        .sort(),
    );
    for (const [at, item] of Object.entries<
      Record<
        string,
        {
          responses: Record<string, { description: string }>;
          security: unknown;
          parameters?: { name: string; in: string }[];
        }
      >
    >(document.paths)) {
      for (const operation of Object.values(item)) {
        assert.ok(
          Object.keys(operation.responses).some((status) => status.startsWith(at === LINK ? "3" : "2")),
          at,
        );
        assert.equal(Boolean(operation.responses["401"] && operation.security), !isOpen(at), at);
        const inPath = [...at.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        assert.deepEqual(
          operation.parameters?.filter((one) => one.in === "path").map(({ name }) => name) ?? [],
          inPath,
          at,
        );
      }
    }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    assert.ok(references.length > 20);
    for (const [, name] of references) assert.ok(document.components.schemas[name as string], name);
  });

  test("leaves out nothing that is served, in whatever way its route was made", async () => {
    const { paths } = await (await api.request("/openapi.json")).json();
    const described = Object.entries<object>(paths).flatMap(([at, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${at}`),
    );
    const isDescribed = (served: string) =>
      served.endsWith("*")
        ? described.some((call) => call.startsWith(served.slice(0, -1)))
        : described.includes(served);
    const served = api.app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")}`)
      .filter((call) => !UNDESCRIBED.test(call));
    assert.ok(served.includes("GET /steering/*") && served.includes("PATCH /v1/titles/{id}"));
    assert.deepEqual(
      [...new Set(served)].filter((call) => !isDescribed(call)),
      [],
    );
  });

  test("holds what is sent and answered to forms that a validator of another language can use", async () => {
    const forms = JSON.stringify(await (await api.request("/openapi.json")).json(), (key, value) => {
      // A flag has no place in a schema (JSON Schema Validation 6.3.3), and as text behind the pattern it refuses all.
      if (key === "pattern") assert.doesNotMatch(value, /\/[dgimsuvy]+$/);
      if (key === "allOf") assert.ok(!value.some(({ type }: { type?: string }) => type?.includes("null")));
      return value;
    });
    assert.match(
      forms,
      /"next":\{"anyOf":\[\{"\$ref":"#\/components\/schemas\/Card"\},\{"type":"null"\}\]\}/,
    );
  });

  test("says where a request may be repeated, and of failures what is more than usual", async () => {
    const { paths } = await (await api.request("/openapi.json")).json();
    const calls = Object.entries<Record<string, Operation>>(paths).flatMap(([at, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        call: `${method.toUpperCase()} ${at}`,
        operation,
      })),
    );
    const repeatable = calls.filter(({ operation }) =>
      operation.parameters?.some(({ name }) => name === "Idempotency-Key"),
    );
    assert.deepEqual(repeatable.map(({ call }) => call).sort(), [
      "POST /v1/assets",
      "POST /v1/assets/{id}/preview",
      "POST /v1/assets/{id}/reprocess",
      "POST /v1/assets/{id}/rollback",
      "POST /v1/assets/{id}/tracks",
      "POST /v1/links",
      "POST /v1/playback",
      "POST /v1/titles",
      "POST /v1/uploads",
      "POST /v1/webhooks",
      "POST /v1/webhooks/{id}/deliveries/{deliveryId}/replay",
      "POST /v1/webhooks/{id}/test",
    ]);
    const said = (path: string, status: number) => paths[path].post.responses[status]?.description ?? "";
    assert.match(said("/v1/playback", 404), /no such title/);
    assert.match(said("/v1/playback/{sessionId}/renew", 409), /playback_over.*too_many_streams/);
    assert.match(said("/v1/assets/{id}/tracks", 413), /2 MiB/);
    assert.match(said("/v1/assets/{id}/tracks", 422), /subtitle_invalid/);
    assert.match(said("/v1/titles", 415), /application\/json/);
    assert.match(said("/v1/links", 409), /alias_taken.*too_many_links/);
    assert.match(said("/v1/titles", 413), /64 KiB/);
    assert.match(said("/v1/assets", 403), /pull_ingest_disabled/);
    assert.doesNotMatch(JSON.stringify(paths), /"x-[a-z]/, "a mark of ours");
    const { event } = (await (await api.request("/openapi.json")).json()).webhooks;
    assert.deepEqual(
      event.post.parameters.map(({ name }: { name: string }) => name),
      ["webhook-id", "webhook-timestamp", "webhook-signature"],
    );
    assert.match(JSON.stringify(event.post.requestBody), /WebhookPayload/);
  });

  test("is shown at /docs with nothing from outside", async () => {
    const page = await api.request("/docs");
    const html = await page.text();
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self'/);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
    for (const link of links.filter((one) => !one.startsWith("data:"))) {
      assert.match(link, /^\/docs\//);
      assert.equal((await api.request(link)).status, 200, link);
    }
  });
});

describe("the pages", () => {
  test("are served with their types, for ever where their name is their hash", async () => {
    const page = await api.request("/player/", { headers: { "Accept-Encoding": "gzip" } });
    assert.deepEqual(
      [
        page.status,
        page.headers.get("content-type"),
        page.headers.get("cache-control"),
        page.headers.get("content-encoding"),
      ],
      [200, "text/html; charset=utf-8", "no-cache", "gzip"],
    );
    assert.match(
      page.headers.get("content-security-policy") ?? "",
      /media-src 'self' blob: data: http:\/\/delivery\.test;/,
    );
    const script = await api.request("/player/assets/index-B3xk9_aQ.js");
    assert.equal(script.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.equal(await script.text(), "export {};");
    const again = await api.request("/player/", {
      headers: { "If-None-Match": page.headers.get("etag") ?? "" },
    });
    assert.equal(again.status, 304);
    assert.equal((await api.request("/player")).headers.get("location"), "/player/");
    const head = await api.request("/player/", { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  });

  test("hold nothing else: no other type, no way out of the folder", async () => {
    for (const at of [
      "/player/secret.key",
      "/player/../package.json",
      "/player/%2e%2e/package.json",
      "/player/..%2f..%2fpackage.json",
      "/docs/package.json",
      "/studio/",
    ]) {
      const answer = await api.request(at);
      assert.ok([400, 404].includes(answer.status), `${at}: ${answer.status}`);
    }
  });
});
