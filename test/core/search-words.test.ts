import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { foldWords, oneSlip, wordScore } from "../../core/search-words.ts";
import { openWordIndex } from "../../core/word-index.ts";

/** Few letters, so that words are often alike. */
const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), minLength: 1, maxLength: 7 });

describe("words of a search", () => {
  test("what a slip is", () => {
    for (const [a, b] of [
      ["bunny", "bunny"],
      ["bunny", "bynny"],
      ["bunny", "buny"],
      ["bunny", "bunnny"],
      ["bunny", "bunyn"],
      ["", "a"],
    ]) {
      assert.ok(oneSlip(a as string, b as string) && oneSlip(b as string, a as string), `${a} ${b}`);
    }
    for (const [a, b] of [
      ["bunny", "bony"],
      ["bunny", "funky"],
      ["ab", "ba c"],
      ["abcd", "badc"],
    ]) {
      assert.ok(!oneSlip(a as string, b as string), `${a} ${b}`);
    }
    assert.deepEqual(foldWords("Amélie: L'Été, 2. Teil"), ["amelie", "l", "ete", "2", "teil"]);
  });

  test("the word itself is worth more than a beginning, and that more than a slip", () => {
    for (const [own, wanted, score] of [
      ["bunny", "bunny", 3],
      ["bunny", "bun", 2],
      ["bunny", "bynn", 1],
      ["bunny", "ubnn", 1],
      ["bunny", "unny", 1],
      ["bunny", "xbunn", 1],
      ["bunny", "bny", 0],
      ["bunny", "funky", 0],
    ] as const)
      assert.equal(wordScore(own, wanted), score, `${own} ${wanted}`);
  });

  test("a word is never passed over by its first letters", () => {
    const plain = (own: string, wanted: string): number => {
      if (own === wanted) return 3;
      if (own.startsWith(wanted)) return 2;
      const isNear = [-1, 0, 1].some((more) => oneSlip(own.slice(0, wanted.length + more), wanted));
      return wanted.length >= 4 && isNear ? 1 : 0;
    };
    fc.assert(
      fc.property(word, word, (own, wanted) => assert.equal(wordScore(own, wanted), plain(own, wanted))),
      { numRuns: 2_000 },
    );
  });

  test("an index finds what looking at each thing would, whatever came and went before", () => {
    interface Thing {
      words: string[];
    }
    const thing = fc.record({ words: fc.uniqueArray(word, { maxLength: 5 }) });
    const plain = (things: Iterable<Thing>, wanted: string[]): Map<Thing, number> => {
      const found = new Map<Thing, number>();
      for (const one of things) {
        const best = wanted.map((text) => Math.max(0, ...one.words.map((own) => wordScore(own, text))));
        if (best.length > 0 && !best.includes(0))
          found.set(
            one,
            best.reduce((sum, score) => sum + score, 0),
          );
      }
      return found;
    };
    const step = fc.record({
      added: fc.array(thing, { maxLength: 6 }),
      keep: fc.integer({ min: 0, max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), fc.array(word, { maxLength: 3 }), (steps, wanted) => {
        const index = openWordIndex(({ words }: Thing) => words);
        let there: Thing[] = [];
        for (const { added, keep } of steps) {
          index.replace(there.slice(keep), added);
          there = [...there.slice(0, keep), ...added];
        }
        assert.deepEqual(index.scores(wanted), plain(there, wanted));
      }),
    );
  });
});
