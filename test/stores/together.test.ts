import assert from "node:assert/strict";
import { test } from "node:test";
import { inOneTurn, together } from "../../stores/together.ts";

/** A store whose calls end when the test says so. */
function held(share = together) {
  const calls: { keys: readonly number[]; end: (thrown?: Error) => void }[] = [];
  let heard: () => void = () => undefined;
  const ask = share<number, number>(
    (keys) =>
      new Promise((resolve, reject) => {
        calls.push({
          keys,
          end: (thrown) => (thrown ? reject(thrown) : resolve(keys.map((key) => key * 10))),
        });
        heard();
      }),
  );
  const next = () =>
    new Promise<void>((resolve) => {
      heard = resolve;
    });
  return { calls, ask, next };
}

test("what is asked in one turn goes together, what comes meanwhile with the next, each gets its own", async () => {
  const { calls, ask, next } = held();
  let begun = next();
  const first = [ask(1), ask(2)];
  await begun;
  const second = [ask(3), ask(1)];
  assert.deepEqual(
    calls.map(({ keys }) => keys),
    [[1, 2]],
  );
  begun = next();
  calls[0]!.end();
  assert.deepEqual(await Promise.all(first), [10, 20]);
  await begun;
  // Asked again although it was just answered: nothing is remembered.
  assert.deepEqual(calls[1]!.keys, [3, 1]);
  calls[1]!.end();
  assert.deepEqual(await Promise.all(second), [30, 10]);
});

test("a failure is heard by all who were in that call, and by nobody else", async () => {
  const { calls, ask, next } = held();
  let begun = next();
  const first = Promise.allSettled([ask(1), ask(2)]);
  await begun;
  const second = ask(3);
  begun = next();
  calls[0]!.end(new Error("away"));
  assert.deepEqual(
    (await first).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  await begun;
  calls[1]!.end();
  assert.equal(await second, 30);
});

test("in one turn: who comes while a call is under way does not wait for it", async () => {
  const { calls, ask, next } = held(inOneTurn);
  let begun = next();
  const first = Promise.allSettled([ask(1), ask(2)]);
  await begun;
  begun = next();
  const second = [ask(3), ask(4)];
  await begun;
  assert.deepEqual(
    calls.map(({ keys }) => keys),
    [
      [1, 2],
      [3, 4],
    ],
  );
  calls[1]!.end();
  assert.deepEqual(await Promise.all(second), [30, 40]);
  calls[0]!.end(new Error("away"));
  assert.deepEqual(
    (await first).map(({ status }) => status),
    ["rejected", "rejected"],
  );
});
