import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Cluster, simulate } from "../../bench/simulated/cluster.ts";
import type { Arrival } from "../../bench/simulated/title.ts";
import { planOf } from "../../bench/simulated-plan.ts";
import { isStraggling, type Peer, type Underway } from "../../core/stragglers.ts";

/** Ten seconds of work take each peer twenty. */
const PEERS: Peer[] = Array.from({ length: 3 }, () => ({ workSeconds: 10, tookSeconds: 20 }));
const attempt = (more: Partial<Underway>): Underway => ({
  ...{ workSeconds: 10, ranSeconds: 10, ratio: 0.5, silentSeconds: 0.5 },
  ...more,
});

describe("which attempts another is begun beside", () => {
  const cases: [string, Partial<Underway>, readonly Peer[], boolean][] = [
    ["as quick as its peers", {}, PEERS, false],
    ["late, but nearly there", { ranSeconds: 60, ratio: 0.9 }, PEERS, false],
    ["late and far from done", { ranSeconds: 40, ratio: 0.3 }, PEERS, true],
    ["late and nothing done", { ranSeconds: 40, ratio: 0 }, PEERS, true],
    ["a little late", { ranSeconds: 29, ratio: 0.1 }, PEERS, false],
    ["nearly there, and stuck", { ranSeconds: 90, ratio: 0.99 }, PEERS, true],
    ["late by a blink", { workSeconds: 0.1, ranSeconds: 4, ratio: 0 }, PEERS, false],
    ["a larger chunk", { workSeconds: 20, ranSeconds: 40, ratio: 0.3 }, PEERS, false],
    ["nobody to compare with", { ranSeconds: 900, ratio: 0 }, PEERS.slice(0, 1), false],
    ["no sign of life", { silentSeconds: 3 }, [], true],
    ["one sign of life missed", { silentSeconds: 2 }, [], false],
  ];
  for (const [name, underway, peers, expected] of cases)
    test(name, () => assert.equal(isStraggling(attempt(underway), peers), expected));

  test("one odd peer does not matter", () => {
    const odd = [...PEERS, { workSeconds: 10, tookSeconds: 2000 }];
    assert.equal(isStraggling(attempt({ ranSeconds: 40, ratio: 0.3 }), odd), true);
  });

  test("who runs on stays so: what is slow is never quick again by waiting", () => {
    const seconds = fc.double({ min: 0.1, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(seconds, seconds, fc.double({ min: 0, max: 1, noNaN: true }), (ranSeconds, more, ratio) => {
        const now = attempt({ ranSeconds, ratio });
        const later = attempt({ ranSeconds: ranSeconds + more, ratio });
        assert.ok(!isStraggling(now, PEERS) || isStraggling(later, PEERS));
      }),
    );
  });
});

describe("on simulated time", () => {
  const film: Arrival[] = [{ atSeconds: 0, tenant: "t", plan: planOf(3600, 1920, 1080) }];
  const calm: Cluster = { workers: 16, seed: 1, spread: 0.3, deaths: 0, stragglers: 0, stragglerFactor: 1 };
  const readyAt = (cluster: Cluster): number => simulate(cluster, film).titles[0]!.readyAt!;

  test("slow workers hold up a title less than they would, for little work done twice", () => {
    const rough = { ...calm, stragglers: 0.05, stragglerFactor: 6 };
    const runs = [1, 2, 3, 4, 5].map((seed) => ({
      alone: readyAt({ ...rough, seed, lendsAHand: false }),
      helped: simulate({ ...rough, seed }, film),
    }));
    const mean = (figures: number[]): number => figures.reduce((sum, one) => sum + one, 0) / figures.length;
    const alone = mean(runs.map((run) => run.alone));
    const helped = mean(runs.map((run) => run.helped.titles[0]!.readyAt!));
    assert.ok(helped < 0.95 * alone, `${helped} s, ${alone} s alone`);
    for (const { helped: run } of runs)
      assert.ok(run.lostSeconds < 0.1 * run.workSeconds, `${run.lostSeconds} s lost`);
  });

  test("where nobody is slow nothing is begun twice", () => {
    assert.equal(simulate(calm, film).besides, 0);
  });
});
