import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { NOW, openEdge, PAGE, storePackage } from "./edge-for-test.ts";

const NAME = "crawl";
const { prefix, objects } = await storePackage(NAME);
const other = await storePackage(NAME);
const edge = await openEdge(NAME);

before(() => assert.ok(objects.size >= 10));
after(() => edge.close());

/** The answer to a request line exactly as given: fetch would tidy the path first. */
function raw(target: string, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const { hostname, port } = new URL(edge.url);
      const call = request({ hostname, port, path: target, method, headers: { origin: PAGE } }, (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (text) => (body += text));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      });
      call.on("error", reject).end();
    },
  );
}

function flipped(grant: string): string {
  const at = grant.length - 10;
  return `${grant.slice(0, at)}${grant[at] === "A" ? "B" : "A"}${grant.slice(at + 1)}`;
}

test("no object of any class is read without a good grant (T26, T27, T28)", async () => {
  const good = edge.grant(prefix);
  const forged = edge.grant(prefix, NOW + 300, { kid: "new", secret: Buffer.alloc(32, 7) });
  const retired = edge.grant(prefix, NOW + 300, { kid: "gone", secret: edge.key.secret });
  const bad: [string, string][] = [
    ["no grant", ""],
    ["another asset's grant", `/${edge.grant(other.prefix)}`],
    ["an expired grant", `/${edge.grant(prefix, NOW - 61)}`],
    ["a grant for longer than any is given", `/${edge.grant(prefix, NOW + 13 * 3_600)}`],
    ["a tampered grant", `/${flipped(good)}`],
    ["a grant of a forged key", `/${forged}`],
    ["a grant of a retired key", `/${retired}`],
    ["a grant of another version", `/2${good.slice(1)}`],
    ["nonsense", "/x"],
  ];
  for (const [path, body] of objects) {
    for (const [what, segment] of bad) {
      for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
        const answer = await raw(`/v${segment}${prefix}${path}`, method);
        assert.equal(answer.status, 403, `${method} ${path} with ${what}`);
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.equal(answer.headers["access-control-allow-origin"], PAGE);
        if (method !== "HEAD") assert.equal(JSON.parse(answer.body).code, "grant_refused");
      }
    }
    const answer = await fetch(`${edge.url}/v/${good}${prefix}${path}`);
    assert.equal(answer.status, 200, path);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), body, path);
  }
});

test("every evil vector is 403 over real HTTP, before any look-up", async () => {
  const file = JSON.parse(readFileSync(new URL("../grant-vectors.json", import.meta.url), "utf8"));
  const evil = file.vectors.filter((vector: { allow: boolean; rawPath: string }) => {
    // What node's own client cannot put on a request line cannot be tried this way.
    return !vector.allow && /^\/v(?:\/|$)[\x21-\x7e]*$/.test(vector.rawPath);
  });
  assert.ok(evil.length > 200);
  for (const vector of evil) assert.equal((await raw(vector.rawPath)).status, 403, vector.name);
});

test("paths beside /v/ reach no object", async () => {
  const grant = edge.grant(prefix);
  for (const target of [
    `${prefix}main.m3u8`,
    `//v/${grant}${prefix}main.m3u8`,
    `/V/${grant}${prefix}main.m3u8`,
    `/%76/${grant}${prefix}main.m3u8`,
    `/x/../v/${grant}${prefix}main.m3u8`,
    `/vv/${grant}${prefix}main.m3u8`,
    "/",
  ]) {
    const answer = await raw(target);
    assert.equal(answer.status, 404, target);
    assert.equal(JSON.parse(answer.body).code, "not_found");
  }
});

test("clocks may be a minute apart, not more (T30)", async () => {
  const path = `/v/${edge.grant(prefix, NOW)}${prefix}main.m3u8`;
  for (const [skew, status] of [
    [-7_200, 200],
    [0, 200],
    [60, 200],
    [61, 403],
    [7_200, 403],
  ] as const) {
    edge.clock.nowSeconds = NOW + skew;
    assert.equal((await raw(path)).status, status, `${skew} s`);
  }
  edge.clock.nowSeconds = NOW;
});

test("with a good grant, what is not there is 404 and nothing but reading is allowed", async () => {
  const grant = edge.grant(prefix);
  const missing = await raw(`/v/${grant}${prefix}video/360p/99999.m4s`);
  assert.deepEqual([missing.status, missing.headers["cache-control"]], [404, "no-store"]);
  const write = await raw(`/v/${grant}${prefix}main.m3u8`, "PUT");
  assert.deepEqual([write.status, write.headers.allow], [405, "GET, HEAD, OPTIONS"]);
  assert.equal((await raw(`/v/${grant}${prefix}main.m3u8?_HLS_skip=YES&x=../..`)).status, 200);
});

test("no line of the log holds a grant (T29)", () => {
  const grant = edge.grant(prefix);
  assert.ok(edge.lines.length > 100);
  const text = edge.lines.join("");
  assert.ok(!text.includes(grant) && !text.includes(grant.slice(-43)));
  assert.ok(text.includes(`"path":"${prefix}main.m3u8"`));
});
