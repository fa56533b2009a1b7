import { setTimeout as pause } from "node:timers/promises";

/** Often enough to catch a state. */
const ASK_EVERY_MS = 20;
/** Waits are so many times what asking took. */
const LEAST_SHARE = 10;

/**
 * Resolves when it is time to ask again what was asked at `askedAtMs` (`performance.now()`). Asking takes a tenth of the time at most, so that
 * a file that waits for twenty films at once, or reads a long table of processes, leaves the cores to the work that it waits for.
 */
export async function untilAskedAgain(askedAtMs: number): Promise<void> {
  await pause(Math.max(ASK_EVERY_MS, LEAST_SHARE * (performance.now() - askedAtMs)));
}
