import { setTimeout as pause } from "node:timers/promises";

/** What one call takes at most: a command of this many ids or small documents is still a few milliseconds. */
const MOST_IN_ONE = 500;

/**
 * From one call's beginning to the next one's, at least. Of some hundred questions a second each would else go alone, and a command
 * costs the same for one as for several; nobody who comes alone waits for it.
 */
export const APART_MS = 5;

/** Answers key by key; where it throws, all who were in it hear that. */
export type SharedCall<Key, Value> = (keys: readonly Key[]) => Promise<readonly Value[]>;

interface Waiting<Key, Value> {
  key: Key;
  resolve: (value: Value) => void;
  reject: (reason: unknown) => void;
}

/**
 * One call for all who ask at once: what is asked in one turn of the event loop goes together, and what comes while a
 * call is under way, or a moment after it began, goes with the next. Nothing is remembered: each answer was asked for after its question came, so
 * that it is as true as one got alone.
 */
export function together<Key, Value>(call: SharedCall<Key, Value>): (key: Key) => Promise<Value> {
  let isUnderWay = false;
  let beganAt = Number.NEGATIVE_INFINITY;
  return gathered(async (waiting) => {
    if (isUnderWay) return;
    isUnderWay = true;
    while (waiting.length > 0) {
      const earlyMs = beganAt + APART_MS - performance.now();
      if (earlyMs > 0) await pause(earlyMs);
      beganAt = performance.now();
      await answer(call, waiting.splice(0, MOST_IN_ONE));
    }
    isUnderWay = false;
  });
}

/** The same without waiting for the call that is under way: who asks never waits longer than for one call. */
export function inOneTurn<Key, Value>(call: SharedCall<Key, Value>): (key: Key) => Promise<Value> {
  return gathered(async (waiting) => {
    const calls: Promise<void>[] = [];
    while (waiting.length > 0) calls.push(answer(call, waiting.splice(0, MOST_IN_ONE)));
    await Promise.all(calls);
  });
}

/** Has `go` look at who waits at the end of each turn in which the first of them came: all whose bytes came with it are there. */
function gathered<Key, Value>(
  go: (waiting: Waiting<Key, Value>[]) => Promise<void>,
): (key: Key) => Promise<Value> {
  const waiting: Waiting<Key, Value>[] = [];
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (waiting.length === 1) setImmediate(go, waiting);
    });
}

async function answer<Key, Value>(
  call: SharedCall<Key, Value>,
  asked: readonly Waiting<Key, Value>[],
): Promise<void> {
  try {
    const values = await call(asked.map(({ key }) => key));
    if (values.length !== asked.length) throw new RangeError("not one answer for each that asked");
    asked.forEach(({ resolve }, index) => {
      resolve(values[index] as Value);
    });
  } catch (thrown) {
    for (const { reject } of asked) reject(thrown);
  }
}
