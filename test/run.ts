import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { glob } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { thisMachine } from "../infra/start/install.ts";
import { whenOrphaned } from "../infra/start/orphan.ts";
import { buildPages } from "../infra/start/pages.ts";
import { findChromium, findMediaTools } from "../infra/start/parts/media-tools.ts";
import { startMongo } from "../infra/start/parts/mongo.ts";
import { findNginx } from "../infra/start/parts/nginx.ts";
import { startRedis } from "../infra/start/parts/redis.ts";
import { startS3 } from "../infra/start/parts/s3.ts";
import { holdFreePorts } from "../infra/start/ports.ts";
import { openReport } from "../infra/start/report.ts";
import { makeSecrets } from "../infra/start/secrets.ts";
import { openState } from "../infra/start/state.ts";
import { createSupervisor, type Supervisor } from "../infra/start/supervise.ts";
import { endHung } from "./end-hung.ts";
import { descendants } from "./rig/processes.ts";
import { runStaticChecks } from "./static.ts";

/** The whole of `npm test` ends by itself after this, whatever hangs. It has taken 26 to 34 minutes on two slow cores with nothing else to do. */
const LIMIT_MS = 45 * 60_000;
/**
 * A file that hangs does not take the time of those after it. The longest has taken five minutes on two slow cores with
 * nothing else to do, and seven and a half where others kept them busy.
 */
const FILE_LIMITS = { wholeMs: 12 * 60_000, afterLastTestMs: 3 * 60_000 };
/** Before its file is ended, so that Node says which it was. A file's first test has what is started before it on its account. */
const TEST_LIMIT_MS = 9 * 60_000;
const SLOWEST_TOLD = 10;
/** These drive whole systems and wait more than they reckon: after the others, each lane one file at a time. Both take as long. */
const LAST_LANES = [["test/e2e/"], ["test/faults/", "test/fuzz/"]];

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const PROGRAMS = ["api/main.ts", "delivery/main.ts", "transcoder/main.ts"];

const root = resolve(import.meta.dirname, "..");
const report = openReport(process.stderr);
const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
/** What each file took by the clock, beside whatever ran with it. */
const took: { file: string; seconds: number }[] = [];
const hungFiles: string[] = [];
const ending = new AbortController();
let supervisor: Supervisor | undefined;
const temporary = mkdtempSync(join(tmpdir(), "matinee-test-"));
/** Each program is compiled once and not for every process: half of what its start costs. */
process.env.NODE_COMPILE_CACHE = join(temporary, "compiled");

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => ending.abort());
whenOrphaned(() => ending.abort());
const limit = setTimeout(() => {
  report.fail(`not done after ${LIMIT_MS / 60_000} minutes`);
  totals.failed += 1;
  ending.abort();
}, LIMIT_MS);

try {
  const filters = process.argv.slice(2);
  // Side by side: checking types fills one core, and a fresh machine has parts to install meanwhile.
  const isWhole = filters.length === 0;
  const [failedChecks] = await Promise.all([
    isWhole ? runStaticChecks() : 0,
    provideParts(),
    ...(isWhole ? PROGRAMS.map(compile) : []),
  ]);
  totals.failed += failedChecks;
  const files = await chosenFiles(filters);
  const isIn = (folders: readonly string[]) => (file: string) =>
    folders.some((folder) => file.startsWith(folder));
  const isLast = isIn(LAST_LANES.flat());
  await runFiles(
    files.filter((file) => !isLast(file)),
    2,
  );
  await Promise.all(LAST_LANES.map((folders) => runFiles(files.filter(isIn(folders)), 1)));
} catch (error) {
  report.fail(error instanceof Error ? error.message : String(error));
  totals.failed += 1;
} finally {
  clearTimeout(limit);
  await supervisor?.stopAll();
  // A file that is told to end in its midst waits for its own clean-up, which may be what hangs.
  endDescendants();
  rmSync(temporary, { recursive: true, force: true });
}
took.sort((one, other) => other.seconds - one.seconds);
for (const { file, seconds } of took.slice(0, SLOWEST_TOLD)) process.stdout.write(`${seconds} s  ${file}\n`);
for (const hung of hungFiles) process.stdout.write(`ended  ${hung}\n`);
const { passed, failed, skipped } = totals;
process.exitCode = failed + hungFiles.length === 0 && passed > 0 && !ending.signal.aborted ? 0 : 1;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);

/** Told nothing a program is loaded, says what it lacks, and leaves what it compiled: those that tests end at once leave nothing. */
async function compile(program: string): Promise<void> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  await once(
    spawn(process.execPath, [program], {
      cwd: root,
      env: { PATH, NODE_COMPILE_CACHE },
      stdio: "ignore",
      signal: ending.signal,
    }),
    "exit",
  );
}

function endDescendants(): void {
  for (const { pid } of descendants(process.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has gone by itself.
    }
  }
}

/** Starts the real parts in the temporary folder and names them in the environment of the tests. */
async function provideParts(): Promise<void> {
  const machine = thisMachine(process.env);
  const ports = await holdFreePorts(["mongodb", "redis", "s3"]);
  supervisor = createSupervisor({
    logDirectory: join(temporary, "logs"),
    state: openState(join(temporary, "state.json")),
    report,
    ports,
    signal: ending.signal,
  });
  const bench = { machine, report, signal: ending.signal };
  const context = {
    ...bench,
    supervisor,
    secrets: makeSecrets(),
    ports: ports.numbers,
    dataDirectory: temporary,
  };
  const [mongoUrl, redisUrl, s3, tools, chromium, nginx, pages] = await Promise.all([
    startMongo(context),
    startRedis(context),
    startS3(context),
    findMediaTools(bench),
    findChromium(bench),
    findNginx(bench),
    buildPages(root, report, ending.signal),
  ]);
  Object.assign(process.env, {
    MATINEE_MONGO_URL: mongoUrl,
    MATINEE_REDIS_URL: redisUrl,
    MATINEE_S3_ENDPOINT: s3.endpoint,
    MATINEE_S3_ACCESS_KEY_ID: s3.accessKeyId,
    MATINEE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    MATINEE_S3_REGION: s3.region,
    MATINEE_FFMPEG_PATH: tools.ffmpegPath,
    MATINEE_FFPROBE_PATH: tools.ffprobePath,
    MATINEE_BWRAP_PATH: tools.bwrapPath ?? "",
    MATINEE_VMAF_FFMPEG_PATH: tools.scorerPath ?? "",
    // It costs more than the short films of tests; those about it ask for it.
    MATINEE_VMAF: "off",
    MATINEE_TEST_CHROMIUM: chromium,
    MATINEE_TEST_NGINX: nginx ?? "",
    MATINEE_PAGES_DIR: pages,
  });
}

/** The test files whose path holds one of the filters, in a stable order. */
async function chosenFiles(filters: readonly string[]): Promise<string[]> {
  const files = await Array.fromAsync(glob("test/**/*.test.ts", { cwd: root }));
  const wanted = filters.map((filter) => relative(root, resolve(filter)));
  return files
    .filter((file) => filters.length === 0 || [...filters, ...wanted].some((part) => file.includes(part)))
    .sort();
}

async function runFiles(files: string[], concurrency: number): Promise<void> {
  if (files.length === 0 || ending.signal.aborted) return;
  const stream = run({ cwd: root, files, concurrency, signal: ending.signal, timeout: TEST_LIMIT_MS });
  const stopLooking = endHung(stream, FILE_LIMITS, ({ file, why, lastOutput }) => {
    hungFiles.push(`${relative(root, file)}: ${why}`);
    report.fail(`${hungFiles.at(-1)}; what it said last:\n${lastOutput}`);
  });
  stream.on("test:summary", ({ file, counts, duration_ms: milliseconds }) => {
    // One for each file, then one for all of them.
    if (file !== undefined) {
      took.push({ file: relative(root, file), seconds: Math.round(milliseconds / 1000) });
      return;
    }
    totals.passed += counts.passed;
    totals.skipped += counts.skipped + counts.todo;
    totals.failed += counts.tests - counts.passed - counts.skipped - counts.todo;
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(text as string);
  stopLooking();
}
