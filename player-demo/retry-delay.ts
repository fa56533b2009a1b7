const FIRST_MS = 1_000;
const LONGEST_MS = 20_000;

/** How long to wait before the n-th try in a row, from 1 on: twice as long each time, up to 20 s. In ms. */
export function retryDelayMs(tries: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1));
}
