/** A heap of values by when they are due. */
export interface Heap<T> {
  push(at: number, value: T): void;
  /** The smallest, and of equal ones the one that came first. */
  pop(): { at: number; value: T } | undefined;
  /** Lets go of all others. */
  keep(isKept: (at: number, value: T) => boolean): void;
}

/** An empty one. */
export function heapOf<T>(): Heap<T> {
  let items: { at: number; order: number; value: T }[] = [];
  let pushed = 0;
  const before = (a: number, b: number): boolean => {
    const [x, y] = [items[a]!, items[b]!];
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  };
  const swap = (a: number, b: number): void => {
    [items[a], items[b]] = [items[b]!, items[a]!];
  };
  return {
    push(at, value) {
      items.push({ at, order: pushed++, value });
      for (let child = items.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1;
        if (!before(child, parent)) break;
        swap(child, parent);
        child = parent;
      }
    },
    keep(isKept) {
      items = items.filter(({ at, value }) => isKept(at, value));
      // In order is a heap, too.
      items.sort((a, b) => a.at - b.at || a.order - b.order);
    },
    pop() {
      if (items.length === 0) return undefined;
      swap(0, items.length - 1);
      const least = items.pop();
      for (let parent = 0; ; ) {
        let smallest = parent;
        for (const child of [2 * parent + 1, 2 * parent + 2])
          if (child < items.length && before(child, smallest)) smallest = child;
        if (smallest === parent) return least;
        swap(parent, smallest);
        parent = smallest;
      }
    },
  };
}
