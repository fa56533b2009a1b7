/** What one call takes at most: a command of this many ids or small documents is still a few milliseconds. */
const MOST_IN_ONE = 500;

interface Waiting<Key, Value> {
  key: Key;
  resolve: (value: Value) => void;
  reject: (reason: unknown) => void;
}

/**
 * One call for all who ask at once: what is asked in one turn of the event loop goes together, and what comes while a
 * call is under way goes with the next. Nothing is remembered: each answer was asked for after its question came, so
 * that it is as true as one got alone. `call` answers key by key; where it throws, all who were in it hear that.
 */
export function together<Key, Value>(
  call: (keys: readonly Key[]) => Promise<readonly Value[]>,
): (key: Key) => Promise<Value> {
  const waiting: Waiting<Key, Value>[] = [];
  let isUnderWay = false;
  const go = async (): Promise<void> => {
    for (let next = waiting.splice(0, MOST_IN_ONE); next.length > 0; next = waiting.splice(0, MOST_IN_ONE)) {
      await answer(next);
    }
    isUnderWay = false;
  };
  const answer = async (asked: readonly Waiting<Key, Value>[]): Promise<void> => {
    try {
      const values = await call(asked.map(({ key }) => key));
      if (values.length !== asked.length) throw new RangeError("not one answer for each that asked");
      asked.forEach(({ resolve }, index) => {
        resolve(values[index] as Value);
      });
    } catch (thrown) {
      for (const { reject } of asked) reject(thrown);
    }
  };
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (isUnderWay) return;
      isUnderWay = true;
      // At the end of this turn: all requests whose bytes came together are in it.
      setImmediate(go);
    });
}
