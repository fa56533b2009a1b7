import { setTimeout as pause } from "node:timers/promises";
import { processLives, signalGroup } from "./process-id.ts";
import type { Report } from "./report.ts";
import type { StateFile } from "./state.ts";

const STOP_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Stops what a killed start left running; a process that only has the same number is not touched. */
export async function stopLeftovers(state: StateFile, report: Report): Promise<void> {
  const left = state.read().children.filter(processLives);
  for (const child of left)
    report.note(child.part, `left over from a killed start (${child.pid}); stopping it`);
  for (const child of left) signalGroup(child.pid, "SIGTERM");
  const deadline = performance.now() + STOP_MS;
  while (left.some(processLives) && performance.now() < deadline) await pause(LOOK_EVERY_MS);
  for (const child of left) {
    if (processLives(child)) signalGroup(child.pid, "SIGKILL");
  }
  while (left.some(processLives)) await pause(LOOK_EVERY_MS);
  state.update((current) => {
    current.children = [];
  });
}
