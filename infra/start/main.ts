import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { thisMachine } from "./install.ts";
import { stopLeftovers } from "./leftovers.ts";
import { readOptions, type StartOptions, USAGE } from "./options.ts";
import { whenOrphaned } from "./orphan.ts";
import { buildPages } from "./pages.ts";
import { findMediaTools } from "./parts/media-tools.ts";
import { startMongo } from "./parts/mongo.ts";
import { startRedis } from "./parts/redis.ts";
import { startS3 } from "./parts/s3.ts";
import { holdPorts } from "./ports.ts";
import { dangers } from "./readiness.ts";
import { openReport, type Report } from "./report.ts";
import { publishSample } from "./sample.ts";
import { openSecrets, type Secrets } from "./secrets.ts";
import {
  apiService,
  deliveryService,
  type Foundations,
  publicUrls,
  readyUrl,
  transcoderName,
  transcoderService,
} from "./services.ts";
import { openState, type StateFile, waitForLock, writePrivately } from "./state.ts";
import { createSupervisor, type Supervisor } from "./supervise.ts";
import { readyLine, welcome } from "./welcome.ts";

const root = resolve(import.meta.dirname, "../..");

process.exit(await main());

async function main(): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stopping.abort());
  whenOrphaned(() => stopping.abort());
  // Whoever read us may be gone first; what was started must be stopped all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  let options: StartOptions;
  try {
    options = readOptions(process.argv.slice(2), process.cwd());
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${USAGE}\n`);
    return 1;
  }
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  // With --json stdout carries one line and nothing else.
  const report = openReport(options.json ? process.stderr : process.stdout);
  try {
    mkdirSync(options.dataDirectory, { recursive: true, mode: 0o700 });
    const lock = await waitForLock(options.dataDirectory, report, stopping.signal);
    try {
      return await runUntilStopped(options, report, stopping);
    } finally {
      lock.release();
    }
  } catch (error) {
    if (stopping.signal.aborted) return 0;
    report.fail(messageOf(error));
    return 1;
  }
}

/** Brings everything up, says so, waits for the end, and takes everything down. Answers the exit code. */
async function runUntilStopped(
  options: StartOptions,
  report: Report,
  stopping: AbortController,
): Promise<number> {
  const { dataDirectory } = options;
  const { signal } = stopping;
  const state = openState(join(dataDirectory, "state.json"));
  const readyFile = join(dataDirectory, "ready.json");
  rmSync(readyFile, { force: true });
  await stopLeftovers(state, report);
  state.update((current) => {
    current.stopping = false;
  });
  const ports = await holdPorts(partNames(options.workers), state.read().ports);
  state.update((current) => {
    current.ports = { ...current.ports, ...ports.numbers };
  });
  const logDirectory = join(dataDirectory, "logs");
  const supervisor = createSupervisor({ logDirectory, state, report, ports, signal });
  let exitCode = 0;
  try {
    const line = await bringUp(options, report, state, supervisor, ports.numbers, signal);
    writePrivately(readyFile, line);
    if (options.json) process.stdout.write(`${JSON.stringify(line)}\n`);
    else report.plain(welcome(line));
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      signal.addEventListener("abort", () => done(), { once: true });
    });
  } catch (error) {
    if (!signal.aborted) {
      report.fail(messageOf(error));
      exitCode = 1;
      // What else is on its way up ends too.
      stopping.abort();
    }
  }
  report.plain("\n  stopping");
  state.update((current) => {
    current.stopping = true;
  });
  rmSync(readyFile, { force: true });
  await supervisor.stopAll();
  report.plain("  stopped; the data is kept");
  return exitCode;
}

async function bringUp(
  options: StartOptions,
  report: Report,
  state: StateFile,
  supervisor: Supervisor,
  ports: Readonly<Record<string, number>>,
  signal: AbortSignal,
) {
  const { dataDirectory, workers, edges } = options;
  report.plain(`Matinee, with its data in ${dataDirectory}`);
  const machine = thisMachine(process.env);
  const secrets: Secrets = openSecrets(join(dataDirectory, "secrets.json"));
  const context = { machine, report, signal, supervisor, secrets, ports, dataDirectory };
  const [mongoUrl, redisUrl, s3, tools, pagesDirectory] = await Promise.all([
    startMongo(context),
    startRedis(context),
    startS3(context),
    findMediaTools(context),
    buildPages(root, report, signal),
  ]);
  const parts = { mongoUrl, redisUrl, s3, tools, pagesDirectory };
  const on: Foundations = { root, dataDirectory, environment: process.env, ports, secrets, ...parts };
  const urls = publicUrls(ports);
  const transcoders = transcoderNames(workers).map((name) => transcoderService(on, name, workers));
  const delivery = Array.from({ length: edges }, (_, index) => deliveryService(on, index + 1));
  const services = [...delivery, ...transcoders];
  const start = async (service: (typeof services)[number]) => {
    await supervisor.start(service);
    report.done(service.part, `ready on ${new URL(readyUrl(ports, service.part)).host}`);
    for (const danger of await dangers(readyUrl(ports, service.part))) report.note(service.part, danger);
  };
  await start(apiService(on, edges));
  await Promise.all(services.map(start));
  if (!options.empty) {
    const outputFd = options.json ? 2 : 1;
    const editorToken = secrets.tokens.editor;
    const { environment } = on;
    await publishSample({
      root,
      environment,
      apiUrl: urls.api,
      editorToken,
      state,
      report,
      signal,
      outputFd,
    });
  }
  return readyLine(urls, secrets.tokens);
}

function partNames(workers: number): string[] {
  return ["api", "delivery", "mongodb", "redis", "s3", ...transcoderNames(workers)];
}

function transcoderNames(workers: number): string[] {
  return Array.from({ length: workers }, (_, index) => transcoderName(index + 1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
