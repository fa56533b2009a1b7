import type { Random } from "./random.ts";

/** Damage that knows nothing of the format: what disks, cables and broken uploads do to a file. */

/** Share of all bits that are turned round, from a speck to ruin (F26). */
const FLIP_RATIOS = [1e-5, 1e-4, 1e-3, 0.01, 0.05];

export type Damage = (bytes: Uint8Array, random: Random) => Uint8Array;

export const BLIND_DAMAGE: Readonly<Record<string, Damage>> = {
  flips: (bytes, random) => {
    const out = bytes.slice();
    const flips = Math.max(1, Math.round(bytes.length * 8 * random.pick(FLIP_RATIOS)));
    for (let flip = 0; flip < flips; flip++) out[random.below(out.length)]! ^= 1 << random.below(8);
    return out;
  },
  truncated: (bytes, random) => bytes.slice(0, 1 + random.below(bytes.length - 1)),
  /** A disk block that reads as zeros. */
  blanked: (bytes, random) => {
    const { from, to } = range(bytes, random);
    return bytes.slice().fill(0, from, to);
  },
  /** A block that is not there. */
  missing: (bytes, random) => {
    const { from, to } = range(bytes, random);
    return joined(bytes.subarray(0, from), bytes.subarray(to));
  },
  /** A block written twice, or over another one. */
  repeated: (bytes, random) => {
    const { from, to } = range(bytes, random);
    return joined(bytes.subarray(0, to), bytes.subarray(from));
  },
};

function range(bytes: Uint8Array, random: Random): { from: number; to: number } {
  const from = random.below(bytes.length);
  return { from, to: Math.min(bytes.length, from + 1 + random.below(random.pick([16, 512, 4096, 32_768]))) };
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
