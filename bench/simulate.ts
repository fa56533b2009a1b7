import type { Plan } from "../core/plan.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskKind } from "../core/records/task.ts";
import { timelineSeconds } from "../core/timeline.ts";
import { tasksOf } from "../core/work.ts";
import { type Cluster, type Outcome, simulate } from "./simulated/cluster.ts";
import { FLEETS, speedUpOfLibrary } from "./simulated/library.ts";
import type { Arrival } from "./simulated/title.ts";
import { planOf } from "./simulated-plan.ts";
import { figure, printTable } from "./table.ts";

/**
 * The product's own scheduling against 1 to 1,000 workers of one core on simulated time: how far from ideal a title's
 * makespan is, what deaths and stragglers cost, and what one tenant's flood does to the others. Needs no part of the rig.
 */

const CALM: Cluster = { workers: 1, seed: 1, spread: 0.3, deaths: 0, stragglers: 0, stragglerFactor: 1 };
const ROUGH: Cluster = { ...CALM, deaths: 0.01, stragglers: 0.02, stragglerFactor: 4 };
const WORKERS = [1, 2, 8, 32, 128, 256, 512, 1000];

const films: [string, Plan][] = [
  ["10 min 1080p, H.264", planOf(600, 1920, 1080)],
  ["2 h 1080p, H.264", planOf(7200, 1920, 1080)],
  ["2 h 2160p, H.264 and HEVC", planOf(7200, 3840, 2160, ["h264", "hevc"])],
];

for (const [name, plan] of films) printScaling(name, plan);
printLibrary();
printFairness();

/** The work of a film, what can only begin when all of its picture is done, and what no number of workers makes sooner. */
function boundsOf(plan: Plan): {
  workSeconds: number;
  tailSeconds: number;
  chainSeconds: number;
  tasks: number;
} {
  const asset = {
    ...{ _id: "as", state: "encoding", plan, generation: "g" },
    ...{ revision: 1, pinned: null, published: null },
  };
  const tasks = tasksOf(asset as unknown as AssetRecord).filter(({ kind }) => kind !== "preview");
  const longest = (of: TaskKind): number =>
    Math.max(0, ...tasks.filter(({ kind }) => kind === of).map(({ weight }) => weight));
  const [inspect, verify, publish] = [longest("inspect"), longest("verify"), longest("publish")];
  // What follows the last picture, and what follows the sound.
  const tailSeconds = Math.max(longest("score"), longest("look") + inspect, verify) + publish;
  return {
    workSeconds: tasks.reduce((sum, { weight }) => sum + weight, 0),
    tailSeconds,
    chainSeconds: Math.max(
      longest("video") + tailSeconds,
      longest("audio") + Math.max(inspect, verify) + publish,
    ),
    tasks: tasks.length,
  };
}

function makespan({ titles }: Outcome): number {
  return Math.max(...titles.map(({ readyAt }) => readyAt ?? Number.POSITIVE_INFINITY));
}

function printScaling(name: string, plan: Plan): void {
  const { workSeconds, tailSeconds, chainSeconds, tasks } = boundsOf(plan);
  const arrivals: Arrival[] = [{ atSeconds: 0, tenant: "one", plan }];
  const alone = makespan(simulate(CALM, arrivals));
  const rows = WORKERS.map((workers) => {
    const calm = makespan(simulate({ ...CALM, workers }, arrivals));
    const bound = Math.max((alone - tailSeconds) / workers + tailSeconds, chainSeconds);
    const rough = simulate({ ...ROUGH, workers }, arrivals);
    const unaided = simulate({ ...ROUGH, workers, lendsAHand: false }, arrivals);
    return [
      String(workers),
      figure(calm / 60, 1),
      figure(alone / calm, 1),
      figure((calm * workers) / alone),
      figure(calm / bound),
      figure(makespan(unaided) / calm),
      figure(makespan(rough) / calm),
      `${rough.deaths}, ${rough.besides}`,
      figure(rough.lostSeconds / rough.workSeconds, 3),
    ];
  });
  process.stdout.write(
    `${name}: ${figure(timelineSeconds(plan.timeline) / 60, 0)} min, ${tasks} tasks, ${figure(workSeconds / 3600, 1)} core hours; ` +
      `${figure(tailSeconds / 60, 1)} min can only follow the picture\n`,
  );
  printTable(
    [
      "workers",
      "min",
      "speed-up",
      "÷ linear",
      "÷ bound",
      "rough, unaided ÷ calm",
      "rough ÷ calm",
      "deaths, begun twice",
      "lost",
    ],
    rows,
  );
}

/** All titles of a library at once; linear is all that was spent, evenly spread. */
function printLibrary(): void {
  const rows = FLEETS.map((workers) => {
    const { outcome, seconds, speedUp } = speedUpOfLibrary({ ...CALM, workers });
    const rough = speedUpOfLibrary({ ...ROUGH, workers });
    const ready = outcome.titles.map(({ readyAt }) => readyAt!).toSorted((a, b) => a - b);
    return [
      String(workers),
      figure(seconds / 60, 1),
      figure(speedUp, 1),
      figure(workers / speedUp, 3),
      figure(ready[0]! / 60, 1),
      figure(ready[ready.length >> 1]! / 60, 1),
      figure(rough.seconds / seconds),
      figure(rough.outcome.lostSeconds / rough.outcome.workSeconds, 3),
    ];
  });
  printTable(
    [
      "workers, a library of 60",
      "min",
      "speed-up",
      "÷ linear",
      "first ready, min",
      "half of them, min",
      "rough ÷ calm",
      "lost",
    ],
    rows,
  );
}

/** Nine tenants send films as they come, for three fifths of what the workers can do; then a tenth has ten thousand waiting. */
function printFairness(): void {
  const film = planOf(120, 1920, 1080);
  const rows = [16, 32, 64].flatMap((workers) => {
    const cluster: Cluster = { ...CALM, workers, untilSeconds: 3600 };
    const everySeconds = (15 * 32) / workers;
    const others: Arrival[] = Array.from({ length: 2700 / everySeconds }, (_, index) => ({
      atSeconds: everySeconds * index + ((index * 7919) % Math.floor(everySeconds)),
      tenant: `t${index % 9}`,
      plan: film,
    }));
    const flood: Arrival[] = Array.from({ length: 10_000 }, () => ({
      atSeconds: 0,
      tenant: "flood",
      plan: film,
    }));
    return (["before", "with the flood"] as const).map((name) => {
      const { titles } = simulate(cluster, name === "before" ? others : [...flood, ...others]);
      const theirs = titles.filter(({ tenant }) => tenant !== "flood");
      const until = (when: "seenAt" | "begunAt" | "readyAt"): string =>
        figure(p95(theirs.map((title) => (title[when] ?? Number.POSITIVE_INFINITY) - title.arrivedAt)), 1);
      const floods = titles.filter(({ tenant, readyAt }) => tenant === "flood" && readyAt !== null).length;
      return [String(workers), name, until("seenAt"), until("begunAt"), until("readyAt"), String(floods)];
    });
  });
  printTable(
    [
      "workers, nine tenants",
      "",
      "p95 to the preview, s",
      "p95 to the first chunk, s",
      "p95 to ready, s",
      "of the flood ready",
    ],
    rows,
  );
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1]!;
}
