import { joinRanges, type TimeRange } from "./time-ranges.ts";

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

export interface Flashing extends TimeRange {
  /** Largest share of the picture that flashed too often within one second, 0.25..1. */
  share: number;
}

/** One cell: the luminance that it last turned at, the way it went since, and when it changed. */
interface Cell {
  extreme: number;
  direction: number;
  changes: number[];
}

/** Takes frames of `CELLS` bytes, in order, and tells where they flash dangerously. */
export function flashMeter(frameRate: number): { add(frame: Uint8Array): void; ranges(): Flashing[] } {
  const cells: Cell[] = [];
  const windowFrames = Math.round(frameRate * WINDOW_SECONDS);
  const dangerous: Flashing[] = [];
  let frames = 0;
  return {
    add(frame) {
      const flashing: Cell[] = [];
      for (let index = 0; index < CELLS; index++) {
        const luminance = LUMINANCE[frame[index]!]!;
        const cell = cells[index] ?? { extreme: luminance, direction: 0, changes: [] };
        cells[index] = cell;
        follow(cell, luminance, frames);
        while (cell.changes.length > 0 && cell.changes[0]! <= frames - windowFrames) cell.changes.shift();
        if (cell.changes.length >= CHANGES_TOO_MANY) flashing.push(cell);
      }
      frames++;
      const share = flashing.length / CELLS;
      if (share < DANGEROUS_SHARE) return;
      // Where half of the cells agree: in the others ordinary motion came before and after.
      const first = middle(flashing.map(({ changes }) => changes[0]!));
      const last = middle(flashing.map(({ changes }) => changes.at(-1)!));
      dangerous.push({ startSeconds: first / frameRate, endSeconds: (last + 1) / frameRate, share });
    },
    ranges: () => joinDangerous(dangerous),
  };
}

function middle(frames: readonly number[]): number {
  return [...frames].sort((a, b) => a - b)[frames.length >> 1]!;
}

/** A change counts when it turns the last one round; a further step the same way only moves the extreme. */
function follow(cell: Cell, luminance: number, frame: number): void {
  const change = luminance - cell.extreme;
  const isSameWay = cell.direction !== 0 && Math.sign(change) === cell.direction;
  if (isSameWay) cell.extreme = luminance;
  else if (Math.abs(change) >= SMALLEST_CHANGE && Math.min(luminance, cell.extreme) < BRIGHTEST_DARK) {
    cell.changes.push(frame);
    cell.extreme = luminance;
    cell.direction = Math.sign(change);
  }
}

/** A frame is dangerous for the changes of the second before it: it stands for the time between the first and the last. */
function joinDangerous(dangerous: readonly Flashing[]): Flashing[] {
  return joinRanges(dangerous).map((range) => {
    const within = dangerous.filter(({ startSeconds }) => {
      return startSeconds >= range.startSeconds && startSeconds <= range.endSeconds;
    });
    return { ...range, share: within.reduce((largest, { share }) => Math.max(largest, share), 0) };
  });
}
