import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addRunged,
  figuresOf,
  figuresSince,
  NO_FIGURES,
  startupQuantile,
  startupStep,
} from "../../core/figures.ts";
import { type Beacon, EMPTY_REPORT, foldBeacons, type SessionReport } from "../../core/session-report.ts";

const renditionId = fc.option(
  fc.constantFrom("1080p", "720p", "360p", "constructor", ...Array.from({ length: 40 }, (_, n) => `r${n}`)),
);
const ms = fc.integer({ min: 0, max: 3_600_000 });
const detail = fc.oneof(
  fc.record({ type: fc.constant("startup" as const), startupMs: ms }),
  fc.record({ type: fc.constant("stall" as const), stallMs: ms }),
  fc.record({ type: fc.constant("error" as const), isFatal: fc.boolean() }),
  fc.record({ type: fc.constant("rung" as const) }),
  fc.record({ type: fc.constant("heartbeat" as const), playedMs: ms }),
);
/** Numbers of their own, beyond the last that counts too. */
const beacons: fc.Arbitrary<Beacon[]> = fc.uniqueArray(
  fc
    .tuple(
      fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20_000 })),
      renditionId,
      detail,
    )
    .map(([seq, rung, one]) => ({ seq, renditionId: rung, ...one })),
  { selector: ({ seq }) => seq, maxLength: 120 },
);

/** Some batches of some of them, any of them more than once, in any order; then each of them at least once. */
function anyDelivery(all: readonly Beacon[]): fc.Arbitrary<Beacon[][]> {
  const again = all.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...all), { maxLength: 60 });
  return fc
    .tuple(again, fc.shuffledSubarray([...all], { minLength: all.length }), fc.integer({ min: 1, max: 20 }))
    .map(([repeats, whole, size]) => batchesOf([...repeats, ...whole], size));
}

function batchesOf(list: Beacon[], size: number): Beacon[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({ length: count }, (_, index) => list.slice(index * size, (index + 1) * size));
}

const folded = (batches: readonly Beacon[][]): SessionReport => batches.reduce(foldBeacons, EMPTY_REPORT);

/** Rungs are kept in the order in which they came; what is in them is what counts. */
const sorted = (report: SessionReport) => ({ ...report, rungs: Object.entries(report.rungs).sort() });

/** Without what is 0: a rung or a start that came to nothing is as good as none. */
function counts(tree: object): object {
  const kept = Object.entries(tree).flatMap(([name, value]) => {
    const one = typeof value === "object" ? counts(value) : value;
    return one === 0 || (typeof one === "object" && Object.keys(one).length === 0) ? [] : [[name, one]];
  });
  return Object.fromEntries(kept);
}

test("order, repeats and batches change nothing", () => {
  const delivered = beacons.chain((all) => fc.tuple(fc.constant(all), anyDelivery(all)));
  fc.assert(
    fc.property(delivered, ([all, batches]) => {
      assert.deepEqual(sorted(folded(batches)), sorted(foldBeacons(EMPTY_REPORT, all)));
    }),
    { numRuns: 400 },
  );
});

test("of more names than a ladder has the same ones stay in any order", () => {
  const names = Array.from({ length: 60 }, (_, index) => `r${index}`);
  const told: Beacon[] = names.map((one, seq) => ({ seq, renditionId: one, type: "heartbeat", playedMs: 1 }));
  const shuffled = fc.shuffledSubarray(told, { minLength: told.length });
  fc.assert(
    fc.property(shuffled, fc.integer({ min: 1, max: 60 }), (list, size) => {
      assert.deepEqual(sorted(folded(batchesOf(list, size))), sorted(foldBeacons(EMPTY_REPORT, told)));
    }),
    { numRuns: 30 },
  );
});

test("what is told again gives the very same report, so that nothing need be written", () => {
  fc.assert(
    fc.property(beacons, (all) => {
      const report = foldBeacons(EMPTY_REPORT, all);
      assert.equal(foldBeacons(report, all), report);
    }),
  );
});

test("sums are those of the events, and a report stays small whatever is told", () => {
  fc.assert(
    fc.property(beacons, (all) => {
      const { all: sums, rungs, seen } = foldBeacons(EMPTY_REPORT, all);
      const counted = all.filter(({ seq }) => seq < 16_384);
      const played = counted.reduce((sum, one) => sum + (one.type === "heartbeat" ? one.playedMs : 0), 0);
      assert.equal(sums.playedMs, played);
      assert.equal(sums.stalls, counted.filter(({ type }) => type === "stall").length);
      assert.ok(Object.keys(rungs).length <= 32 && seen.length <= 2_732);
    }),
  );
});

test("a session's figures: rates of the package's own rungs, strangers' rungs together, the start where it was", () => {
  const told: Beacon[] = [
    { seq: 0, type: "startup", startupMs: 800, renditionId: "360p" },
    { seq: 1, type: "heartbeat", playedMs: 10_000, renditionId: "360p" },
    { seq: 2, type: "heartbeat", playedMs: 30_000, renditionId: "720p" },
    { seq: 3, type: "stall", stallMs: 2_000, renditionId: "720p" },
    { seq: 4, type: "heartbeat", playedMs: 1_000, renditionId: "constructor" },
    { seq: 5, type: "error", isFatal: false, renditionId: "720p" },
  ];
  const rates = new Map([
    ["360p", 500_000],
    ["720p", 2_000_000],
  ]);
  const { all, rungs } = figuresOf(foldBeacons(EMPTY_REPORT, told), rates);
  assert.deepEqual(all, {
    ...NO_FIGURES,
    sessions: 1,
    plays: 1,
    stalledPlays: 1,
    stalls: 1,
    stallMs: 2_000,
    playedMs: 41_000,
    kilobits: 65_000,
    startups: { [startupStep(800)]: 1 },
  });
  assert.deepEqual(Object.keys(rungs).sort(), ["360p", "720p", "other"]);
  assert.deepEqual(
    [rungs["360p"]?.kilobits, rungs["720p"]?.kilobits, rungs.other?.kilobits],
    [5_000, 60_000, 0],
  );
  assert.deepEqual([rungs["360p"]?.startups, rungs["720p"]?.startups], [{ [startupStep(800)]: 1 }, {}]);
});

test("a session counted in parts comes to the same as one that is counted at its end", () => {
  const rates = new Map([["720p", 2_000_000]]);
  fc.assert(
    fc.property(beacons, fc.nat(120), fc.nat(120), (all, one, other) => {
      const [first, second] = [Math.min(one, other), Math.max(one, other)].map((count) =>
        foldBeacons(EMPTY_REPORT, all.slice(0, count)),
      ) as [SessionReport, SessionReport];
      const whole = foldBeacons(EMPTY_REPORT, all);
      const parts = [
        figuresOf(first, rates),
        figuresSince(first, second, rates),
        figuresSince(second, whole, rates),
      ];
      const sum = parts.reduce(addRunged);
      assert.deepEqual(counts(sum), counts(figuresOf(whole, rates)));
    }),
  );
});

test("who never saw a picture is a session and a failure, and no play", () => {
  const told: Beacon[] = [{ seq: 0, type: "error", isFatal: true, renditionId: null }];
  const { all } = figuresOf(foldBeacons(EMPTY_REPORT, told), new Map());
  assert.deepEqual([all.sessions, all.plays, all.failures], [1, 0, 1]);
});

test("quantiles of start-up are right to 5 %, also of figures put together", () => {
  const starts = fc.array(fc.integer({ min: 50, max: 120_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(starts, fc.constantFrom(0.5, 0.95), (list, share) => {
      const one = (startupMs: number) =>
        figuresOf(
          foldBeacons(EMPTY_REPORT, [{ seq: 0, type: "startup", startupMs, renditionId: null }]),
          new Map(),
        );
      const { all } = list.map(one).reduce(addRunged);
      const exact = list.toSorted((a, b) => a - b)[Math.ceil(list.length * share) - 1]!;
      const told = startupQuantile(all.startups, share)!;
      assert.ok(Math.abs(told - exact) <= exact * 0.05 + 1, `${told} of ${exact}`);
    }),
  );
});
