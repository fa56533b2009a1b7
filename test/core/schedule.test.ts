import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Cluster, simulate } from "../../bench/simulated/cluster.ts";
import type { Arrival } from "../../bench/simulated/title.ts";
import { planOf } from "../../bench/simulated-plan.ts";
import { publishWeight } from "../../core/publish-cost.ts";
import {
  placeTasks,
  placeTitle,
  type Queued,
  TITLES_IN_HAND,
  WAITED_FOR_PRIORITY,
} from "../../core/schedule.ts";

function queued(taskId: string, more: Partial<Queued> = {}): Queued {
  return {
    taskId,
    tenant: "t",
    assetId: "a",
    kind: "video",
    part: "h264",
    chunk: 0,
    workSeconds: 10,
    memoryBytes: 0,
    isRunning: false,
    isBackfill: false,
    rank: 0,
    ...more,
  };
}

/** The ids in the order in which the queue gives them out. */
function order(tasks: readonly Queued[]): string[] {
  const places = placeTasks(tasks);
  return [...places.keys()].sort((a, b) => places.get(a)! - places.get(b)!);
}

describe("the order of work", () => {
  test("within a title the largest first, and what opens the way before", () => {
    const tasks = [
      queued("chunk 0"),
      queued("audio", { kind: "audio", workSeconds: 300 }),
      queued("publish", { kind: "publish", workSeconds: 0.5 }),
      queued("chunk 1", { chunk: 1 }),
    ];
    assert.deepEqual(order(tasks), ["publish", "audio", "chunk 0", "chunk 1"]);
  });

  test("what is shown already is made anew after all that is not", () => {
    const again = Array.from({ length: 5 }, (_, chunk) =>
      queued(`again ${chunk}`, { chunk, isBackfill: true }),
    );
    const fresh = Array.from({ length: 500 }, (_, chunk) => queued(`new ${chunk}`, { chunk, tenant: "u" }));
    assert.deepEqual(
      order([...again, ...fresh]).slice(500),
      again.map(({ taskId }) => taskId),
    );
  });

  test("titles in hand take turns, those behind wait", () => {
    const chunks = (rank: number) =>
      [0, 1].map((chunk) => queued(`${rank}.${chunk}`, { chunk, rank, assetId: `a${rank}` }));
    assert.deepEqual(order([...chunks(TITLES_IN_HAND), ...chunks(1), ...chunks(0)]), [
      "0.0",
      "1.0",
      "0.1",
      "1.1",
      `${TITLES_IN_HAND}.0`,
      `${TITLES_IN_HAND}.1`,
    ]);
  });

  test("whoever is being served waits for those who are not", () => {
    const busy = [queued("runs", { isRunning: true, workSeconds: 50 }), queued("waits")];
    assert.deepEqual(order([...busy, queued("other", { tenant: "u" })]), ["other", "waits"]);
  });

  test("a tenant's place depends on its own work alone, every place is one that the queue takes", () => {
    const anyTask = fc.record({
      tenant: fc.constantFrom("t", "u"),
      rank: fc.nat(12),
      chunk: fc.nat(3000),
      kind: fc.constantFrom("video", "audio", "probe", "publish", "preview"),
      workSeconds: fc.double({ min: 0.1, max: 1e6, noNaN: true }),
      isRunning: fc.boolean(),
      isBackfill: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyTask, { maxLength: 40 }), (drawn) => {
        const tasks = drawn.map((task, index) =>
          queued(String(index), {
            ...task,
            kind: task.kind as Queued["kind"],
            assetId: `${task.tenant}${task.rank}`,
          }),
        );
        const places = placeTasks(tasks);
        const own = placeTasks(tasks.filter(({ tenant }) => tenant === "t"));
        for (const [id, place] of own) assert.equal(places.get(id), place);
        for (const place of [...places.values(), ...placeTitle(tasks).values()])
          assert.ok(Number.isInteger(place) && place > WAITED_FOR_PRIORITY && place < 2 ** 21);
        assert.equal(places.size, tasks.filter(({ isRunning }) => !isRunning).length);
      }),
    );
  });
});

describe("on simulated time", () => {
  const calm: Cluster = { workers: 16, seed: 7, spread: 0.3, deaths: 0, stragglers: 0, stragglerFactor: 1 };
  const p95 = (values: number[]): number =>
    values.sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1]!;

  test("F29 one tenant's ten thousand films leave the others' waits at most twice as long", () => {
    const film = planOf(60, 1280, 720);
    const others: Arrival[] = Array.from({ length: 60 }, (_, index) => ({
      atSeconds: 10 * index,
      tenant: `t${index % 5}`,
      plan: film,
    }));
    const flood = Array.from({ length: 10_000 }, () => ({ atSeconds: 0, tenant: "flood", plan: film }));
    const waits = (arrivals: Arrival[], when: "seenAt" | "readyAt"): number =>
      p95(
        simulate({ ...calm, untilSeconds: 900 }, arrivals)
          .titles.filter(({ tenant }) => tenant !== "flood")
          .map((title) => (title[when] ?? Number.POSITIVE_INFINITY) - title.arrivedAt),
      );
    // What a person waits for first has a slot of its own, and no turn to wait for.
    for (const [when, most] of [
      ["readyAt", 2],
      ["seenAt", 1.1],
    ] as const) {
      const [before, flooded] = [waits(others, when), waits([...flood, ...others], when)];
      assert.ok(flooded <= most * before, `p95 ${when}: ${before} s, with the flood ${flooded} s`);
    }
  });

  test("a long film on many workers, some of which die, is ready near the ideal", () => {
    const plan = planOf(3600, 1920, 1080);
    const film = [{ atSeconds: 0, tenant: "t", plan }];
    const alone = simulate({ ...calm, workers: 1 }, film).titles[0]!.readyAt!;
    const together = simulate(calm, film).titles[0]!.readyAt!;
    // Only its publication has to follow everything else.
    const most = 1.05 * (alone / calm.workers) + publishWeight(plan);
    assert.ok(together <= most, `${together} s, ${alone} s alone`);
    const rough = simulate({ ...calm, deaths: 0.05 }, film);
    assert.ok(rough.deaths > 0 && rough.lostSeconds <= rough.deaths * 60);
    assert.notEqual(rough.titles[0]!.readyAt, null);
  });
});
