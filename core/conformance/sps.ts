/** The few fields of an H.264 sequence parameter set (ITU-T H.264 7.3.2.1.1) that rules ask about. */
export interface SpsFacts {
  referenceFrames: number;
  /** false: fields or field pairs may be coded. */
  frameMbsOnly: boolean;
}

/** Profiles whose parameter set carries a chroma format. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128]);

/** Reads a NAL unit, header byte included. */
export function readSps(nal: Uint8Array): SpsFacts {
  const bits = openBits(withoutEmulation(nal.subarray(1)));
  const profile = bits.fixed(8);
  bits.fixed(16);
  bits.unsigned();
  if (HIGH_PROFILES.has(profile)) skipChroma(bits);
  bits.unsigned();
  const orderType = bits.unsigned();
  if (orderType === 0) bits.unsigned();
  else if (orderType === 1) {
    bits.fixed(1);
    bits.unsigned();
    bits.unsigned();
    for (let left = bits.unsigned(); left > 0; left--) bits.unsigned();
  }
  const referenceFrames = bits.unsigned();
  bits.fixed(1);
  bits.unsigned();
  bits.unsigned();
  return { referenceFrames, frameMbsOnly: bits.fixed(1) === 1 };
}

function skipChroma(bits: Bits): void {
  const format = bits.unsigned();
  if (format === 3) bits.fixed(1);
  bits.unsigned();
  bits.unsigned();
  bits.fixed(1);
  if (bits.fixed(1) === 0) return;
  for (let list = 0; list < (format === 3 ? 12 : 8); list++) {
    if (bits.fixed(1) === 1) skipScalingList(bits, list < 6 ? 16 : 64);
  }
}

/** 7.3.2.1.1.1. */
function skipScalingList(bits: Bits, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size; index++) {
    if (next !== 0) {
      const code = bits.unsigned();
      const delta = code % 2 === 1 ? (code + 1) / 2 : -code / 2;
      next = (last + delta + 256) % 256;
    }
    if (next !== 0) last = next;
  }
}

interface Bits {
  fixed(count: number): number;
  /** ue(v), 9.1. */
  unsigned(): number;
}

function openBits(bytes: Uint8Array): Bits {
  let at = 0;
  const fixed = (count: number): number => {
    let value = 0;
    for (let left = count; left > 0; left--, at++)
      value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  const unsigned = (): number => {
    let zeros = 0;
    while (zeros < 32 && fixed(1) === 0) zeros++;
    return 2 ** zeros - 1 + fixed(zeros);
  };
  return { fixed, unsigned };
}

/** 7.4.1: 0x03 after two zero bytes is not part of the payload. */
function withoutEmulation(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, at) => !(byte === 3 && at >= 2 && bytes[at - 1] === 0 && bytes[at - 2] === 0));
}
