import { type Damage, joined } from "./damage.ts";
import { PARTS_OF, type Part } from "./parts-of.ts";
import type { Random } from "./random.ts";

/** Damage by someone who knows the format: sizes, counts, durations, places and depths that cannot be right. */

/** What a reader may multiply with, count to, or reserve. */
const EXTREMES = [0n, 1n, 2n, 0x7fn, 0xffn, 0xffffn, 0x7fff_ffffn, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn];
/** Larger parts are pictures and sound, whose insides are the blind damage's field. */
const DESCRIPTIVE_BYTES = 4096;
/** How much of a packet or element may hold fields. */
const FIELD_BYTES = 64;

export function surgeryOn(container: string): Readonly<Record<string, Damage>> {
  const on =
    (operate: (bytes: Uint8Array, part: Part, random: Random, parts: Part[]) => Uint8Array): Damage =>
    (bytes, random) => {
      const parts = PARTS_OF[container]!(bytes);
      const descriptive = parts.filter((part) => part.end - part.start <= DESCRIPTIVE_BYTES);
      return operate(bytes, random.pick(descriptive.length > 0 ? descriptive : parts), random, parts);
    };
  return {
    fields: on(changeFields),
    sizes: on(changeSize),
    cut: on((bytes, part, random) => replaced(bytes, part, new Uint8Array(0), random)),
    copied: on((bytes, part, random) => {
      const copies = 1 + random.below(random.pick([2, 20, 200]));
      const one = bytes.subarray(part.start, part.end);
      return replaced(bytes, part, joined(...Array.from({ length: copies + 1 }, () => one)), random);
    }),
    nested: on((bytes, part, random) => {
      const depth = 1 + random.below(2_000);
      const header = bytes.subarray(part.start, part.body);
      const tower = [...Array.from({ length: depth }, () => header), bytes.subarray(part.start, part.end)];
      return replaced(bytes, part, joined(...tower), random);
    }),
    swapped: on((bytes, part, random, parts) => {
      const other = random.pick(parts);
      const [a, b] = part.start < other.start ? [part, other] : [other, part];
      if (a.end > b.start) return bytes.slice().reverse();
      return joined(
        bytes.subarray(0, a.start),
        bytes.subarray(b.start, b.end),
        bytes.subarray(a.end, b.start),
        bytes.subarray(a.start, a.end),
        bytes.subarray(b.end),
      );
    }),
  };
}

/** One to four numbers within a part become extreme or arbitrary. */
function changeFields(bytes: Uint8Array, part: Part, random: Random): Uint8Array {
  const out = bytes.slice();
  const room = Math.min(part.end - part.body, FIELD_BYTES);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const width = random.pick([1, 2, 4, 8].filter((candidate) => candidate <= Math.max(1, room)));
    const at = part.body + random.below(Math.max(1, room - width + 1));
    write(out, Math.min(at, out.length - width), width, someNumber(random));
  }
  return out;
}

function changeSize(bytes: Uint8Array, part: Part, random: Random): Uint8Array {
  if (part.size === null) return changeFields(bytes, part, random);
  const out = bytes.slice();
  const { offset, bytes: width, littleEndian } = part.size;
  const near = BigInt(part.end - part.start + random.below(17) - 8);
  write(out, offset, width, random.below(2) === 0 ? near : someNumber(random), littleEndian);
  return out;
}

/** The file with another part in its place; in half of the cases the sizes around it are made to fit. */
function replaced(bytes: Uint8Array, part: Part, by: Uint8Array, random: Random): Uint8Array {
  const out = joined(bytes.subarray(0, part.start), by, bytes.subarray(part.end));
  if (random.below(2) === 0) return out;
  const grown = by.length - (part.end - part.start);
  for (const { size } of part.parents) {
    if (size === null || size.bytes !== 4) continue;
    const view = new DataView(out.buffer, out.byteOffset, out.length);
    view.setUint32(size.offset, view.getUint32(size.offset, size.littleEndian) + grown, size.littleEndian);
  }
  return out;
}

function someNumber(random: Random): bigint {
  return random.below(2) === 0 ? random.pick(EXTREMES) : BigInt(random.below(2 ** 32));
}

function write(bytes: Uint8Array, at: number, width: number, value: bigint, littleEndian = false): void {
  for (let index = 0; index < width; index++) {
    const shift = BigInt(8 * (littleEndian ? index : width - 1 - index));
    bytes[at + index] = Number((value >> shift) & 0xffn);
  }
}
