import assert from "node:assert/strict";
import { test } from "node:test";
import { holdSession, isFree } from "../../player-demo/session-lock.ts";

test("a session is free where nobody plays it, and again once whoever did is gone", async () => {
  assert.equal(await isFree("a"), true);
  const release = holdSession("a");
  assert.equal(await isFree("a"), false);
  assert.equal(await isFree("b"), true);
  // As where a page is loaded anew: the old one goes while the new one asks.
  const asked = isFree("a");
  release();
  assert.equal(await asked, true);
  assert.equal(await isFree("a"), true, "and nobody holds it by asking");
});
