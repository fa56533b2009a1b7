import { wordScore } from "./search-words.ts";

/**
 * Things by their words. Each word is looked at once in a search, however many things have it: a catalog of twenty thousand titles has
 * a tenth as many words.
 */
export interface WordIndex<Item> {
  /** Forgets the first and learns the second; a thing's words must not change in between. */
  replace(removed: Iterable<Item>, added: Iterable<Item>): void;
  /** Of each thing that answers all of the wanted words how well it does: the sum of its best for each of them. */
  scores(wanted: readonly string[]): Map<Item, number>;
}

export function openWordIndex<Item>(wordsOf: (item: Item) => readonly string[]): WordIndex<Item> {
  const items = new Map<string, Set<Item>>();
  const forget = (item: Item, word: string): void => {
    const having = items.get(word);
    having?.delete(item);
    if (having?.size === 0) items.delete(word);
  };
  const learn = (item: Item, word: string): void => {
    const having = items.get(word);
    if (having === undefined) items.set(word, new Set([item]));
    else having.add(item);
  };
  const best = (wanted: string, among: ReadonlyMap<Item, number> | null): Map<Item, number> => {
    const found = new Map<Item, number>();
    for (const [word, having] of items) {
      const score = wordScore(word, wanted);
      if (score === 0) continue;
      for (const item of having) {
        if (among?.has(item) === false) continue;
        if ((found.get(item) ?? 0) < score) found.set(item, score);
      }
    }
    return found;
  };
  return {
    replace(removed, added) {
      for (const item of removed) for (const word of wordsOf(item)) forget(item, word);
      for (const item of added) for (const word of wordsOf(item)) learn(item, word);
    },
    scores(wanted) {
      const [first, ...others] = wanted;
      let sums = first === undefined ? new Map<Item, number>() : best(first, null);
      for (const word of others) {
        const earlier = sums;
        const found = best(word, earlier);
        sums = new Map([...found].map(([item, score]) => [item, score + earlier.get(item)!]));
      }
      return sums;
    },
  };
}
