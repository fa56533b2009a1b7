import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import { NO_REVOCATIONS, parseRevocations, REVOCATIONS_KEY, revocationsText } from "../../core/revocation.ts";

const names = fc.uniqueArray(
  fc.string({ unit: fc.constantFrom(..."abcXYZ019_-"), minLength: 1, maxLength: 64 }),
);

test("a list is read as it was written, and the same list is the same text", () => {
  const kinds = fc.record({ sessions: names, withdrawn: names, assets: names, keys: names });
  fc.assert(
    fc.property(kinds, ({ sessions, withdrawn, assets, keys }) => {
      const list = {
        sessions: new Set(sessions),
        withdrawn: new Set(withdrawn),
        assets: new Set(assets),
        keys: new Set(keys),
      };
      const text = revocationsText(list);
      assert.deepEqual(parseRevocations(text), list);
      const turned = { ...list, sessions: new Set([...sessions].reverse()) };
      assert.equal(revocationsText(turned), text);
    }),
  );
});

test("half a list, or something else, is never taken for one", () => {
  const text = revocationsText({ ...NO_REVOCATIONS, sessions: new Set(["ps_1"]) });
  for (let cut = 0; cut < text.length - 1; cut++) assert.throws(() => parseRevocations(text.slice(0, cut)));
  for (const other of [
    "null",
    "[]",
    "{}",
    '{"version":2,"sessions":[],"withdrawn":[],"assets":[],"keys":[]}',
    '{"version":1,"sessions":[],"withdrawn":[],"assets":[]}',
    '{"version":1,"sessions":{},"withdrawn":[],"assets":[],"keys":[]}',
    '{"version":1,"sessions":[1],"withdrawn":[],"assets":[],"keys":[]}',
    '{"version":1,"sessions":["a/b"],"withdrawn":[],"assets":[],"keys":[]}',
  ]) {
    assert.throws(() => parseRevocations(other), other);
  }
});

test("no grant reaches the list itself", () => {
  const rawPath = `/v/1.k.1900000000.s.${"A".repeat(43)}/${REVOCATIONS_KEY}`;
  const split = splitGrantedPath(rawPath);
  assert.ok(split);
  assert.deepEqual(verifyGrant([], split.grant, split.path, 0), { ok: false, reason: "path" });
});
