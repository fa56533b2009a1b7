import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allRungs, type Plan } from "../core/plan.ts";
import type { TaskKind } from "../core/records/task.ts";
import { flashAndBeep } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { bareEncoder, barePictures, bareSound } from "./bare-encode.ts";
import { ownCpuSeconds, timed } from "./cpu.ts";
import { filmToEncode } from "./encode-films.ts";
import { finishedTasks, follow } from "./follow.ts";
import { mediaTools } from "./media-tools.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * CPU of the whole pipeline (download, probe, encode in chunks, sound, poster, cutting, storing, verifying,
 * publishing, all of it sandboxed) for 30 s of film, beside one bare ffmpeg that makes the same ladder, and beside one
 * bare ffmpeg per rung. And what of it goes where: everything that is not the encode itself is to stay within a tenth of it.
 * The worker has made a film of four seconds before, as one in service has: its code is loaded and compiled.
 * `node bench/encode-cpu.ts [repetitions] [loops of the film] [p24|p60|camera|master|hard|FILE]`; no repetitions: only what goes where.
 */

const repetitions = Number(process.argv[2] ?? 2);
const loops = Number(process.argv[3] ?? 1);
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const environment = { ...mediaTools(), MATINEE_VMAF: process.env.MATINEE_VMAF || "sample" };
const { name: filmName, path: film } = await filmToEncode(process.argv[4] ?? "p24", loops);
const product = await startProduct({ workers: 1, slots: 2, environment });
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-out-"));

/** What is done beside the encode, and its name in the table. */
const OTHER_STAGES: Record<Exclude<TaskKind, "video" | "audio">, string> = {
  fetch: "fetching of the master",
  probe: "probe",
  analyse: "analysis for a ladder of its own",
  checksum: "checksum",
  preview: "preview: its beginning",
  look: "inspection: its parts",
  inspect: "inspection",
  verify: "reading back of its parts",
  subtitle: "text",
  images: "images",
  score: "VMAF of samples",
  publish: "proof of playback",
};

interface Run {
  cpuSeconds: number;
  /** Null of what has none of its own. */
  wallSeconds: number | null;
}
const ours: (Run & { ledger: number; worker: number; stages: Map<TaskKind, number> })[] = [];
const one: Run[] = [];
const five: Run[] = [];

try {
  await wholePipeline(product, await flashAndBeep({ seconds: 4 }));
  const first = await wholePipeline(product, film);
  ours.push(first);
  const { plan } = first;
  const prefix = join(folder, "one");
  const bare = [...barePictures(film, plan, prefix), ...bareSound(plan, prefix)];
  const bareOne = async () => void one.push(await timed(ffmpeg, bare));
  const bareFive = async () => void five.push(await perRung(plan));
  const again = async () => void ours.push(await wholePipeline(product, film));
  if (repetitions > 0) {
    await bareOne();
    await bareFive();
  }
  // The order turns round with each repetition: whoever comes first finds colder caches.
  for (let repetition = 1; repetition < repetitions; repetition++) {
    const order = [bareFive, bareOne, again];
    for (const step of repetition % 2 === 1 ? order : order.reverse()) await step();
  }
  if (repetitions > 0) printComparison();
  printStages();
} finally {
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

async function wholePipeline(product: Product, path: string) {
  const [worker] = product.workers;
  const before = ownCpuSeconds(worker!.pid!);
  const began = performance.now();
  const assetId = await product.uploadFile(path);
  const { plan } = await follow(product, assetId, ({ state }) => state === "ready");
  if (plan === null) throw new Error("nothing was planned");
  const wallSeconds = (performance.now() - began) / 1000;
  const tasks = await finishedTasks(product, assetId);
  const workerSeconds = ownCpuSeconds(worker!.pid!) - before;
  const stages = new Map<TaskKind, number>();
  for (const { kind, attempts } of tasks)
    stages.set(
      kind,
      attempts.reduce((sum, one) => sum + one.cpuSeconds, stages.get(kind) ?? 0),
    );
  const ledger = [...stages.values()].reduce((sum, seconds) => sum + seconds, 0);
  return { cpuSeconds: ledger + workerSeconds, wallSeconds, ledger, worker: workerSeconds, stages, plan };
}

async function perRung(plan: Plan): Promise<Run> {
  let cpuSeconds = 0;
  let wallSeconds = 0;
  for (const [index, rung] of allRungs(plan).entries()) {
    const run = await timed(ffmpeg, [
      ...["-v", "error", "-nostdin", "-y", "-i", film],
      ...["-map", "0:v", "-vf", `scale=${rung.width}:${rung.height}:flags=bicubic,format=yuv420p`],
      ...bareEncoder(plan, rung),
      join(folder, `five-${rung.id}.mp4`),
      ...(index === 0 ? bareSound(plan, join(folder, "five")) : []),
    ]);
    cpuSeconds += run.cpuSeconds;
    wallSeconds += run.wallSeconds;
  }
  return { cpuSeconds, wallSeconds };
}

function printComparison(): void {
  const ofOne = median(one.map((run) => run.cpuSeconds));
  const ofFive = median(five.map((run) => run.cpuSeconds));
  const row = (name: string, runs: readonly Run[]): string[] => {
    const cpu = median(runs.map((run) => run.cpuSeconds));
    const walls = runs.flatMap(({ wallSeconds }) => wallSeconds ?? []);
    return [
      name,
      figure(cpu, 1),
      runs.map((run) => figure(run.cpuSeconds, 1)).join(", "),
      figure(cpu / ofOne),
      figure(cpu / ofFive),
      walls.length === 0 ? "" : figure(median(walls), 1),
    ];
  };
  printTable(
    [`${filmName}, all rungs and sound`, "CPU s (median)", "each run", "÷ one", "÷ one a rung", "wall s"],
    [
      row("Matinee, upload to published", ours),
      row("of that the encode: pictures with their SSIM, sound", ours.map(encodeOf)),
      row("one bare ffmpeg", one),
      row("one bare ffmpeg a rung", five),
    ],
  );
  const ledger = median(ours.map((run) => run.ledger));
  const worker = median(ours.map((run) => run.worker));
  process.stdout.write(
    `of ours: ffmpeg and ffprobe ${figure(ledger, 1)} s, the worker itself ${figure(worker, 1)} s\n`,
  );
}

/** The stages alone that a bare ffmpeg has too. */
function encodeOf({ stages }: { stages: Map<TaskKind, number> }): Run {
  return { cpuSeconds: (stages.get("video") ?? 0) + (stages.get("audio") ?? 0), wallSeconds: null };
}

/** What each kind of task costs, and what all that is not the encode comes to beside it. */
function printStages(): void {
  const ofStage = (kind: TaskKind) => median(ours.map(({ stages }) => stages.get(kind) ?? 0));
  const encode = ofStage("video") + ofStage("audio");
  const row = (name: string, seconds: number): string[] => [
    name,
    figure(seconds, 1),
    `${figure((100 * seconds) / encode, 1)} %`,
  ];
  const others = (Object.keys(OTHER_STAGES) as (keyof typeof OTHER_STAGES)[]).map(
    (kind): [string, number] => [OTHER_STAGES[kind], ofStage(kind)],
  );
  const worker = median(ours.map((run) => run.worker));
  const rest = worker + others.reduce((sum, [, seconds]) => sum + seconds, 0);
  const inspection = ofStage("look") + ofStage("inspect");
  const tenth = worker + ofStage("probe") + ofStage("analyse") + inspection + ofStage("images");
  printTable(
    ["stage", "CPU s (median)", "of the encode"],
    [
      row("pictures, with their SSIM", ofStage("video")),
      row("sound, measured and encoded", ofStage("audio")),
      ...others.map(([what, seconds]) => row(what, seconds)),
      row("the worker itself: cutting, hashing, storing, packaging, the gate", worker),
      row("analysis, images and packaging (goal: 10 %)", tenth),
      row("all but pictures and sound", rest),
    ],
  );
}
