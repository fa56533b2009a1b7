/** An exact fraction of whole numbers, `den` > 0, always in lowest terms. */
export interface Rational {
  num: number;
  den: number;
}

function greatestCommonDivisor(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** The fraction num/den in lowest terms. Throws RangeError on a zero or unsafe part. */
export function rational(num: number, den: number): Rational {
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den) || den === 0) {
    throw new RangeError(`not a fraction: ${num}/${den}`);
  }
  const divisor = greatestCommonDivisor(num, den) || 1;
  const sign = den < 0 ? -1 : 1;
  return { num: (sign * num) / divisor, den: (sign * den) / divisor };
}

/** Parses ffprobe's `30000/1001` or `64:45`; null where it is absent, zero or not a number. */
export function parseRational(text: string | undefined): Rational | null {
  const match = /^(\d+)[/:](\d+)$/.exec(text ?? "");
  if (match === null) return null;
  const num = Number(match[1]);
  const den = Number(match[2]);
  if (num === 0 || den === 0 || !Number.isSafeInteger(num) || !Number.isSafeInteger(den)) return null;
  return rational(num, den);
}

export function toNumber(fraction: Rational): number {
  return fraction.num / fraction.den;
}

/**
 * Text of `ticks / timescale` seconds with `digits` decimals, rounded half up, computed in whole numbers
 * so that no sum of durations drifts by a floating-point error.
 */
export function secondsText(ticks: number, timescale: number, digits: number): string {
  const scale = 10n ** BigInt(digits);
  const scaled = (BigInt(ticks) * scale * 2n + BigInt(timescale)) / (2n * BigInt(timescale));
  const whole = scaled / scale;
  const fraction = (scaled % scale).toString().padStart(digits, "0");
  return digits === 0 ? `${whole}` : `${whole}.${fraction}`;
}
