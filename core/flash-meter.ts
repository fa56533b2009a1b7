import type { FrameSpan, TimeRange } from "./time-ranges.ts";

/**
 * Counts flashes as ITU-R BT.1702-3 and WCAG 2.3.1 define them: a flash is a pair of opposing changes of luminance by a
 * tenth of white or more, the darker image below 0.80 of it; more than three within a second over a quarter of the
 * picture may bring on a seizure. Measured on cells of the picture, since ffmpeg's `photosensitivity` sums up
 * differences of frames and takes a flash a second, which is harmless, for worse than ordinary motion by little.
 */

/** The picture as it is measured: one byte of limited-range luma for each cell, row by row. */
export const FLASH_COLUMNS = 16;
export const FLASH_ROWS = 9;
const CELLS = FLASH_COLUMNS * FLASH_ROWS;

const SMALLEST_CHANGE = 0.1;
const BRIGHTEST_DARK = 0.8;
/** Three flashes are six changes; the seventh begins a fourth. */
const CHANGES_TOO_MANY = 7;
const WINDOW_SECONDS = 1;
/** BT.1702-3: a quarter of the displayed picture. */
export const DANGEROUS_SHARE = 0.25;

/** Relative luminance of a byte of limited-range luma, by BT.1886's curve. */
const LUMINANCE = Float64Array.from(
  { length: 256 },
  (_, luma) => Math.min(1, Math.max(0, (luma - 16) / 219)) ** 2.4,
);

/**
 * What a cell did longer before its segment than this is not asked for: so each segment can be counted by itself, wherever
 * a film is cut.
 */
const KNOWN_SECONDS = 2;

/** Frames, or the time of them, and the largest share of the picture that flashed too often within one second, 0.25..1. */
export type FlashingFrames = FrameSpan & { share: number };
export type Flashing = TimeRange & { share: number };

/** One cell since it is watched: how bright and how dark it was since it last turned, which way that was, and when it changed. */
interface Cell {
  brightest: number;
  darkest: number;
  /** 0: it has not turned yet. */
  direction: number;
  changes: number[];
}

/**
 * Takes frames of `CELLS` bytes, in order, the first one being frame `from` of the film, where a segment begins; tells where
 * they flash dangerously, from the segment of frame `first` on. Each segment is counted by a meter of its own that has watched for
 * two seconds before.
 */
export function flashMeter(
  { frameRate, framesPerSegment }: { frameRate: number; framesPerSegment: number },
  from = 0,
  first = from,
): { add(frame: Uint8Array): void; spans(): FlashingFrames[] } {
  const windowFrames = Math.round(frameRate * WINDOW_SECONDS);
  const knownFrames = Math.min(framesPerSegment, Math.ceil(frameRate * KNOWN_SECONDS));
  const dangerous: FlashingFrames[] = [];
  let cells = cellsUnwatched();
  let next = cellsUnwatched();
  let at = from;
  return {
    add(frame) {
      const inSegment = at % framesPerSegment;
      if (inSegment === 0) [cells, next] = [next, cellsUnwatched()];
      if (inSegment >= framesPerSegment - knownFrames) watch(next, frame, at, windowFrames);
      watch(cells, frame, at, windowFrames);
      const found = at < first ? null : flashingOf(cells);
      if (found !== null) dangerous.push(found);
      at++;
    },
    spans: () => joinFlashing(dangerous),
  };
}

function cellsUnwatched(): Cell[] {
  return Array.from({ length: CELLS }, () => ({ brightest: 0, darkest: 1, direction: 0, changes: [] }));
}

function watch(cells: readonly Cell[], frame: Uint8Array, at: number, windowFrames: number): void {
  for (let index = 0; index < CELLS; index++) {
    const cell = cells[index]!;
    follow(cell, LUMINANCE[frame[index]!]!, at);
    while (cell.changes.length > 0 && cell.changes[0]! <= at - windowFrames) cell.changes.shift();
  }
}

/** A change counts when it turns the last one round; a further step the same way only moves what the next is measured from. */
function follow(cell: Cell, luminance: number, frame: number): void {
  const falls =
    cell.direction >= 0 && cell.brightest - luminance >= SMALLEST_CHANGE && luminance < BRIGHTEST_DARK;
  const rises =
    cell.direction <= 0 && luminance - cell.darkest >= SMALLEST_CHANGE && cell.darkest < BRIGHTEST_DARK;
  if (falls || rises) {
    cell.changes.push(frame);
    cell.brightest = luminance;
    cell.darkest = luminance;
    cell.direction = falls ? -1 : 1;
    return;
  }
  if (luminance > cell.brightest) cell.brightest = luminance;
  if (luminance < cell.darkest) cell.darkest = luminance;
}

/**
 * A frame is dangerous for the changes of the second before it: it stands for the time between the first and the last. Where
 * half of the cells agree: in the others ordinary motion came before and after. null: it is not.
 */
function flashingOf(cells: readonly Cell[]): FlashingFrames | null {
  const flashing = cells.filter(({ changes }) => changes.length >= CHANGES_TOO_MANY);
  const share = flashing.length / CELLS;
  if (share < DANGEROUS_SHARE) return null;
  const first = middle(flashing.map(({ changes }) => changes[0]!));
  const last = middle(flashing.map(({ changes }) => changes.at(-1)!));
  return { first, end: last + 1, share };
}

function middle(frames: readonly number[]): number {
  return [...frames].sort((a, b) => a - b)[frames.length >> 1]!;
}

/** Spans that touch made one, each with the largest share of those in it. Joining what was joined in parts comes to the same. */
export function joinFlashing(dangerous: readonly FlashingFrames[]): FlashingFrames[] {
  const joined: FlashingFrames[] = [];
  for (const span of dangerous.toSorted((a, b) => a.first - b.first)) {
    const last = joined.at(-1);
    if (last === undefined || span.first > last.end) joined.push({ ...span });
    else {
      last.end = Math.max(last.end, span.end);
      last.share = Math.max(last.share, span.share);
    }
  }
  return joined;
}
