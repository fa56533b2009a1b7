import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { APART_MS, inOneTurn, together } from "../../stores/together.ts";

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

/** Asks once, has it answered, and resolves then; answers when the call began at the soonest. */
async function answeredOnce({ calls, ask, next }: ReturnType<typeof held>): Promise<number> {
  const begun = next();
  const askedAtMs = performance.now();
  const first = ask(0);
  await begun;
  calls[0]!.end();
  await first;
  return askedAtMs;
}

test("who comes a moment after a call began waits for others, though it has ended", async () => {
  for (;;) {
    const one = held();
    const atMs = await answeredOnce(one);
    const begun = one.next();
    const others = [one.ask(1)];
    await turn();
    await turn();
    others.push(one.ask(2));
    await turn();
    // On a machine that stood still meanwhile the moment is over.
    const isInTime = performance.now() - atMs < APART_MS;
    await begun;
    one.calls.slice(1).forEach(({ end }) => void end());
    if (!isInTime) continue;
    assert.deepEqual(
      one.calls.map(({ keys }) => keys),
      [[0], [1, 2]],
    );
    assert.deepEqual(await Promise.all(others), [10, 20]);
    return;
  }
});

test("who comes later than that waits for nobody", async () => {
  const one = held();
  await answeredOnce(one);
  // After the call began, so that its moment is over whatever this took.
  const until = performance.now() + APART_MS;
  while (performance.now() < until) await turn();
  const late = one.ask(1);
  // One turn to gather those who came with it, one for the call.
  await turn();
  await turn();
  assert.deepEqual(
    one.calls.map(({ keys }) => keys),
    [[0], [1]],
  );
  one.calls[1]!.end();
  assert.equal(await late, 10);
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
