import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { serve } from "@hono/node-server";
import { openTestApi, publishedMovie, tokenOf } from "./api-for-test.ts";

const LARGEST = 64 * 1024;
const api = await openTestApi("bodies");
const server = serve({ fetch: api.app.fetch, hostname: "127.0.0.1", port: 0 });
await once(server, "listening");
after(() => server.close());
const { port } = server.address() as AddressInfo;

type Headers = Record<string, string | number>;

const post = (body: string, how: Headers, path = "/v1/titles") => send("POST", path, body, how);

/** Over a socket of its own, so that what is left of a refused body is nobody else's. */
async function send(method: string, path: string, body: string, how: Headers) {
  const sent = request({ port, host: "127.0.0.1", method, path, agent: false });
  sent.setHeader("Authorization", `Bearer ${tokenOf("alpha", "admin")}`);
  for (const [name, value] of Object.entries(how)) sent.setHeader(name, value);
  // A refusal may come before all of the body is sent.
  sent.on("error", () => undefined);
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const { code, name } = (await json(answer)) as { code?: string; name?: { en?: string } };
  return { status: answer.statusCode, code, name };
}

/** JSON of exactly so many bytes. */
const ofBytes = (bytes: number) => JSON.stringify({ name: "Bodies" }).padEnd(bytes, " ");
const JSON_TYPE = { "Content-Type": "application/json" };

describe("T38: a body over the wire", () => {
  for (const [way, how] of [
    ["that says how long it is", (body: string) => ({ ...JSON_TYPE, "Content-Length": body.length })],
    ["that comes in pieces", () => ({ ...JSON_TYPE, "Transfer-Encoding": "chunked" })],
  ] as const) {
    test(`${way} is taken up to the limit, and refused one byte over it`, async () => {
      for (const bytes of [20, LARGEST]) {
        const body = ofBytes(bytes);
        const taken = await post(body, how(body));
        assert.deepEqual([taken.status, taken.name], [201, { en: "Bodies" }], `${bytes}`);
      }
      const large = ofBytes(LARGEST + 1);
      const { status, code } = await post(large, how(large));
      assert.deepEqual([status, code], [413, "body_too_large"]);
    });
  }

  test("that does not say what it is is refused, also where one may be left out: it would not be done", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const body = JSON.stringify({ availableFrom: "2999-01-01T00:00:00Z" });
    const ways: Record<string, string | number>[] = [
      { "Content-Length": body.length },
      { "Transfer-Encoding": "chunked" },
    ];
    for (const how of ways) {
      for (const path of [`/v1/titles/${titleId}/publish`, "/v1/titles"]) {
        const { status, code } = await post(body, how, path);
        assert.deepEqual([status, code], [415, "unsupported_media_type"], path);
      }
    }
    const { status } = await post("", { "Content-Length": 0 }, `/v1/titles/${titleId}/unpublish`);
    assert.equal(status, 200, "none needs to be declared");
  });
});

describe("a call that takes no body", () => {
  const lengthOf = (body: string) => ({ ...JSON_TYPE, "Content-Length": body.length });

  test("refuses each member and what is no JSON, whatever it is called for and however it is sent", async () => {
    const { paths } = await (await api.request("/openapi.json")).json();
    const calls = Object.entries<Record<string, { requestBody?: unknown }>>(paths)
      .filter(([path]) => path.startsWith("/v1/"))
      .flatMap(([path, item]) =>
        Object.entries(item)
          .filter(([method, { requestBody }]) => method !== "get" && requestBody === undefined)
          .map(([method]) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, "none")] as const),
      );
    assert.ok(calls.length > 12, `${calls.length}`);
    for (const [method, path] of calls)
      for (const body of ['{"force":true}', "{", "[]", "null"]) {
        const { status, code } = await send(method, path, body, lengthOf(body));
        assert.deepEqual([status, code], [400, "invalid_request"], `${method} ${path} ${body}`);
      }
    const inPieces = { ...JSON_TYPE, "Transfer-Encoding": "chunked" };
    assert.equal((await post('{"a":1}', inPieces, "/v1/assets/none/cancel")).status, 400);
  });

  test("takes nothing, blanks and an empty object for no body", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const path = `/v1/titles/${titleId}/unpublish`;
    for (const body of ["", " \n", "{}", " { } "]) {
      assert.equal((await post(body, lengthOf(body), path)).status, 200, body);
      assert.equal((await post(body, { "Content-Length": body.length }, path)).status, 200, body);
      assert.equal(
        (await post(body, { ...JSON_TYPE, "Transfer-Encoding": "chunked" }, path)).status,
        200,
        body,
      );
    }
    assert.equal((await post("{", lengthOf("{"), "/v1/no/such/call")).status, 404);
  });
});
