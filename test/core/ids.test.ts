import assert from "node:assert/strict";
import { test } from "node:test";
import { idFromSeed, isId, newId } from "../../core/ids.ts";

test("T34: ids are long, in the one spelling, and never twice, however many are made", () => {
  const ids = Array.from({ length: 2_000 }, () => newId("ps"));
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.ok(isId("ps", id) && !isId("as", id), id);
  // Random bytes that ran out would be zeros, one letter again and again.
  const letters = new Map<string, number>();
  for (const letter of ids.flatMap((id) => [...id.slice(3)]))
    letters.set(letter, (letters.get(letter) ?? 0) + 1);
  const expected = (ids.length * 26) / 32;
  assert.equal(letters.size, 32);
  for (const [letter, count] of letters)
    assert.ok(Math.abs(count - expected) < expected / 4, `${letter}: ${count} of ${expected}`);
});

test("a seed gives one id, another seed or kind another", () => {
  assert.equal(idFromSeed("ps", "a"), idFromSeed("ps", "a"));
  const ids = [idFromSeed("ps", "a"), idFromSeed("ps", "b"), idFromSeed("pv", "a")];
  assert.equal(new Set(ids.map((id) => id.slice(3))).size, 3);
  for (const id of ids) assert.ok(isId("ps", id) || isId("pv", id));
});
