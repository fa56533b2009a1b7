import { existsSync } from "node:fs";
import type { Server } from "node:http";
import { openRoom, setAsideForFetches } from "../core/admission.ts";
import { newId } from "../core/ids.ts";
import { DEFAULT_PLAN_SETTINGS } from "../core/plan.ts";
import { openBlobs } from "../stores/blobs.ts";
import { openLibrary } from "../stores/library/connect.ts";
import { nameOfLibrary } from "../stores/library/identity.ts";
import { type Log, openLog } from "../stores/log.ts";
import { openMetrics } from "../stores/metrics.ts";
import { ofLibrary, openQueue } from "../stores/queue.ts";
import { consume } from "../stores/queue-consumer.ts";
import type { TranscoderConfig } from "./config.ts";
import { findHardware } from "./hardware.ts";
import { type Launcher, openLauncher } from "./launcher.ts";
import { startLending } from "./lend-a-hand.ts";
import { serveOperations } from "./operations.ts";
import { findRecentAv1 } from "./recent-av1.ts";
import { startReconciler } from "./reconcile.ts";
import { canScore, requireScaler } from "./require-encoders.ts";
import { openScratch } from "./scratch.ts";
import type { Workshop } from "./task-context.ts";
import { createWorker } from "./worker.ts";
import { defineMetrics, dependencies } from "./worker-health.ts";

/** Running tasks have this long to be handed back before the process goes regardless. */
const STOP_DEADLINE_MS = 20_000;
/** Of the worker's own process; the rest of its memory is for what it runs. */
const OWN_MEMORY_BYTES = 300 * 2 ** 20;

export interface Transcoder {
  server: Server;
  /** Takes no more work, hands back what runs, closes every door. */
  stop(): Promise<void>;
}

/** Assembles a transcoder and starts it. Throws where this machine cannot do the work. */
export async function startTranscoder(config: TranscoderConfig): Promise<Transcoder> {
  const log = openLog({ name: "transcoder", level: config.logLevel });
  const { lendableBytes, pullSlots } = memoryOfWorker(config);
  const workshop = await openWorkshop(config, log, await openSafeLauncher(config, lendableBytes, log));
  const redis = ofLibrary(config.redis, await nameOfLibrary(workshop.library));
  const queue = openQueue(redis);
  const planSettings = { ...DEFAULT_PLAN_SETTINGS, loudnessTargetLufs: config.loudnessTargetLufs };
  const room = openRoom(lendableBytes);
  const worker = createWorker(workshop, queue, planSettings, room);
  const metrics = openMetrics();
  defineMetrics(metrics, worker, queue, workshop.library);
  const server = await serveOperations(config.http, dependencies(workshop, queue), metrics);
  const consumer = consume(redis, config.slots, worker.handle, pullSlots);
  const stopReconciler = startReconciler(workshop, queue);
  const stopLending = startLending(workshop, queue, () => worker.onCores() < config.slots);
  sayStarted(workshop, config.slots, pullSlots);
  return {
    server,
    async stop() {
      log.info({ running: worker.running() }, "stopping");
      worker.stop();
      await within(STOP_DEADLINE_MS, Promise.all([consumer.close(), stopReconciler(), stopLending()]));
      await queue.close();
      await closeWorkshop(workshop);
      server.close();
      server.closeAllConnections();
      log.info("stopped");
    },
  };
}

/** What tasks may hold together, and how many fetches go on beside them in what is set aside for those. */
function memoryOfWorker({ memoryBytes, pull }: TranscoderConfig): {
  lendableBytes: number;
  pullSlots: number;
} {
  const forTasks = memoryBytes - OWN_MEMORY_BYTES;
  if (pull === null) return { lendableBytes: forTasks, pullSlots: 0 };
  const { bytes, slots } = setAsideForFetches(forTasks, pull.slots);
  return { lendableBytes: forTasks - bytes, pullSlots: slots };
}

/** Throws where ffmpeg lacks what every film needs, and where media cannot be contained, unless that was allowed. */
async function openSafeLauncher(
  config: TranscoderConfig,
  mostResidentBytes: number,
  log: Log,
): Promise<Launcher> {
  const launcher = await openLauncher({
    ...config.tools,
    mostResidentBytes,
    prlimitPath: firstOf("/usr/bin/prlimit"),
    setprivPath: firstOf("/usr/bin/setpriv"),
  });
  requireScaler(launcher);
  const { sandboxed, detail } = launcher.state;
  if (sandboxed) return launcher;
  log.error({ detail }, "UNSAFE: media is not sandboxed on this machine");
  if (config.allowUnsandboxed) return launcher;
  throw new Error(
    `Untrusted media cannot be contained here (${detail}). Install bubblewrap, or set MATINEE_ALLOW_UNSANDBOXED=yes.`,
  );
}

async function openWorkshop(config: TranscoderConfig, log: Log, launcher: Launcher): Promise<Workshop> {
  const library = await openLibrary(config.mongoUrl, { appName: "matinee-transcoder" });
  await library.ensureIndexes();
  const blobs = openBlobs(config.blobs);
  const workerId = newId("wk");
  const scratch = await openScratch({ ...config.scratch, workerId }, blobs);
  const scoresVmaf = config.scoresVmaf && (await canScore(launcher));
  const hardware = await findHardware(launcher, scratch);
  // Now, and not once somebody wants AV1: each line of the ledger says it, and by those it is known whether anybody has a film's
  // encoder still (missing-encoder.ts).
  const recentAv1 = await findRecentAv1(launcher);
  const { masterKeys, pull } = config;
  const tools = { launcher, scratch, scoresVmaf, hardware, recentAv1 };
  return { library, blobs, ...tools, log, workerId, masterKeys, pull };
}

async function closeWorkshop({ scratch, library, blobs }: Workshop): Promise<void> {
  await scratch.close();
  await library.close();
  blobs.close();
}

function sayStarted(
  { log, workerId, launcher, scoresVmaf, hardware, recentAv1 }: Workshop,
  slots: number,
  pullSlots: number,
): void {
  const { build, state } = launcher;
  log.info(
    {
      ...{ workerId, slots, pullSlots, sandboxed: state.sandboxed, build, scoresVmaf },
      ...{ hardware: hardware.detail, recentAv1: recentAv1?.build ?? null },
    },
    "transcoder started",
  );
}

function firstOf(path: string): string | null {
  return existsSync(path) ? path : null;
}

async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
