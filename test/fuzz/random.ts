/** Chance that can be repeated: the same seed, the same numbers. */
export interface Random {
  /** 0 ≤ x < 1. */
  share(): number;
  /** 0 ≤ n < `limit`, whole. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
}

/** mulberry32: 32 bits of state are plenty to choose what to break. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const share = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(share() * limit);
  return { share, below, pick: (list) => list[below(list.length)]! };
}

/** One seed out of several parts, so that every variant has its own and none depends on those before it. */
export function seedOf(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  // FNV-1a.
  for (const character of parts.join("/")) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}
