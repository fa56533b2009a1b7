import assert from "node:assert/strict";
import { test } from "node:test";
import { CONTAINERS, campaign, DAMAGES, nameOf, type Variant } from "./campaign.ts";
import { openJudge } from "./judge.ts";

/**
 * Files of each container in the part of the campaign that `npm test` has: as many on a slow machine as on a quick one, where
 * they take some 35 CPU seconds. `npm run fuzz` goes on from there.
 */
const ROUNDS = 5;
/** Found violations once: kept so that they never come back. */
const REGRESSIONS: Variant[] = [
  ["fmp4", "fields", 2, 1],
  ["fmp4", "nested", 2, 1],
  ["mp4", "flips", 1, 0],
  ["mp4", "missing", 1, 0],
  ["mov", "blanked", 1, 0],
  ["ts", "truncated", 1, 0],
  ["avi", "missing", 1, 0],
  ["mp4", "swapped", 41, 6],
].map(([container, damage, seed, index]) => ({ container, damage, seed, index }) as Variant);

/** All containers in one round, the damage moving on by one for each. */
function* variants(): Generator<Variant> {
  yield* REGRESSIONS;
  for (let round = 0; round < ROUNDS; round++)
    for (const [place, container] of CONTAINERS.entries())
      yield { container, damage: DAMAGES[(place + round) % DAMAGES.length]!, seed: 4, index: 0 };
}

test("F26 damaged films of every container: taken and right, or refused with a code; nothing hangs, swells or stays", async () => {
  const judge = await openJudge();
  const violations: string[] = [];
  const outcomes = new Map<string, number>();
  let files = 0;
  try {
    for await (const { verdict, ...variant } of campaign(judge, variants())) {
      files += 1;
      outcomes.set(verdict.outcome, (outcomes.get(verdict.outcome) ?? 0) + 1);
      if (verdict.violation !== null) violations.push(`${nameOf(variant)}: ${verdict.violation}`);
    }
  } finally {
    await judge.close();
  }
  assert.deepEqual(violations, []);
  assert.equal(files, REGRESSIONS.length + CONTAINERS.length * ROUNDS);
  assert.ok(outcomes.size >= 4 && outcomes.has("taken"), JSON.stringify([...outcomes]));
});
