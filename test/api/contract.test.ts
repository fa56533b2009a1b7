import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openTestApi } from "./api-for-test.ts";
import type { DescribedCall } from "./described-answer.ts";
import { resolved, type Schema } from "./json-form.ts";

/** What clients are promised of the API. Lines may be added, and none may go: players and tools are written against them. */

const ASSET = `id state titleId? filename createdAt updatedAt generation progress.ratio progress.stage progress.playable
  source.durationSeconds source.container source.sizeBytes source.sha256? source.video.codec source.video.width source.video.height
  source.video.frameRate source.audio source.subtitles findings[].code findings[].severity findings[].message findings[].startSeconds?
  findings[].endSeconds? findings[].waivedBy? renditions[].id renditions[].kind renditions[].codec renditions[].width? renditions[].height?
  renditions[].language? renditions[].averageBps renditions[].peakBps renditions[].quality.metric? renditions[].quality.mean?
  renditions[].quality.p5? renditions[].bytes error.code error.message error.retryable`;
const TITLE = "id state type name synopsis genres cast releaseYear maturity artwork assetId?";
const NEW_TITLE = "type? name synopsis? genres? cast? releaseYear? maturity? artwork? assetId?";
const CARD = [
  "id",
  "type",
  "name",
  "releaseYear",
  "maturity",
  "durationSeconds",
  "posterUrl",
  "progressRatio?",
];
const cards = (at: string) => CARD.map((member) => `${at}[].${member}`).join(" ");
const pageOf = (members: string) =>
  `${members
    .split(/\s+/)
    .map((member) => `data[].${member}`)
    .join(" ")} nextCursor`;
const PLAYBACK = `sessionId manifestUrl dashUrl? posterUrl storyboardUrl expiresAt resumeAtSeconds durationSeconds tracks`;
const WEBHOOK = "id url types";

/** Role, call and query, (body), status, answer. `?` behind a member: it may be absent. */
const PROMISED = `
editor POST /v1/uploads (filename sizeBytes contentType? sha256? titleId?) 201 id assetId state partSizeBytes partCount expiresAt
editor POST /v1/uploads/{id}/parts (parts[].partNumber parts[].sha256) 200 parts[].partNumber parts[].url parts[].method parts[].headers parts[].expiresAt
editor GET /v1/uploads/{id} 200 id assetId state partSizeBytes partCount parts[].partNumber parts[].sizeBytes parts[].etag
editor POST /v1/uploads/{id}/complete () 202 assetId
editor DELETE /v1/uploads/{id} 204
editor POST /v1/assets (sourceUrl titleId?) 202 id
editor GET /v1/assets?limit&cursor 200 ${pageOf(ASSET)}
editor GET /v1/assets/{id} 200 ${ASSET}
editor GET /v1/assets/{id}/events 200
editor POST /v1/assets/{id}/preview 201 ${PLAYBACK}
editor POST /v1/assets/{id}/retry 202
editor POST /v1/assets/{id}/cancel 202
editor POST /v1/assets/{id}/tracks (kind language label role? vtt? srt?) 202
editor GET /v1/assets/{id}/ledger?limit&cursor 200 ${pageOf("stage startedAt endedAt worker argv versions cpuSeconds bytesOut error.class")}
editor DELETE /v1/assets/{id} 202
editor GET /v1/assets/{id}/conformance 200 results[].rule results[].verdict
editor GET /v1/assets/{id}/generations?limit&cursor 200 ${pageOf("generation state")}
editor POST /v1/assets/{id}/rollback (generation) 202
editor POST /v1/assets/{id}/findings/{code}/waive (reason) 200
editor POST /v1/titles (${NEW_TITLE}) 201 ${TITLE}
editor GET /v1/titles?limit&cursor 200 ${pageOf(TITLE)}
editor GET /v1/titles/{id} 200 ${TITLE}
editor PATCH /v1/titles/{id} (${NEW_TITLE.replace("type? name", "name?")}) 200 ${TITLE}
editor DELETE /v1/titles/{id} 204
editor POST /v1/titles/{id}/publish (availableFrom? availableUntil? regions?) 200 ${TITLE}
editor POST /v1/titles/{id}/unpublish 200 ${TITLE}
viewer GET /v1/catalog/home 200 rows[].id rows[].name ${cards("rows[].titles")}
viewer GET /v1/catalog/titles?type&genre&language&maturity&year&sort&q&limit&cursor 200 ${cards("data")} nextCursor
viewer GET /v1/catalog/titles/{id} 200 ${CARD.join(" ")} synopsis genres cast ${cards("seasons[].episodes")} ${cards("episodes")}
viewer GET /v1/catalog/search?q&limit&cursor 200 ${cards("data")} nextCursor
viewer POST /v1/playback (titleId capabilities?) 201 ${PLAYBACK}
viewer POST /v1/playback/{sessionId}/renew 200 manifestUrl expiresAt
viewer POST /v1/playback/{sessionId}/beacons (events[].type events[].at events[].positionSeconds) 202
viewer DELETE /v1/playback/{sessionId} 204
viewer POST /v1/links (titleId startSeconds? alias? expiresAt?) 201 code url
open GET /l/{code} 302
admin POST /v1/webhooks (url types) 201 ${WEBHOOK}
admin GET /v1/webhooks?limit&cursor 200 ${pageOf(WEBHOOK)}
admin PATCH /v1/webhooks/{id} (url? types?) 200 ${WEBHOOK}
admin DELETE /v1/webhooks/{id} 204
admin GET /v1/webhooks/{id}/deliveries?limit&cursor 200 ${pageOf("id type state")}
admin POST /v1/webhooks/{id}/deliveries/{deliveryId}/replay 202
open GET /healthz 200
open GET /readyz 200 dependencies
open GET /metrics 200
open GET /openapi.json 200
open GET /docs 200
admin GET /admin/queues 200`;

const { document } = await openTestApi("contract");
const schemas = document.components.schemas;

interface Promised {
  name: string;
  call: DescribedCall;
  role: string;
  query: string[];
  body: string[] | null;
  status: string;
  answer: string[];
}
const words = (text: string) => text.split(/\s+/).filter((word) => word !== "");
const LINE = /(\w+) ([A-Z]+) (\/[^\s?]*)(?:\?(\S+))?(?: \(([^)]*)\))? (\d{3})(?=\s|$)/;
const promises: Promised[] = PROMISED.trim()
  .split(/\n(?=\w+ [A-Z]+ \/)/)
  .map((line) => {
    const [head = "", role = "", method = "", path = "", query, body, status = ""] = LINE.exec(line) ?? [];
    const call = document.paths[path]?.[method.toLowerCase()];
    const name = `${method} ${path}`;
    assert.ok(call, `${name} is not described`);
    const asked = { query: query?.split("&") ?? [], body: body === undefined ? null : words(body) };
    return { name, call, role, ...asked, status, answer: words(line.slice(head.length)) };
  });

const jsonOf = (content?: Record<string, { schema: Schema }>): Schema | undefined =>
  content?.["application/json"]?.schema;
/** What a schema says of a member, and whether it is always there. */
function memberOf(schema: Schema, path: string): { schema: Schema | undefined; isRequired: boolean } {
  let [at, isRequired]: [Schema | undefined, boolean] = [schema, true];
  for (const step of path.replaceAll("[]", ".[]").split(".")) {
    const form: Schema = resolved(at ?? {}, schemas);
    if (step !== "[]") isRequired &&= form.required?.includes(step) ?? false;
    at = step === "[]" ? form.items : form.properties?.[step];
  }
  return { schema: at, isRequired };
}

/** The members that are lacking in a form, or not certain where they are promised. */
function lacking(schema: Schema | undefined, promised: readonly string[], isCertain: boolean): string[] {
  return promised.filter((word) => {
    const member = memberOf(schema ?? {}, word.replace("?", ""));
    return member.schema === undefined || (isCertain && !word.endsWith("?") && !member.isRequired);
  });
}

describe("the contract", () => {
  test("holds: each call has its role, its query, its body, its status and its answer", () => {
    assert.equal(promises.length, PROMISED.trim().match(/^\w+ [A-Z]+ \//gm)?.length);
    for (const { name, call, role, query, body, status, answer } of promises) {
      assert.equal(call.security?.[0]?.bearer[0] ?? "open", role, name);
      const asked = call.parameters?.filter((one) => one.in === "query").map((one) => one.name) ?? [];
      assert.deepEqual(
        query.filter((one) => !asked.includes(one)),
        [],
        name,
      );
      assert.equal(call.requestBody === undefined, body === null, `${name} has a body`);
      assert.deepEqual(lacking(jsonOf(call.requestBody?.content), body ?? [], false), [], `${name} takes`);
      const described = call.responses[status];
      assert.ok(described, `${name} ${status}`);
      assert.deepEqual(lacking(jsonOf(described.content), answer, true), [], `${name} answers`);
    }
  });

  test("asks for nothing more: a call is taken as it is promised", () => {
    for (const { name, call, body } of promises) {
      const needed = call.parameters?.filter((one) => one.required && one.in !== "path") ?? [];
      const promised = ["PATCH /v1/titles/{id} If-Match", "GET /v1/catalog/search q"];
      const more = needed.map((one) => `${name} ${one.name}`).filter((one) => !promised.includes(one));
      assert.deepEqual(more, []);
      const certain = body?.filter((word) => !word.endsWith("?") && !word.includes("[]")) ?? [];
      const roots = [...certain, ...(body ?? []).map((word) => word.split("[]")[0])];
      const required = resolved(jsonOf(call.requestBody?.content) ?? {}, schemas).required ?? [];
      assert.deepEqual(
        required.filter((member) => !roots.includes(member)),
        [],
        name,
      );
    }
  });

  test("knows each state, event and code by its word", () => {
    const values = (schema: string, path: string) => memberOf(schemas[schema] ?? {}, path).schema?.enum ?? [];
    const held: [unknown[], string][] = [
      [values("Upload", "state"), "open completed aborted expired"],
      [values("Asset", "state"), "waiting queued probing encoding ready failed cancelled deleted"],
      [values("Asset", "findings[].severity"), "info warning error"],
      [values("Asset", "renditions[].kind"), "video audio subtitle image"],
      [
        values("Asset", "error.code"),
        `unsupported_container unsupported_codec no_video source_damaged source_too_large too_many_streams dimensions_refused
         timeline_invalid checksum_mismatch encode_failed internal`,
      ],
      [values("Title", "state"), "draft scheduled published unpublished"],
      [values("Title", "type"), "movie series season episode"],
      [
        values("Webhook", "types[]").length > 0 ? values("Webhook", "types[]") : [],
        `upload.completed asset.playable asset.ready asset.failed asset.deleted title.published title.unpublished`,
      ],
    ];
    for (const [known, wanted] of held)
      assert.deepEqual(
        words(wanted).filter((one) => !known.includes(one)),
        [],
      );
  });
});

describe("what holds for every call", () => {
  const calls = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, call]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      method,
      call,
    })),
  );
  const versioned = calls.filter(({ path }) => path.startsWith("/v1/"));
  const header = (call: DescribedCall, name: string) => call.parameters?.find((one) => one.name === name);
  const said = (call: DescribedCall, status: number) => call.responses[status]?.description ?? "";

  test("a request has a name, and every answer says it", () => {
    for (const { name, call } of calls) {
      assert.equal(header(call, "X-Request-Id")?.required, false, name);
      for (const answer of Object.values(call.responses)) assert.ok(answer?.headers?.["X-Request-Id"], name);
    }
  });

  test("refusals have their codes, and say when to come again", () => {
    for (const { name, method, call } of versioned) {
      assert.match(said(call, 401), /`unauthenticated`/, name);
      assert.match(said(call, 429), /`rate_limited`/, name);
      for (const one of ["Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"])
        assert.ok(call.responses[429]?.headers?.[one], name);
      if (method !== "get") assert.match(said(call, 400), /`invalid_request`/, name);
      if (header(call, "Idempotency-Key")) {
        assert.equal(said(call, 409).match(/`idempotency_conflict`/g)?.length, 1, name);
      }
    }
    const complete = document.paths["/v1/uploads/{id}/complete"]?.post;
    assert.match(complete ? said(complete, 409) : "", /`upload_incomplete`/);
  });

  test("lists have pages of one to a hundred entries, twenty unless it is said", () => {
    const lists = versioned.filter(({ call }) => {
      const schema = jsonOf(call.responses[200]?.content);
      return schema !== undefined && memberOf(schema, "nextCursor").schema !== undefined;
    });
    assert.ok(lists.length >= 9, `${lists.length}`);
    for (const { name, call } of lists) {
      const { minimum, maximum, default: usual } = header(call, "limit")?.schema ?? {};
      assert.deepEqual([minimum, maximum, usual], [1, 100, 20], name);
      assert.equal(header(call, "cursor")?.required, false, name);
    }
  });

  test("names are in the language that is accepted, versions in an ETag, places in a Location", () => {
    for (const { name, path, call } of calls.filter((one) => one.path.startsWith("/v1/catalog/")))
      assert.ok(header(call, "Accept-Language"), `${name} ${path}`);
    const title = document.paths["/v1/titles/{id}"];
    assert.ok(title?.get?.responses[200]?.headers?.ETag && title.patch?.responses[200]?.headers?.ETag);
    for (const path of ["/v1/uploads", "/v1/titles", "/v1/links", "/v1/webhooks"])
      assert.ok(document.paths[path]?.post?.responses[201]?.headers?.Location, path);
  });
});
