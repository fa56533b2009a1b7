import { isStraggling } from "../../core/stragglers.ts";
import { seeded, seedOf } from "../../test/fuzz/random.ts";
import { type Attempt, peersKey, type Task } from "./title.ts";

/** What may befall a worker at a task. */
export interface Luck {
  seed: number;
  /** Every task takes its cost times something from 1 − spread to 1 + spread. */
  spread: number;
  /** Share of attempts whose worker dies half-way, and share of those that take `stragglerFactor` times as long. */
  deaths: number;
  stragglers: number;
  stragglerFactor: number;
}

/** From one task's end to the next one's start: claim, fetching, process start. */
const TURNROUND_SECONDS = 0.3;

/** An attempt that begins now, when it ends, and whether its worker dies then. */
export interface Drawn {
  attempt: Attempt;
  endsAt: number;
  dies: boolean;
}

/** Drawn for the attempt, not in the order of things: two runs that differ in one rule have the same luck. */
export function drawAttempt(luck: Luck, task: Task, now: number): Drawn {
  const { share } = seeded(seedOf(`${luck.seed} ${task.spec.id} ${task.attemptsMade++}`));
  const slow = share() < luck.stragglers ? luck.stragglerFactor : 1;
  const lastsSeconds = TURNROUND_SECONDS + task.spec.weight * slow * (1 + luck.spread * (2 * share() - 1));
  const dies = share() < luck.deaths;
  const endsAt = now + lastsSeconds * (dies ? share() : 1);
  return { attempt: { task, begunAt: now, lastsSeconds, diedAt: null }, endsAt, dies };
}

/** Whether another should be begun beside this one. */
export function isSlow({ task, begunAt, lastsSeconds, diedAt }: Attempt, now: number): boolean {
  const { spec, title } = task;
  const underway = {
    workSeconds: spec.weight,
    ranSeconds: now - begunAt,
    ratio: ((diedAt ?? now) - begunAt) / lastsSeconds,
    silentSeconds: diedAt === null ? 0 : now - diedAt,
  };
  return isStraggling(underway, title.peers.get(peersKey(spec)) ?? []);
}
