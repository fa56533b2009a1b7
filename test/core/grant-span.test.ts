import assert from "node:assert/strict";
import { test } from "node:test";
import { GRANT_MAX_SECONDS } from "../../core/grant.ts";
import { lastingGrantSeconds } from "../../core/grant-span.ts";

const HOUR_SECONDS = 3_600;

test("a grant that cannot be renewed lasts by the film's length, and no longer than verifiers take (T29)", () => {
  const cases: [what: string, durationSeconds: number, seconds: number][] = [
    ["a clip", 30, HOUR_SECONDS],
    ["a film without a length", 0, HOUR_SECONDS],
    ["the longest that gets the least", 900, HOUR_SECONDS],
    ["one a little longer", 901, HOUR_SECONDS + 2],
    ["an episode", 45 * 60, 2 * HOUR_SECONDS],
    ["part of a second", 1_500.2, 4_801],
    ["a long film", 3 * HOUR_SECONDS, 6.5 * HOUR_SECONDS],
    ["a longer one", 6 * HOUR_SECONDS, GRANT_MAX_SECONDS],
    ["the longest that is taken", 24 * HOUR_SECONDS, GRANT_MAX_SECONDS],
  ];
  for (const [what, durationSeconds, seconds] of cases)
    assert.equal(lastingGrantSeconds(durationSeconds), seconds, what);
});

test("and half an hour longer than the film, as long as that can be", () => {
  for (let seconds = 0; seconds <= GRANT_MAX_SECONDS - HOUR_SECONDS / 2; seconds += 97)
    assert.ok(lastingGrantSeconds(seconds) >= seconds + HOUR_SECONDS / 2, `${seconds}`);
});
