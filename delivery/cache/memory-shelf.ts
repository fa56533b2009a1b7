import type { ObjectFacts } from "../../core/delivery-rules.ts";

/** An object whose bytes lie in memory, shared by all who are being sent them. */
export interface HotObject {
  facts: ObjectFacts;
  bytes: Buffer;
}

interface Kept extends HotObject {
  readers: number;
}

/** The objects asked for most, in memory. What is kept and what is still being sent never exceed the limit together. */
export interface MemoryShelf {
  /** The object, held until `release`; null where it is not here. */
  take(key: string): HotObject | null;
  release(key: string): void;
  /** Whether so much could be kept, after forgetting what nobody reads. */
  hasRoomFor(sizeBytes: number): boolean;
  keep(key: string, object: HotObject): void;
  forget(isGone: (key: string) => boolean): void;
  bytes(): number;
}

export function openMemoryShelf(limitBytes: number): MemoryShelf {
  // In the order of use, the latest last.
  const kept = new Map<string, Kept>();
  let total = 0;
  const drop = (key: string, object: Kept): void => {
    kept.delete(key);
    total -= object.bytes.byteLength;
  };
  const makeRoom = (sizeBytes: number): boolean => {
    for (const [key, object] of kept) {
      if (total + sizeBytes <= limitBytes) break;
      // Forgetting what is being sent frees nothing yet.
      if (object.readers === 0) drop(key, object);
    }
    return total + sizeBytes <= limitBytes;
  };
  return {
    take(key) {
      const object = kept.get(key);
      if (object === undefined) return null;
      kept.delete(key);
      kept.set(key, object);
      object.readers += 1;
      return object;
    },
    release(key) {
      const object = kept.get(key);
      if (object !== undefined) object.readers -= 1;
    },
    hasRoomFor: makeRoom,
    keep(key, object) {
      if (!kept.has(key) && makeRoom(object.bytes.byteLength)) {
        kept.set(key, { ...object, readers: 0 });
        total += object.bytes.byteLength;
      }
    },
    forget(isGone) {
      for (const [key, object] of kept) if (isGone(key) && object.readers === 0) drop(key, object);
    },
    bytes: () => total,
  };
}
