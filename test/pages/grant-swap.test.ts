import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { grantOf, renewDelayMs, withGrant } from "../../player-demo/grant-swap.ts";

const OLD = "http://127.0.0.1:8081/v/k1.abc-_.old/as_1/g1/video/720/12.m4s?x=/v/y/z";

test("only the grant of a delivery URL changes", () => {
  assert.equal(withGrant(OLD, "NEW"), "http://127.0.0.1:8081/v/NEW/as_1/g1/video/720/12.m4s?x=/v/y/z");
  assert.equal(grantOf(OLD), "k1.abc-_.old");
});

test("a base path before /v/ stays, and what carries no grant is left alone", () => {
  assert.equal(
    withGrant("https://cdn.example/films/v/a/as/g/main.m3u8", "b"),
    "https://cdn.example/films/v/b/as/g/main.m3u8",
  );
  for (const url of ["https://a.example/x.m3u8", "blob:https://a.example/1", "https://a.example/v/"]) {
    assert.equal(withGrant(url, "b"), url);
    assert.equal(grantOf(url), null);
  }
});

test("swapping twice is swapping once to the last", () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/);
  fc.assert(
    fc.property(segment, segment, segment, (first, second, path) => {
      const url = `https://edge.example/v/${first}/as_1/g/${path}`;
      assert.equal(grantOf(withGrant(url, second)), second);
      assert.equal(withGrant(withGrant(url, second), first), url);
    }),
  );
});

test("a grant is renewed at half of its life, and never in a rush", () => {
  assert.equal(renewDelayMs(300_000), 150_000);
  assert.equal(renewDelayMs(10_000), 5_000);
  assert.equal(renewDelayMs(-100_000), 1_000);
});
