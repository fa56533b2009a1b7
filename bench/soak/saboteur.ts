import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../test/fuzz/random.ts";
import { encodersOf } from "../../test/rig/killing.ts";
import type { Wire } from "../../test/rig/wire.ts";
import type { FaultLog } from "./faults.ts";
import type { Fleet, Role } from "./fleet.ts";
import type { Origin } from "./origin.ts";
import type { OwnRedis } from "./redis-server.ts";
import { pickWeighted } from "./weighted.ts";

/** What can be broken. */
export interface Target {
  fleet: Fleet;
  redis: OwnRedis;
  s3: Wire;
  mongo: Wire;
  origin: Origin;
  faults: FaultLog;
  chance: Random;
}

type Sabotage = (target: Target) => Promise<void>;

/** Of each role the first is never ended, so that its memory is seen over the whole soak. */
const SPARED = /-0$/;

/** Every fault with its weight. */
const SABOTAGES: [number, Sabotage][] = [
  [5, ending("worker", "SIGKILL")],
  [3, ending("worker", "SIGTERM")],
  [4, suspending("worker")],
  [3, killingEncoder],
  [3, ending("api", "SIGKILL")],
  [2, ending("api", "SIGTERM")],
  [2, suspending("api")],
  [2, ending("edge", "SIGKILL")],
  [1, ending("edge", "SIGTERM")],
  [1, suspending("edge")],
  [2, restartingRedis(false)],
  [2, restartingRedis(true)],
  [2, freezingRedis],
  [2, wire("mongo", "cut")],
  [2, wire("mongo", "freeze")],
  [1, wire("mongo", "refuse")],
  [2, wire("s3", "cut")],
  [2, wire("s3", "freeze")],
  [2, wire("s3", "refuse")],
  [2, wire("s3", "slow")],
  [2, wire("origin", "cut")],
  [1, wire("origin", "freeze")],
  [2, wire("origin", "refuse")],
  [2, wire("origin", "slow")],
  [2, failingOrigin],
];

/** Does something every few seconds, one at a time or the next before the last is over, until `signal` is aborted; then heals all. */
export async function sabotage(target: Target, everySeconds: number, signal: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>();
  while (!signal.aborted) {
    const waitMs = everySeconds * 1000 * (0.3 + 1.4 * target.chance.share());
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const act = pickWeighted(target.chance, SABOTAGES);
    if (act === undefined) continue;
    const deed = act(target).finally(() => running.delete(deed));
    running.add(deed);
  }
  await Promise.all(running);
}

function ending(role: Role, signal: "SIGKILL" | "SIGTERM"): Sabotage {
  return async ({ fleet, chance }) => {
    const victims = fleet.members.filter((one) => one.role === role && one.isUp && !SPARED.test(one.name));
    if (victims.length > 0) await fleet.end(chance.pick(victims), signal);
  };
}

/** For a moment, or for longer than a lease lasts. */
function suspending(role: Role): Sabotage {
  return async ({ fleet, chance, faults }) => {
    const member = chance.pick(fleet.members.filter((one) => one.role === role && one.isUp));
    const over = faults.begin("suspended", member.name);
    fleet.signal(member, "SIGSTOP");
    await pause(1_000 + 14_000 * chance.share() ** 2);
    fleet.signal(member, "SIGCONT");
    over();
  };
}

async function killingEncoder({ fleet, chance, faults }: Target): Promise<void> {
  const encoders = fleet.members
    .filter(({ role, isUp }) => role === "worker" && isUp)
    .flatMap(({ name, child }) => encodersOf(child).map(({ pid }) => ({ name, pid })));
  if (encoders.length === 0) return;
  const { name, pid } = chance.pick(encoders);
  const over = faults.begin("encoder killed", name);
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It had ended by itself.
  }
  over();
}

function restartingRedis(isWiped: boolean): Sabotage {
  return async ({ redis, chance, faults }) => {
    if (isBusy(faults, "redis")) return;
    const over = faults.begin(isWiped ? "wiped" : "killed", "redis");
    await redis.kill();
    await pause(8_000 * chance.share());
    await redis.start(isWiped);
    over();
  };
}

async function freezingRedis({ redis, chance, faults }: Target): Promise<void> {
  if (isBusy(faults, "redis")) return;
  const over = faults.begin("frozen", "redis");
  redis.process().kill("SIGSTOP");
  await pause(2_000 + 10_000 * chance.share());
  redis.process().kill("SIGCONT");
  over();
}

async function failingOrigin({ origin, chance, faults }: Target): Promise<void> {
  if (isBusy(faults, "origin")) return;
  const over = faults.begin("answers 503", "origin");
  origin.fail();
  await pause(1_000 + 9_000 * chance.share());
  origin.mend();
  over();
}

function wire(name: "s3" | "mongo" | "origin", how: "cut" | "freeze" | "refuse" | "slow"): Sabotage {
  return async (target) => {
    const { chance, faults } = target;
    if (isBusy(faults, name)) return;
    const over = faults.begin(how, name);
    const one = name === "origin" ? target.origin.wire : target[name];
    if (how === "slow") one.slow(200_000);
    else one[how]();
    if (how !== "cut") await pause(1_000 + 9_000 * chance.share());
    one.mend();
    over();
  };
}

function isBusy(faults: FaultLog, target: string): boolean {
  return faults.all.some((fault) => fault.target === target && fault.to === null);
}
