import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planOf } from "../../bench/simulated-plan.ts";
import {
  CHUNKS_PER_PART,
  chunksLookedAt,
  chunksOf,
  chunksSeenWith,
  completesPart,
  isWithin,
  partCount,
} from "../../core/film-parts.ts";
import { lookSpan, wholeFilm } from "../../core/look-parts.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskState } from "../../core/records/task.ts";
import { tasksOf } from "../../core/work.ts";
import { isOffered } from "../../core/work-order.ts";

test("a short film is looked at in one piece, a long one in parts that answer for every frame once", () => {
  const table: [seconds: number, parts: number][] = [
    [6, 1],
    [120, 1],
    [32 * 12, 1],
    [33 * 12, 3],
    [7200, 38],
  ];
  for (const [seconds, parts] of table) {
    const plan = planOf(seconds, 640, 360);
    assert.equal(partCount(plan.chunks.length), parts, `${seconds} s`);
    const whole = wholeFilm(plan);
    assert.deepEqual([whole.from, whole.first, whole.end], [0, 0, plan.timeline.frameCount]);
    let next = 0;
    for (let part = 0; parts > 1 && part < parts; part++) {
      const { firstSegment, from, first, end } = lookSpan(plan, part);
      assert.equal(first, next);
      assert.equal(from, part === 0 ? 0 : first - plan.timeline.framesPerSegment);
      assert.equal(firstSegment * plan.timeline.framesPerSegment, from);
      next = end;
    }
    if (parts > 1) assert.equal(next, plan.timeline.frameCount);
  }
});

test("a chunk that is done is asked for the parts that need it, and for no other", () => {
  const [last, of] = [2 * CHUNKS_PER_PART - 1, CHUNKS_PER_PART];
  const table: [chunk: number, open: number[], opens: boolean][] = [
    [of, [], true],
    [of, [0, of - 2, 2 * of], true],
    // Not to be looked at yet, but to be read back.
    [of, [of - 1], true],
    [of, [last], false],
    [of, [of - 1, last], false],
    [last, [of], true],
    [last, [2 * of], true],
    [last, [of, 2 * of], false],
  ];
  for (const [chunk, open, opens] of table)
    assert.equal(completesPart(chunk, open), opens, `${chunk} while ${open} are open`);
});

test("whatever the order in which chunks are done, the last one that a part waits for opens it", () => {
  const plan = planOf(40 * 12, 640, 360);
  const asset = {
    ...{ _id: "as", state: "encoding", plan, generation: "g" },
    ...{ revision: 1, pinned: null, published: null },
  } as unknown as AssetRecord;
  const specs = tasksOf(asset);
  // Three parts to be looked at, and three to be read back.
  const [kinds, parts] = [
    ["look", "verify"],
    [0, 1, 2, 3, 4, 5],
  ];
  const chunks = specs.filter(({ kind }) => kind === "video").map(({ chunk }) => chunk);
  fc.assert(
    fc.property(fc.shuffledSubarray(chunks, { minLength: chunks.length }), (order) => {
      const done = new Set<number>();
      const isOpen = (part: number): boolean => {
        const all = specs.map((spec) => {
          const isDone = spec.kind === "video" && done.has(spec.chunk);
          return { ...spec, state: (isDone ? "done" : "todo") as TaskState, leaseUntil: null };
        });
        const task = all.find(({ kind, chunk }) => kind === kinds[+(part > 2)] && chunk === part % 3)!;
        return isOffered(task, all, new Date(0));
      };
      for (const chunk of order) {
        const before = parts.map(isOpen);
        done.add(chunk);
        const after = parts.map(isOpen);
        const { first, end } = chunksSeenWith(chunk);
        const open = chunks.filter((other) => !done.has(other) && isWithin(other, { first, end }));
        if (after.some((isReady, part) => isReady && !before[part])) assert.ok(completesPart(chunk, open));
        for (const [part, isReady] of after.entries()) {
          const seen = part > 2 ? chunksOf(part % 3) : chunksLookedAt(part);
          const needed = chunks.filter((other) => isWithin(other, seen));
          assert.equal(
            isReady,
            needed.every((other) => done.has(other)),
          );
        }
      }
    }),
    { numRuns: 20 },
  );
});

test("the inspection waits for every part that is looked at, and the publication for that and all that is read back", () => {
  const plan = planOf(40 * 12, 640, 360);
  const asset = {
    ...{ _id: "as", state: "encoding", plan, generation: "g" },
    ...{ revision: 1, pinned: null, published: null },
  } as unknown as AssetRecord;
  const outlines = tasksOf(asset).map((spec) => ({ ...spec, state: "done" as TaskState, leaseUntil: null }));
  const [look, inspect, verify, publish] = ["look", "inspect", "verify", "publish"].map((kind) => {
    const task = outlines.find((one) => one.kind === kind)!;
    return { task, open: { ...task, state: "todo" as TaskState } };
  });
  const sound = outlines.find(({ kind, part }) => kind === "verify" && part !== plan.ladders[0]!.id)!;
  const encode = outlines.find(({ kind, part }) => kind === "audio" && part === sound.part)!;
  const readWhile = (state: TaskState): boolean =>
    isOffered({ ...sound, state: "todo" }, [{ ...encode, state }], new Date(0));
  assert.deepEqual([readWhile("claimed"), readWhile("done")], [false, true]);
  const whileOpen = (open: typeof look) => outlines.map((one) => (one === open!.task ? open!.open : one));
  assert.ok(isOffered(inspect!.open, whileOpen(inspect), new Date(0)));
  assert.ok(!isOffered(inspect!.open, whileOpen(look), new Date(0)));
  assert.ok(!isOffered(publish!.open, whileOpen(look), new Date(0)));
  assert.ok(isOffered(inspect!.open, whileOpen(verify), new Date(0)));
  assert.ok(!isOffered(publish!.open, whileOpen(verify), new Date(0)));
});
