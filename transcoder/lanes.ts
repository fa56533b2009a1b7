/** Does `work` for each of them, so many at once at most. Rejects as soon as one does. */
export async function inLanes<T>(
  loads: readonly T[],
  lanes: number,
  work: (load: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let load = loads[next++]; load !== undefined; load = loads[next++]) await work(load);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
