/** Does `work` for each of them, so many at once at most. Rejects as soon as one does; no other is begun then. */
export async function inLanes<T>(
  loads: readonly T[],
  lanes: number,
  work: (load: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let load = loads[next++]; load !== undefined; load = loads[next++])
      await work(load).catch((thrown) => {
        next = loads.length;
        throw thrown;
      });
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
