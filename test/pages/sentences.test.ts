import assert from "node:assert/strict";
import { test } from "node:test";
import { ASSET_ERROR_CODES, REQUEST_FAILURE_CODES } from "../../core/errors.ts";
import { FINDING_CODES } from "../../core/finding-codes.ts";
import { inGerman } from "../../studio/web/said.ts";
import { FAILURES, FINDINGS, PROBLEMS, SAID_WHOLE } from "../../studio/web/sentences-de.ts";
import { ENGLISH } from "../../studio/web/strings-en.ts";

/** What the API says is said to a German reader in German. The pages know its codes by HTTP alone: here they meet. */

const SETS: [string, readonly string[], Readonly<Record<string, string>>][] = [
  ["failures of an asset", ASSET_ERROR_CODES, FAILURES],
  ["findings", FINDING_CODES, FINDINGS],
  ["refused requests", REQUEST_FAILURE_CODES, PROBLEMS],
];

for (const [what, codes, sentences] of SETS) {
  test(`every code of ${what} has a German sentence, and no other has`, () => {
    assert.deepEqual(Object.keys(sentences).sort(), codes.toSorted());
    for (const [code, words] of Object.entries(sentences)) assert.match(words, /^[A-ZÄÖÜ].{15,}\.$/, code);
  });
}

test("every failure of an asset has its next step; another try alone is advised where nothing else helps", () => {
  const without = ASSET_ERROR_CODES.filter((code) => !(`next_${code}` in ENGLISH));
  assert.deepEqual(without, ["encode_failed", "internal"]);
});

test("what the API says beyond the sentence is kept, and what has no sentence stays as the API said it", () => {
  const known = new Set(SETS.flatMap(([, codes]) => codes));
  for (const code of SAID_WHOLE) assert.ok(known.has(code), code);
  const silence = "The sound in en is silent for 7.2 s.";
  assert.deepEqual(inGerman(FINDINGS, "silence", silence), {
    words: FINDINGS.silence,
    isForeign: false,
    original: silence,
  });
  assert.equal(inGerman(FINDINGS, "missing_audio", "The file has no sound.").original, null);
  for (const code of ["of_a_later_release", "constructor"])
    assert.deepEqual(inGerman(FINDINGS, code, "New."), { words: "New.", isForeign: true, original: null });
});
