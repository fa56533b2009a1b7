import type { Library } from "../stores/library/connect.ts";
import { openWorkSeconds } from "../stores/library/open-work.ts";
import type { Metrics } from "../stores/metrics.ts";
import type { WorkQueue } from "../stores/queue.ts";
import type { Dependency } from "./operations.ts";
import { availableCodecs } from "./require-encoders.ts";
import type { Workshop } from "./task-context.ts";
import type { Worker } from "./worker.ts";

/** What is told of a transcoder to those who run it. */

/** Its gauges, read when they are asked for. */
export function defineMetrics(metrics: Metrics, worker: Worker, queue: WorkQueue, library: Library): void {
  metrics.gauge("matinee_tasks_running", "Tasks in this worker's hands.", [], (gauge) =>
    gauge.set(worker.running()),
  );
  metrics.gauge(
    "matinee_queue_jobs",
    "Jobs in the queue by lane and state.",
    ["lane", "state"],
    async (gauge) => {
      const depths = await queue.depths().catch(() => null);
      for (const [lane, depth] of Object.entries(depths ?? {}))
        for (const [state, count] of Object.entries(depth)) gauge.set({ lane, state }, count);
    },
  );
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

/** What it cannot do without, each with how it is checked. */
export function dependencies(workshop: Workshop, queue: WorkQueue): Dependency[] {
  const { library, blobs, launcher } = workshop;
  const encoders = oneAtATime(() => checkEncoders(workshop));
  return [
    { name: "mongodb", check: () => library.ping().then(() => "writes and reads back") },
    { name: "redis", check: () => queue.check().then(() => "append-only, never evicts") },
    { name: "s3", check: () => blobs.ping().then(() => "writes and reads back") },
    { name: "ffmpeg", check: encoders },
    {
      name: "sandbox",
      check: async () =>
        launcher.state.sandboxed ? launcher.state.detail : `UNSAFE: ${launcher.state.detail}`,
    },
  ];
}

/**
 * Who asks while it is being asked hears the same answer: what takes longer than one asker waits is there for the next, and those who
 * gave up leave no crowd of processes behind. For what always ends.
 */
function oneAtATime<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | null = null;
  return () => {
    underWay ??= ask().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}

async function checkEncoders({ launcher, hardware, recentAv1 }: Workshop): Promise<string> {
  const codecs = (await availableCodecs(launcher, recentAv1)).join(", ");
  const av1 = recentAv1 === null ? "" : `; AV1 by ${recentAv1.build}`;
  return `${launcher.build}; makes ${codecs}${av1}; in hardware: ${hardware.family ?? "none"} (${hardware.detail})`;
}
