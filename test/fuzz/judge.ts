import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ASSET_FAILURE_CODES, asFailure } from "../../core/errors.ts";
import { packagePrefix } from "../../core/keys.ts";
import {
  buildPlan,
  DEFAULT_PLAN_SETTINGS,
  generationOf,
  type Plan,
  type PlanSettings,
} from "../../core/plan.ts";
import { joinTracks, type ProducedTrack } from "../../core/produced-track.ts";
import { expectedObjects } from "../../core/read-parts.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TaskKind, TaskRecord } from "../../core/records/task.ts";
import type { TaskResult } from "../../core/records/task-result.ts";
import type { PinnedSource, Source } from "../../core/source.ts";
import { segmentCount } from "../../core/timeline.ts";
import { tasksOf } from "../../core/work.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { openLog } from "../../stores/log.ts";
import { describeMaster } from "../../transcoder/describe-master.ts";
import { encodeAudio } from "../../transcoder/encode-audio.ts";
import { encodeChunk } from "../../transcoder/encode-chunk.ts";
import type { RunOutcome } from "../../transcoder/launcher.ts";
import { openScratch } from "../../transcoder/scratch.ts";
import type { TaskContext, Workshop } from "../../transcoder/task-context.ts";
import { verifyObjects } from "../../transcoder/verify.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";

/** What became of one file on the whole way of a master: probe, plan, every encode, read back. */
export interface Verdict {
  /** `taken`, or the code that its owner would see. */
  outcome: string;
  /** Why this must not happen; null where all is well. */
  violation: string | null;
  /** Where the film ends on its own clock. Its beginning may go, where no keyframe stands there. */
  endSeconds: number | null;
  cpuSeconds: number;
  /** The most that any of its runs held; null where the machine cannot count it. */
  peakMemoryBytes: number | null;
  bytesWritten: number;
}

export interface Judge {
  judge(bytes: Uint8Array): Promise<Verdict>;
  close(): Promise<void>;
}

/** As the product's own, but for the encoder's diligence. */
const SETTINGS: PlanSettings = { ...DEFAULT_PLAN_SETTINGS, preset: "ultrafast" };
/** The stages that read the master; the others work with what these have made, and with the records. */
const STAGES: Partial<Record<TaskKind, (context: TaskContext) => Promise<TaskResult>>> = {
  video: encodeChunk,
  audio: encodeAudio,
};
/** A hostile file may cost this much until it is refused or made (T07). */
const MOST_CPU_SECONDS = 30;
const MOST_BYTES_WRITTEN = 64 * 2 ** 20;
/** Longer films are probed and planned only: their chunks are as those of shorter ones. */
const MOST_FRAMES_ENCODED = 1_500;

/** Opens the transcoder's own stages on the run's real store, without the queue and the records around them. */
export async function openJudge(): Promise<Judge> {
  const directory = await mkdtemp(join(tmpdir(), "matinee-fuzz-"));
  const blobs = openBlobs(s3ForTest(`fuzz-${randomBytes(4).toString("hex")}`));
  await blobs.ensureBuckets({ corsOrigins: [] });
  const launcher = await launcherForTest();
  if (!launcher.state.sandboxed) throw new Error(`hostile files need the sandbox: ${launcher.state.detail}`);
  const scratch = await openScratch({ directory, limitBytes: 2 ** 30, workerId: "fuzz" }, blobs);
  // None of these stages asks the library.
  const workshop = { blobs, launcher, scratch, log: openLog({ name: "fuzz", level: "silent" }) } as Workshop;
  let files = 0;
  return {
    judge: async (bytes) => judgeFile(workshop, `file-${files++}`, bytes, join(directory, "fuzz")),
    async close() {
      await scratch.close();
      blobs.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function judgeFile(
  workshop: Workshop,
  name: string,
  bytes: Uint8Array,
  home: string,
): Promise<Verdict> {
  const key = `fuzz/${name}/source`;
  const runs: RunOutcome[] = [];
  const verdict: Verdict = {
    ...{ outcome: "taken", violation: null, endSeconds: null },
    ...{ cpuSeconds: 0, peakMemoryBytes: null, bytesWritten: 0 },
  };
  const { etag } = await workshop.blobs.put("sources", key, bytes, { contentType: "video/mp4" });
  const pinned: PinnedSource = { key, etag, sizeBytes: bytes.length, sha256: null };
  try {
    const { signal } = new AbortController();
    const source = await describeMaster(
      { ...workshop, signal, note: (run) => runs.push(run as RunOutcome) },
      pinned,
    );
    const { startSeconds, fileStartSeconds } = source.video;
    verdict.endSeconds = startSeconds - fileStartSeconds + source.durationSeconds;
    const plan = buildPlan(source, SETTINGS, workshop.launcher.build);
    verdict.bytesWritten = await fill(workshop, name, { source, plan, pinned }, runs);
  } catch (thrown) {
    const failure = asFailure(thrown);
    verdict.outcome = failure.code;
    if (failure.failureClass !== "source" || !ASSET_FAILURE_CODES.some((code) => code === failure.code)) {
      const cause = failure.cause instanceof Error ? failure.cause.stack : "";
      verdict.violation = `${failure.failureClass} ${failure.code}: ${failure.message}\n${cause}`;
    }
  }
  await workshop.blobs.remove("sources", [key]);
  verdict.cpuSeconds = runs.reduce((sum, run) => sum + run.cpuSeconds, 0);
  const peaks = runs.flatMap((run) => run.peakMemoryBytes ?? []);
  verdict.peakMemoryBytes = peaks.length === 0 ? null : Math.max(...peaks);
  verdict.violation ??= await excess(verdict, home);
  return verdict;
}

/** Costs beyond what any file may have, or traces left on disk. */
async function excess(verdict: Verdict, home: string): Promise<string | null> {
  if (verdict.cpuSeconds > MOST_CPU_SECONDS) return `cost ${verdict.cpuSeconds} CPU seconds`;
  if (verdict.bytesWritten > MOST_BYTES_WRITTEN) return `wrote ${verdict.bytesWritten} bytes`;
  const left = (await readdir(home)).filter((entry) => entry.startsWith("attempt-"));
  return left.length > 0 ? `left ${left} in the scratch folder` : null;
}

/** Fills every cell of the plan and reads it back. Resolves to the bytes made; throws where they are not as planned. */
async function fill(
  workshop: Workshop,
  name: string,
  made: { source: Source; plan: Plan; pinned: PinnedSource },
  runs: RunOutcome[],
): Promise<number> {
  const { plan } = made;
  if (plan.timeline.frameCount > MOST_FRAMES_ENCODED) return 0;
  const generation = generationOf(plan, made.pinned.etag);
  const asset = { _id: name, state: "encoding", generation, ...made } as AssetRecord;
  const results: TaskResult[] = [];
  for (const spec of tasksOf(asset)) {
    const stage = STAGES[spec.kind];
    if (stage === undefined) continue;
    const context: TaskContext = {
      ...workshop,
      asset,
      task: { ...spec, _id: spec.id, failures: 0 } as unknown as TaskRecord,
      signal: new AbortController().signal,
      report: () => undefined,
      note: (run) => runs.push(run as RunOutcome),
    };
    results.push(await stage(context));
  }
  const prefix = packagePrefix(name, generation);
  try {
    const tracks = joinTracks(results, segmentCount(plan.timeline));
    const facts = { prefix, objects: new Map() };
    const expected = expectedObjects(plan, tracks, []);
    const { bad } = await verifyObjects(workshop.blobs, expected, new AbortController().signal, facts);
    if (bad.length > 0) throw new Error(`bad cells: ${JSON.stringify(bad)}`);
    await countFrames(workshop, plan, tracks, runs);
    const cells = [...tracks.values()].flatMap((track) => track.cells);
    return cells.reduce((sum, cell) => sum + cell.bytes, 0);
  } finally {
    await workshop.blobs.removePrefix("media", prefix);
  }
}

/** A second opinion that shares no code with the gate: ffprobe decodes the smallest rung and counts. */
async function countFrames(
  workshop: Workshop,
  plan: Plan,
  tracks: ReadonlyMap<string, ProducedTrack>,
  runs: RunOutcome[],
): Promise<void> {
  const rung = plan.ladders[0]!.rungs.at(-1)!;
  const track = tracks.get(rung.id)!;
  const keys = [track.initKey, ...track.cells.map((cell) => cell.key)];
  const parts = await Promise.all(keys.map((key) => workshop.blobs.read("media", key)));
  const run = await workshop.scratch.withDirectory(async (folder) => {
    const source = join(folder, "joined.mp4");
    await writeFile(source, Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))));
    const entries = "stream=nb_read_frames,width,height";
    return workshop.launcher.run({
      program: "ffprobe",
      args: ["-v", "error", "-count_frames", "-show_entries", entries, "-of", "csv=p=0", "/in/source"],
      source,
      limits: { wallSeconds: 60, cpuSeconds: 30, outputBytes: 0 },
    });
  });
  runs.push(run);
  const expected = `${rung.width},${rung.height},${plan.timeline.frameCount}`;
  if (run.stdout.trim() !== expected || run.stderrTail !== "")
    throw new Error(`decodes as ${run.stdout.trim()}, not ${expected}: ${run.stderrTail}`);
}
