import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Chapter } from "../../studio/answers.ts";
import { readChapters, writeChapters } from "../../studio/chapter-lines.ts";

test("lines say where a chapter begins, what it is called and what it is", () => {
  assert.deepEqual(
    readChapters("4:20 The meadow\n\n 0:00  Opening [intro]\n1:02:03.5 End [credits]", "en", []),
    [
      { startSeconds: 0, name: { en: "Opening" }, kind: "intro" },
      { startSeconds: 260, name: { en: "The meadow" }, kind: null },
      { startSeconds: 3_723.5, name: { en: "End" }, kind: "credits" },
    ],
  );
  for (const line of ["Opening", "0:00", "0:0 A", "1:2:3:4 A"])
    assert.equal(readChapters(line, "en", []), null, line);
});

test("a name shown for want of one in the language stays that of its own, until somebody writes another", () => {
  const before: Chapter[] = [{ startSeconds: 5, name: { en: "The tree" }, kind: null }];
  assert.deepEqual(readChapters("0:05 The tree [intro]", "de", before), [
    { startSeconds: 5, name: { en: "The tree" }, kind: "intro" },
  ]);
  assert.deepEqual(readChapters("0:05 Der Baum", "de", before), [
    { startSeconds: 5, name: { en: "The tree", de: "Der Baum" }, kind: null },
  ]);
});

test("what was written reads as what it was, with its names in other languages", () => {
  const word = fc.stringMatching(/^[A-Za-zÄÖÜ&<][A-Za-z ]{0,20}[a-z]$/).map((one) => one.replace(/ +/g, " "));
  const chapter: fc.Arbitrary<Chapter> = fc.record(
    {
      startSeconds: fc.integer({ min: 0, max: 35_999_999 }).map((ms) => ms / 1000),
      name: fc
        .constantFrom(["en"], ["de"], ["fr"], ["en", "fr"], ["en", "de"])
        .chain((languages) =>
          fc.record(Object.fromEntries(languages.map((one) => [one, word])), { noNullPrototype: true }),
        ),
      kind: fc.constantFrom("intro" as const, "recap" as const, "credits" as const, null),
    },
    { noNullPrototype: true },
  );
  const chapters = fc.uniqueArray(chapter, { selector: ({ startSeconds }) => startSeconds, maxLength: 20 });
  fc.assert(
    fc.property(chapters, fc.constantFrom("en", "de"), (some, language) => {
      const all = [...some].sort((a, b) => a.startSeconds - b.startSeconds);
      assert.deepEqual(readChapters(writeChapters(all, language), language, all), all);
    }),
  );
});
