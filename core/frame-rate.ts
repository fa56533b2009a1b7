import { type Rational, rational, toNumber } from "./rational.ts";

/** The rates that displays and Apple's authoring rule 1.18 know. */
const STANDARD_RATES: readonly Rational[] = [
  rational(24_000, 1001),
  rational(24, 1),
  rational(25, 1),
  rational(30_000, 1001),
  rational(30, 1),
  rational(50, 1),
  rational(60_000, 1001),
  rational(60, 1),
];
/** Apple HLS authoring 1.19. */
export const LARGEST_FRAME_RATE = 60;
/** 23.976 and 24 are a thousandth apart; a rate is taken for a standard one only when far closer than that. */
const SNAP_TOLERANCE = 0.0002;
/** Over less than this, times rounded to milliseconds (Matroska) cannot tell 23.976 from 24: the file's own word counts first. */
const TELLING_SECONDS = 10;
/** A retimed source may be a little off any rate: the nearest standard one within this is meant. */
const LOOSE_TOLERANCE = 0.02;
/** A stated rate beyond this multiple of the measured one is the container's tick, not the camera's. */
const MOST_LEFT_OUT = 2;
/** Of a frame: what rounding to milliseconds moves a frame at 60 per second by. */
const GRID_TOLERANCE = 0.1;
/**
 * Times that a reader made up stand up to two frames off where groups of pictures are uneven (14 of 531 frames of a programme
 * stream): so few of them, so far, and none at the end, are no other rhythm.
 */
const GUESSES = { mostOff: 0.1, furthestOffFrames: 3 };
/** Slower than this the pictures are slides: they are repeated, so that segments keep their length (Apple 7.5). */
const SLOWEST_FRAME_RATE = 1;

export interface FrameTiming {
  frameRate: Rational;
  frameCount: number;
  /** Frames do not stand where the rate puts them and must be re-timed. */
  variable: boolean;
}

/**
 * The timeline's rate and length for frames shown at `timesSeconds` (ascending, ≥ 1 of them). A constant rate
 * is one whose every place is within half a frame of its frame (`isGuessed`: but for the few that a reader's guess puts elsewhere);
 * above 60 per second it is halved until it fits.
 */
export function frameTiming(
  timesSeconds: ArrayLike<number>,
  lastDurationSeconds: number,
  declared: readonly (Rational | null)[],
  isGuessed = false,
): FrameTiming {
  const first = timesSeconds[0]!;
  const span = timesSeconds[timesSeconds.length - 1]! - first;
  const measured = span > 0 ? (timesSeconds.length - 1) / span : 1 / (lastDurationSeconds || 1 / 25);
  const stated = declared.filter((rate): rate is Rational => rate !== null);
  const fromTimes = snap(measured, SNAP_TOLERANCE);
  const fromFile = stated.map((rate) => snap(toNumber(rate), SNAP_TOLERANCE) ?? tamed(rate));
  const candidates = span < TELLING_SECONDS ? [...fromFile, fromTimes] : [fromTimes, ...fromFile];
  const constant = candidates.find(
    (rate) =>
      rate !== null && toNumber(rate) >= SLOWEST_FRAME_RATE && isConstant(timesSeconds, rate, isGuessed),
  );
  if (constant) return halve(constant, timesSeconds.length);
  const wanted = Math.min(LARGEST_FRAME_RATE, measured);
  const withGaps = fromFile.find((rate) => hasGapsOnly(timesSeconds, rate, measured));
  const frameRate = withGaps ?? snap(wanted, LOOSE_TOLERANCE) ?? nearestStandard(wanted);
  // Where the file does not say how long the last frame stands, as long as the others do.
  const shownSeconds = span + (lastDurationSeconds || 1 / measured);
  const frameCount = Math.max(1, Math.round(shownSeconds * toNumber(frameRate)));
  return { frameRate, frameCount, variable: true };
}

/** The rate of frames that stand for so long each, as a file rounds it to nanoseconds. */
export function statedRate(frameNanoseconds: number): Rational {
  const rate = rational(1_000_000_000, frameNanoseconds);
  return snap(toNumber(rate), SNAP_TOLERANCE) ?? tamed(rate);
}

/** Numerators of which a timeline makes a timescale (core/timeline.ts) of ticks no shorter than a microsecond. */
function isTame(num: number): boolean {
  return num <= 1_000 || (num >= 10_000 && num <= 1_000_000);
}

/**
 * An average over a whole file may be any fraction, 118027272/4918159 as well: ffmpeg places a chunk by whole
 * microseconds, which names no tick of such a timescale. The nearest fraction with tame parts (a convergent of its
 * continued fraction) is a billionth off; whether the frames stand on it is seen by their times.
 */
function tamed(rate: Rational): Rational {
  if (isTame(rate.num)) return rate;
  let best = rate;
  let [num, den] = [rate.num, rate.den];
  let [before, last] = [
    { num: 0, den: 1 },
    { num: 1, den: 0 },
  ];
  while (den !== 0) {
    const whole = Math.floor(num / den);
    [num, den] = [den, num - whole * den];
    [before, last] = [last, { num: whole * last.num + before.num, den: whole * last.den + before.den }];
    if (last.num > 0 && isTame(last.num)) best = rational(last.num, last.den);
  }
  return best;
}

function halve(rate: Rational, frames: number): FrameTiming {
  let frameRate = rate;
  let frameCount = frames;
  while (toNumber(frameRate) > LARGEST_FRAME_RATE) {
    frameRate = rational(frameRate.num, frameRate.den * 2);
    frameCount = Math.ceil(frameCount / 2);
  }
  return { frameRate, frameCount, variable: frameCount !== frames };
}

function isConstant(times: ArrayLike<number>, rate: Rational, isGuessed: boolean): boolean {
  const frame = rate.den / rate.num;
  const first = times[0]!;
  let off = 0;
  let lastOff = 0;
  for (let at = 0; at < times.length; at++) {
    lastOff = Math.abs(times[at]! - first - at * frame) / frame;
    if (lastOff < 0.5) continue;
    if (!isGuessed || lastOff > GUESSES.furthestOffFrames) return false;
    off += 1;
  }
  return off <= GUESSES.mostOff * times.length && lastOff < 0.5;
}

/** Captures leave frames out where nothing moved or the disk was slow: what is there still stands on the stated rate's grid. */
function hasGapsOnly(times: ArrayLike<number>, rate: Rational, measured: number): boolean {
  const stated = toNumber(rate);
  if (stated > LARGEST_FRAME_RATE || stated < measured || stated > measured * MOST_LEFT_OUT) return false;
  const first = times[0]!;
  for (let at = 0; at < times.length; at++) {
    const place = (times[at]! - first) * stated;
    if (Math.abs(place - Math.round(place)) >= GRID_TOLERANCE) return false;
  }
  return true;
}

function snap(rate: number, tolerance: number): Rational | null {
  const nearest = nearestStandard(rate);
  return Math.abs(rate - toNumber(nearest)) / toNumber(nearest) <= tolerance ? nearest : null;
}

function nearestStandard(rate: number): Rational {
  return STANDARD_RATES.reduce((best, one) =>
    Math.abs(toNumber(one) - rate) < Math.abs(toNumber(best) - rate) ? one : best,
  );
}
