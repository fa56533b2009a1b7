import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Figures, NO_FIGURES, startupStep } from "../../core/figures.ts";
import { judgeHealth } from "../../core/generation-health.ts";

interface Watched {
  sessions: number;
  failures?: number;
  stalled?: number;
  startupsMs?: number[];
}

/** Sessions of ten minutes; each that stood still did so for ten seconds. */
function figures({ sessions, failures = 0, stalled = 0, startupsMs = [] }: Watched): Figures {
  const startups: Record<string, number> = {};
  for (const ms of startupsMs) startups[startupStep(ms)] = (startups[startupStep(ms)] ?? 0) + 1;
  return {
    ...NO_FIGURES,
    sessions,
    plays: sessions - failures,
    failures,
    stalledPlays: stalled,
    stalls: stalled,
    stallMs: stalled * 10_000,
    playedMs: sessions * 600_000,
    startups,
  };
}

const spread = (count: number, ms: number): number[] =>
  Array.from({ length: count }, (_, index) => ms * (0.5 + index / count));

const CASES: [string, Watched, Watched, string, string[]][] = [
  ["too few now", { sessions: 1_000 }, { sessions: 29, failures: 29 }, "unknown", []],
  ["too few before", { sessions: 29 }, { sessions: 1_000, failures: 900 }, "unknown", []],
  ["the same", { sessions: 500, failures: 5 }, { sessions: 500, failures: 5 }, "fine", []],
  ["better", { sessions: 500, failures: 50 }, { sessions: 500, failures: 5 }, "fine", []],
  ["errors where none were", { sessions: 200 }, { sessions: 60, failures: 6 }, "worse", ["errorRate"]],
  ["one unlucky viewer", { sessions: 200 }, { sessions: 60, failures: 1 }, "fine", []],
  [
    "sure, and too small to matter",
    { sessions: 100_000, failures: 1_000 },
    { sessions: 100_000, failures: 1_300 },
    "fine",
    [],
  ],
  [
    "more stand still",
    { sessions: 300, stalled: 30 },
    { sessions: 300, stalled: 90 },
    "worse",
    ["rebufferRatio"],
  ],
  [
    "slower starts",
    { sessions: 100, startupsMs: spread(100, 1_000) },
    { sessions: 100, startupsMs: spread(100, 2_000) },
    "worse",
    ["startupP95Seconds"],
  ],
  [
    "a few slow starts",
    { sessions: 100, startupsMs: spread(100, 1_000) },
    { sessions: 40, startupsMs: [...spread(37, 1_000), 9_000, 9_000, 9_000] },
    "fine",
    [],
  ],
];

for (const [name, before, now, verdict, reasons] of CASES) {
  test(`health: ${name}`, () => {
    const judged = judgeHealth(figures(before), figures(now));
    assert.deepEqual([judged.verdict, judged.reasons.map(({ figure }) => figure)], [verdict, reasons]);
  });
}

test("by chance alone hardly any generation is flagged", () => {
  // Both of the same viewers: one in fifty fails, one in ten stands still.
  const draw = (seed: number): Figures => {
    const random = mulberry(seed);
    const count = (share: number) => Array.from({ length: 200 }, random).filter((one) => one < share).length;
    const startupsMs = Array.from({ length: 200 }, () => 400 * Math.exp(random() * 2));
    return figures({ sessions: 200, failures: count(0.02), stalled: count(0.1), startupsMs });
  };
  const pairs = Array.from({ length: 1_000 }, (_, index) =>
    judgeHealth(draw(2 * index), draw(2 * index + 1)),
  );
  const flagged = pairs.filter(({ verdict }) => verdict === "worse").length;
  assert.ok(flagged <= 15, `${flagged} of 1000`);
});

test("fewer errors never make a generation worse", () => {
  const shares = fc.record({ before: fc.nat(100), now: fc.nat(100), fewer: fc.nat(100) });
  fc.assert(
    fc.property(shares, ({ before, now, fewer }) => {
      const was = figures({ sessions: 100, failures: before });
      const verdict = (failures: number) => judgeHealth(was, figures({ sessions: 100, failures })).verdict;
      if (verdict(now) === "fine") assert.equal(verdict(Math.min(now, fewer)), "fine");
    }),
  );
});

/** Numbers from 0 to 1 that are the same each time. */
function mulberry(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
