import { existsSync } from "node:fs";
import type { Server } from "node:http";
import { openRoom } from "../core/admission.ts";
import { newId } from "../core/ids.ts";
import { DEFAULT_PLAN_SETTINGS } from "../core/plan.ts";
import { openBlobs } from "../stores/blobs.ts";
import { type Library, openLibrary } from "../stores/library/connect.ts";
import { openWorkSeconds } from "../stores/library/work.ts";
import { openLog } from "../stores/log.ts";
import { type Metrics, openMetrics } from "../stores/metrics.ts";
import { consume, openQueue, type WorkQueue } from "../stores/queue.ts";
import type { TranscoderConfig } from "./config.ts";
import { findHardware } from "./hardware.ts";
import { openLauncher } from "./launcher.ts";
import { startLending } from "./lend-a-hand.ts";
import { type Dependency, serveOperations } from "./operations.ts";
import { startReconciler } from "./reconcile.ts";
import { availableCodecs } from "./require-encoders.ts";
import { openScratch } from "./scratch.ts";
import type { Workshop } from "./task-context.ts";
import { createWorker, type Worker } from "./worker.ts";

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
  const launcher = await openLauncher({
    ...config.tools,
    mostResidentBytes: config.memoryBytes - OWN_MEMORY_BYTES,
    prlimitPath: firstOf("/usr/bin/prlimit"),
    setprivPath: firstOf("/usr/bin/setpriv"),
  });
  if (!launcher.state.sandboxed) {
    log.error({ detail: launcher.state.detail }, "UNSAFE: media is not sandboxed on this machine");
    if (!config.allowUnsandboxed) {
      throw new Error(
        `Untrusted media cannot be contained here (${launcher.state.detail}). Install bubblewrap, or set MATINEE_ALLOW_UNSANDBOXED=yes.`,
      );
    }
  }
  const library = await openLibrary(config.mongoUrl, { appName: "matinee-transcoder" });
  await library.ensureIndexes();
  const blobs = openBlobs(config.blobs);
  const queue = openQueue(config.redis);
  const workerId = newId("wk");
  const scratch = await openScratch({ ...config.scratch, workerId }, blobs);
  const scoresVmaf = config.scoresVmaf && launcher.canScore;
  const hardware = await findHardware(launcher, scratch);
  const { masterKeys, pull } = config;
  const tools = { launcher, scratch, scoresVmaf, hardware };
  const workshop: Workshop = { library, blobs, ...tools, log, workerId, masterKeys, pull };
  const planSettings = { ...DEFAULT_PLAN_SETTINGS, loudnessTargetLufs: config.loudnessTargetLufs };
  const room = openRoom(config.memoryBytes - OWN_MEMORY_BYTES);
  const worker = createWorker(workshop, queue, planSettings, room);
  const metrics = openMetrics();
  defineMetrics(metrics, worker, queue, library);
  const server = await serveOperations(config.http, dependencies(workshop, queue), metrics);
  const consumer = consume(config.redis, config.slots, worker.handle, pull?.slots);
  const stopReconciler = startReconciler(workshop, queue);
  const stopLending = startLending(workshop, queue, () => worker.running() < config.slots);
  log.info(
    {
      workerId,
      slots: config.slots,
      sandboxed: launcher.state.sandboxed,
      build: launcher.build,
      scoresVmaf,
      hardware: hardware.detail,
    },
    "transcoder started",
  );

  return {
    server,
    async stop() {
      log.info({ running: worker.running() }, "stopping");
      worker.stop();
      await within(STOP_DEADLINE_MS, Promise.all([consumer.close(), stopReconciler(), stopLending()]));
      await queue.close();
      await scratch.close();
      await library.close();
      blobs.close();
      server.close();
      server.closeAllConnections();
      log.info("stopped");
    },
  };
}

function firstOf(path: string): string | null {
  return existsSync(path) ? path : null;
}

function defineMetrics(metrics: Metrics, worker: Worker, queue: WorkQueue, library: Library): void {
  metrics.gauge("matinee_tasks_running", "Tasks in this worker's hands.", [], (gauge) =>
    gauge.set(worker.running()),
  );
  metrics.gauge("matinee_queue_jobs", "Jobs in the queue by state.", ["state"], async (gauge) => {
    const depth = await queue.depth().catch(() => null);
    for (const [state, count] of Object.entries(depth ?? {})) gauge.set({ state }, count);
  });
  metrics.gauge(
    "matinee_queue_work_seconds",
    "Work that is planned and not done, in seconds of one core.",
    ["lane"],
    async (gauge) => {
      const open = await openWorkSeconds(library).catch(() => null);
      for (const [lane, seconds] of Object.entries(open ?? {})) gauge.set({ lane }, seconds);
    },
  );
}

function dependencies(workshop: Workshop, queue: WorkQueue): Dependency[] {
  const { library, blobs, launcher } = workshop;
  return [
    { name: "mongodb", check: () => library.ping().then(() => "writes and reads back") },
    { name: "redis", check: () => queue.check().then(() => "append-only, never evicts") },
    { name: "s3", check: () => blobs.ping().then(() => "writes and reads back") },
    { name: "ffmpeg", check: () => checkEncoders(workshop) },
    {
      name: "sandbox",
      check: async () =>
        launcher.state.sandboxed ? launcher.state.detail : `UNSAFE: ${launcher.state.detail}`,
    },
  ];
}

async function checkEncoders({ launcher, hardware }: Workshop): Promise<string> {
  const codecs = (await availableCodecs(launcher)).join(", ");
  return `${launcher.build}; makes ${codecs}; in hardware: ${hardware.family ?? "none"} (${hardware.detail})`;
}

async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
