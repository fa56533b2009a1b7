import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type AssetPointer,
  canBePublished,
  followedBy,
  type GenerationStanding,
  type GenerationState,
  mayCollect,
  settle,
  stateOf,
  unusedSources,
} from "../../core/generations.ts";
import type { AssetState } from "../../core/records/asset.ts";

const POLICY = { keepForRollback: 3, reachSeconds: 90_000 };
const HOUR_MS = 3_600_000;
const NOW = new Date("2026-03-01T12:00:00Z");
const hoursAgo = (hours: number): Date => new Date(NOW.getTime() - hours * HOUR_MS);

function standing(
  generation: string,
  state: GenerationState,
  more: Partial<GenerationStanding> = {},
): GenerationStanding {
  return {
    generation,
    state,
    error: null,
    madeAt: hoursAgo(100),
    publishedAt: hoursAgo(100),
    follows: null,
    supersededAt: null,
    collectAt: null,
    ...more,
  };
}

function pointer(state: AssetState, making: string | null, shown: string | null): AssetPointer {
  const error =
    state === "failed" ? { code: "encode_failed" as const, message: "no", retryable: true } : null;
  const published = shown === null ? null : { generation: shown, at: hoursAgo(1), durationSeconds: 1 };
  return { state, generation: making, published, error };
}

describe("the state of a generation", () => {
  const table: [string, AssetPointer, Record<string, GenerationState>][] = [
    ["the first is being made", pointer("encoding", "b", null), { b: "making", a: "superseded" }],
    ["the first is shown", pointer("ready", "b", "b"), { b: "published", a: "superseded" }],
    ["the next is not planned yet", pointer("probing", null, "b"), { b: "published", a: "superseded" }],
    ["the next is being made", pointer("encoding", "a", "b"), { b: "published", a: "making" }],
    [
      "a draft, whose preview is looked at, was planned anew",
      { ...pointer("encoding", "b", null), draftGeneration: "a" },
      { b: "making", a: "making" },
    ],
    [
      "that one is shown",
      { ...pointer("ready", "b", "b"), draftGeneration: "a" },
      { b: "published", a: "superseded" },
    ],
    ["the next failed", pointer("failed", "a", "b"), { b: "published", a: "failed" }],
    ["the next was cancelled", pointer("cancelled", "a", "b"), { b: "published", a: "failed" }],
    ["what is shown is made again", pointer("encoding", "b", "b"), { b: "published", a: "superseded" }],
    ["gone back", pointer("ready", "a", "a"), { b: "superseded", a: "published" }],
    ["deleted", pointer("deleted", "b", null), { b: "superseded", a: "superseded" }],
  ];
  for (const [what, asset, wanted] of table) {
    test(what, () => {
      for (const [generation, state] of Object.entries(wanted)) {
        for (const recorded of ["making", "published", "superseded", "failed"] as const)
          assert.equal(
            stateOf(standing(generation, recorded), asset),
            state,
            `${generation} was ${recorded}`,
          );
        // Whatever the asset says: what is going is going.
        assert.equal(stateOf(standing(generation, "collecting"), asset), "collecting");
        assert.equal(stateOf(standing(generation, "collected"), asset), "collected");
      }
    });
  }

  test("only what is whole and not going can be shown again", () => {
    const states = ["making", "published", "superseded", "failed", "collecting", "collected"] as const;
    assert.deepEqual(
      states.map((state) => canBePublished(standing("a", state))),
      [true, true, true, true, false, false],
    );
    assert.equal(canBePublished(standing("a", "superseded", { madeAt: null })), false);
  });
});

describe("what may be collected", () => {
  const old = (name: string, hours: number, more: Partial<GenerationStanding> = {}) =>
    standing(name, "superseded", { supersededAt: hoursAgo(hours), ...more });
  const collectable = (all: GenerationStanding[], asset: AssetPointer, policy = POLICY): string[] => {
    const settled = settle(all, asset, policy, NOW);
    return all
      .map((one) => ({ ...one, ...settled.get(one.generation) }))
      .filter((one) => mayCollect(one, asset, NOW))
      .map(({ generation }) => generation);
  };
  const shown = standing("now", "published");
  const ready = pointer("ready", "now", "now");

  const table: [string, GenerationStanding[], AssetPointer, string[], number?][] = [
    ["nothing that is shown", [shown], ready, []],
    ["nothing that is being made", [shown, standing("b", "making")], pointer("encoding", "b", "now"), []],
    [
      "nothing that a retry goes on with",
      [shown, standing("b", "failed")],
      pointer("failed", "b", "now"),
      [],
    ],
    ["none of the last three", [shown, old("a", 500), old("b", 400), old("c", 300)], ready, []],
    ["the fourth", [shown, old("a", 500), old("b", 400), old("c", 300), old("d", 200)], ready, ["a"]],
    [
      "by when they were superseded, not made",
      [shown, old("d", 9), old("a", 500), old("c", 300), old("b", 400)],
      ready,
      ["a"],
    ],
    [
      "not while a grant may live",
      [shown, old("a", 24), old("b", 23), old("c", 22), old("d", 21)],
      ready,
      [],
    ],
    ["all, where none is kept", [shown, old("a", 500), old("b", 24)], ready, ["a"], 0],
    [
      "what was never whole, and keeps no place",
      [shown, old("x", 26, { madeAt: null }), old("a", 500), old("b", 400), old("c", 300)],
      ready,
      ["x"],
    ],
    ["not what was never whole too soon", [shown, old("x", 24, { madeAt: null })], ready, []],
    ["not what was just seen to be superseded", [standing("a", "published"), shown], ready, [], 0],
    [
      "all of a deleted asset, at once",
      [standing("now", "published"), old("a", 1)],
      pointer("deleted", "now", null),
      ["now", "a"],
    ],
    ["what was begun", [shown, standing("a", "collecting")], ready, ["a"]],
    ["not what is gone", [shown, standing("a", "collected")], ready, []],
  ];
  for (const [what, all, asset, wanted, keepForRollback = 3] of table) {
    test(what, () => assert.deepEqual(collectable(all, asset, { ...POLICY, keepForRollback }), wanted));
  }

  test("not what came back since it was due", () => {
    const due = old("a", 500, { collectAt: hoursAgo(1) });
    assert.ok(mayCollect(due, ready, NOW));
    assert.ok(!mayCollect(due, pointer("ready", "a", "a"), NOW));
    assert.ok(!mayCollect(due, pointer("encoding", "a", "now"), NOW));
  });

  test("never what is shown or made, whatever the records say", () => {
    const anyState = fc.constantFrom<GenerationState>("making", "published", "superseded", "failed");
    const anyRecord = fc.record({
      state: anyState,
      hours: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: null }),
      whole: fc.boolean(),
    });
    const names = ["a", "b", "c", "d", "e"];
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 5, maxLength: 5 }),
        fc.constantFrom<AssetState>("queued", "probing", "encoding", "ready", "failed", "cancelled"),
        fc.constantFrom(...names),
        fc.constantFrom(...names),
        fc.integer({ min: 0, max: 3 }),
        (records, state, making, published, keepForRollback) => {
          const all = records.map((one, index) =>
            standing(names[index] ?? "", one.state, {
              supersededAt: one.hours === null ? null : hoursAgo(one.hours),
              madeAt: one.whole ? hoursAgo(1_000) : null,
            }),
          );
          const asset = pointer(state, making, published);
          const policy = { ...POLICY, keepForRollback };
          const gone = collectable(all, asset, policy);
          assert.ok(!gone.includes(making) && !gone.includes(published));
          const settled = settle(all, asset, policy, NOW);
          const once = all.map((one) => ({ ...one, ...settled.get(one.generation) }));
          assert.deepEqual(settle(once, asset, policy, NOW), settled, "twice changes nothing");
        },
      ),
    );
  });
});

describe("the generation that one takes the place of", () => {
  const shown = (generation: string, follows?: string | null) => ({
    published: {
      generation,
      at: hoursAgo(1),
      durationSeconds: 1,
      ...(follows === undefined ? {} : { follows }),
    },
  });
  const table: [string, Parameters<typeof followedBy>[0], string | null][] = [
    ["nothing was shown", { published: null }, null],
    ["another is shown, whatever came before it", shown("a", "b"), "a"],
    ["it is shown itself", shown("c", "a"), "a"],
    ["it is shown itself, as the first", shown("c"), null],
  ];
  for (const [what, asset, wanted] of table) test(what, () => assert.equal(followedBy(asset, "c"), wanted));

  test("is on its record from when it was first shown, and stays", () => {
    const { published, ...rest } = pointer("ready", "c", "c");
    assert.ok(published);
    const asset = { ...rest, published: { ...published, follows: "a" } };
    const first = standing("c", "making", { publishedAt: null });
    const again = standing("c", "superseded", { follows: "b" });
    const follows = (one: GenerationStanding) => settle([one], asset, POLICY, NOW).get("c")?.follows;
    assert.deepEqual([first, again].map(follows), ["a", "b"]);
  });
});

test("a file stays as long as the asset, or a generation that may come back, was made from it", () => {
  const file = (key: string) => ({ key, etag: "e", sizeBytes: 1, sha256: null });
  const generation = (state: GenerationState, key: string) => ({ state, pinned: file(key), sidecars: [] });
  const asset = {
    state: "ready" as AssetState,
    pinned: file("now"),
    sidecars: [],
    retiredSources: ["now", "kept", "going", "gone", "never"],
  };
  const generations = [
    generation("superseded", "kept"),
    generation("collecting", "going"),
    generation("collected", "gone"),
  ];
  assert.deepEqual(unusedSources(asset, generations), ["gone", "never"]);
  assert.deepEqual(unusedSources({ ...asset, state: "deleted" }, []), asset.retiredSources);
});
