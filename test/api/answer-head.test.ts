import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { serve } from "@hono/node-server";
import { openTestApi, tokenOf } from "./api-for-test.ts";

const api = await openTestApi("heads");
const server = serve({ fetch: api.app.fetch, hostname: "127.0.0.1", port: 0 }) as Server;
await once(server, "listening");
after(() => server.close());
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const editor = { Authorization: `Bearer ${tokenOf("alpha", "editor")}` };
const admin = { Authorization: `Bearer ${tokenOf("alpha", "admin")}` };
const listed = { Origin: "https://studio.test" };
const json = { "Content-Type": "application/json" };
const preflight = { "Access-Control-Request-Method": "GET" };
const id = { "X-Request-Id": "mine-1" };

const ASKED: [what: string, path: string, init: RequestInit][] = [
  ["an answer", "/v1/assets", { headers: { ...editor, ...id } }],
  ["its head alone", "/v1/assets", { method: "HEAD", headers: { ...editor, ...id } }],
  ["an answer to a listed page", "/v1/assets", { headers: { ...editor, ...listed, ...id } }],
  ["its question", "/v1/assets", { method: "OPTIONS", headers: { ...listed, ...preflight, ...id } }],
  ["no token", "/v1/assets", { headers: id }],
  ["no such thing", "/v1/assets/as_none", { headers: { ...editor, ...id } }],
  ["no such page", "/v1/nothing", { headers: { ...editor, ...id } }],
  ["another method", "/v1/assets", { method: "PUT", headers: { ...editor, ...id } }],
  ["another kind of body", "/v1/titles", { method: "POST", body: "a", headers: { ...editor, ...id } }],
  ["a bad body", "/v1/titles", { method: "POST", body: "{}", headers: { ...editor, ...json, ...id } }],
  ["a page", "/docs", { headers: { ...id, "Accept-Encoding": "gzip" } }],
  ["one that is known", "/docs", { headers: { ...id, "If-None-Match": await etagOf("/docs") } }],
  ["another place", "/player", { redirect: "manual", headers: id }],
  ["a figure for operators", "/healthz", { headers: id }],
  ["queues", "/admin/queues", { headers: { ...admin, ...id } }],
  ["a link that leads nowhere", "/l/none", { redirect: "manual", headers: id }],
];
/** The connection's and the moment's own. */
const OF_THE_CONNECTION = ["connection", "keep-alive", "date", "content-length", "transfer-encoding"];

describe("the head of an answer", () => {
  for (const [what, path, init] of ASKED) {
    test(`says through Node's server what it says without: ${what}`, async () => {
      const [through, without] = [await fetch(origin + path, init), await api.app.request(path, init)];
      assert.deepEqual([through.status, linesOf(through)], [without.status, linesOf(without)]);
      assert.equal(through.headers.get("x-request-id"), "mine-1");
      assert.equal(through.headers.get("x-content-type-options"), "nosniff");
    });
  }
});

async function etagOf(path: string): Promise<string> {
  return (await api.request(path)).headers.get("etag") ?? "none";
}

function linesOf({ headers }: Response): [string, string][] {
  const remaining = (name: string, value: string) => (name === "ratelimit-remaining" ? "counted" : value);
  return [...headers]
    .filter(([name]) => !OF_THE_CONNECTION.includes(name))
    .map(([name, value]): [string, string] => [name, remaining(name, value)])
    .sort();
}
