import type { Random } from "../../test/fuzz/random.ts";

/** One of them, each as likely as its weight says. */
export function pickWeighted<T>(
  chance: Random,
  list: readonly (readonly [weight: number, one: T])[],
): T | undefined {
  let left = chance.share() * list.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, one] of list) {
    left -= weight;
    if (left < 0) return one;
  }
  return undefined;
}
