import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { descendants } from "../../test/rig/processes.ts";
import type { FaultLog } from "./faults.ts";

export type Role = "api" | "edge" | "worker";

/** One process of the product that is started again whenever it ends, as an orchestrator does. */
export interface Member {
  name: string;
  role: Role;
  child: ChildProcess;
  /** It has said that it is ready, and lives. */
  isUp: boolean;
  startedAt: number;
}

/** What a process said or did that it should not have. */
export interface Oddity {
  at: number;
  member: string;
  text: string;
}

export interface Fleet {
  members: Member[];
  /** Lines of level 50 and more, warnings of Node's own, and ends that nobody had asked for. */
  oddities: Oddity[];
  /** Resident memory by time, of every life of every process. */
  memory: { at: number; member: string; startedAt: number; bytes: number }[];
  add(
    name: string,
    role: Role,
    main: string,
    sign: string,
    environment: Record<string, string>,
  ): Promise<void>;
  /** Sends a signal that ends it; resolves once it is up again. */
  end(member: Member, signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Sends a signal to the process and, where it is an edge, to the nginx below it. */
  signal(member: Member, signal: NodeJS.Signals): void;
  allUp(): boolean;
  stop(): Promise<void>;
}

const LIFELINE = new URL("../../test/rig/lifeline.ts", import.meta.url).href;
const RESTART_MS = 500;
/** So long after an outage somebody may still tell of it: a call that hangs is given up after fifteen seconds. */
const OUTAGE_GRACE_MS = 20_000;
const MEMORY_EVERY_MS = 5_000;
/** What `docs/operations.md` promises of SIGTERM. */
const STOP_WITHIN_MS = 30_000;

/** The product's processes; their logs are kept in `folder`, one file a process. */
export function openFleet(faults: FaultLog, folder: string): Fleet {
  const members: Member[] = [];
  const oddities: Oddity[] = [];
  const memory: Fleet["memory"] = [];
  const asked = new Set<ChildProcess>();
  const rounds: Promise<void>[] = [];
  let isStopping = false;

  const odd = (member: string, text: string): void => {
    oddities.push({ at: faults.now(), member, text });
  };
  /** What is away is told of as such, and nothing else is. */
  const isExcused = (line: string): boolean =>
    /"type":"Failure","message":"(The library cannot|The queue does not|The blob store|This part .*: the API answered 503")/.test(
      line,
    ) && faults.during(faults.now(), faults.now(), OUTAGE_GRACE_MS, ["mongo", "redis", "s3"]).length > 0;
  const run = (member: Member, main: string, sign: string, env: Record<string, string>): Promise<boolean> => {
    const child = spawn(process.execPath, ["--import", LIFELINE, main], {
      env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    Object.assign(member, { child, startedAt: faults.now(), isUp: false });
    const log = join(folder, `${member.name}.log`);
    return new Promise((resolve) => {
      createInterface({ input: child.stdout! }).on("line", (line) => {
        appendFileSync(log, `${line}\n`);
        if (/^\{"level":[56]0/.test(line) && !isExcused(line)) odd(member.name, line);
        if (!line.includes(sign)) return;
        member.isUp = true;
        resolve(true);
      });
      createInterface({ input: child.stderr! }).on("line", (line) => {
        appendFileSync(log, `${line}\n`);
        if (/Warning|\[(alert|crit|emerg)\]/.test(line)) odd(member.name, line);
      });
      child.once("exit", () => {
        member.isUp = false;
        resolve(false);
      });
    });
  };
  /** Keeps it running until the fleet is stopped. */
  const keep = async (member: Member, start: () => Promise<boolean>, first: () => void): Promise<void> => {
    let noteUp = (): void => undefined;
    while (!isStopping) {
      const isUp = await start();
      const { child } = member;
      if (isUp) {
        noteUp();
        first();
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      }
      if (isStopping) return;
      if (isUp && !asked.has(child))
        odd(member.name, `ended by itself: ${child.exitCode} ${child.signalCode}`);
      if (isUp) noteUp = faults.begin("down", member.name);
      await pause(RESTART_MS);
    }
  };
  const sampler = setInterval(() => {
    for (const { name, child, isUp, startedAt } of members)
      if (isUp) memory.push({ at: faults.now(), member: name, startedAt, bytes: residentBytes(child.pid) });
  }, MEMORY_EVERY_MS);

  return {
    members,
    oddities,
    memory,
    async add(name, role, main, sign, environment) {
      const member: Member = { name, role, child: undefined as never, isUp: false, startedAt: 0 };
      members.push(member);
      await new Promise<void>((resolve) => {
        rounds.push(keep(member, () => run(member, main, sign, environment), resolve));
      });
    },
    async end(member, signal) {
      const { child } = member;
      if (child.exitCode !== null || child.signalCode !== null) return;
      asked.add(child);
      const over = faults.begin(signal, member.name);
      const askedAt = faults.now();
      const gone = once(child, "exit");
      // nginx goes on without whoever started it; with a container all of it ends.
      if (signal === "SIGKILL") signalAll(member, signal);
      else child.kill(signal);
      const [code] = await gone;
      const took = faults.now() - askedAt;
      if (signal === "SIGTERM" && (code !== 0 || took > STOP_WITHIN_MS))
        odd(member.name, `SIGTERM: ended with ${code} after ${Math.round(took)} ms`);
      while (!isStopping && !(member.isUp && member.child !== child)) await pause(50);
      over();
    },
    signal: signalAll,
    allUp: () => members.every(({ isUp }) => isUp),
    async stop() {
      isStopping = true;
      clearInterval(sampler);
      for (const member of members) signalAll(member, "SIGKILL");
      await Promise.all(rounds);
    },
  };
}

function signalAll({ child }: Member, signal: NodeJS.Signals): void {
  const servers = descendants(child.pid!).filter(({ name }) => name === "nginx");
  child.kill(signal);
  for (const { pid } of servers) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended with the one before it.
    }
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
