import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { startNginxEdge } from "../test/rig/nginx-edge.ts";
import { openStorage, readPackage, withPackageFolder } from "../test/rig/package.ts";
import { eventually } from "../test/rig/processes.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { pidsBelow } from "./cpu.ts";
import { type Hits, openSession, watchTogether } from "./delivery/crowd.ts";
import { holdIdle, type Idle } from "./delivery/idle-viewers.ts";
import { withPlainNginx } from "./delivery/plain-nginx.ts";
import { forgetPages } from "./delivery/read-back.ts";
import { getScript, grantedPrefixes } from "./delivery/segment-requests.ts";
import { follow } from "./follow.ts";
import { publishTitle } from "./publish-title.ts";
import { figure, median, printTable } from "./table.ts";
import { type Load, load } from "./wrk.ts";

/**
 * Media: bytes a second of both edges for the warm segments of a published film, asked for by viewers with a grant each,
 * beside plain nginx that serves the same files from disk (all three have read theirs back from it once); what of a crowd's
 * requests the caches answer; what idle viewers cost. 200 connections each, from `wrk` on the same machine.
 * `node bench/delivery.ts [seconds]`
 */

const CONNECTIONS = 200;
/** Each of so many rounds measures all three; the middle of their ratios counts. */
const ROUNDS = 5;
const VIEWERS = 100;
const IDLE_VIEWERS = 1_000;
const seconds = Math.min(10, Number(process.argv[2] ?? 8));

interface Film {
  titleId: string;
  /** Its package, by path. */
  files: Map<string, Uint8Array>;
  /** Paths of its segments of picture. */
  segments: string[];
}

/** One measurement of each server. */
type Round = Record<"nginx" | "nginxEdge" | "edge", Load>;

const folder = await mkdtemp(join(tmpdir(), "matinee-bench-wrk-"));
const product = await startProduct({ environment: { MATINEE_EDGE_CACHE_DIR: join(folder, "edge-cache") } });
const blobs = openStorage(product);
const accessLog = join(folder, "nginx-edge.log");
const { MATINEE_EDGE_CACHE_DIR: _ofTheOther, ...shared } = product.environment;
const nginxEdge = await startNginxEdge(
  // As in production: the rig looks for revocations twenty times a second, which is no viewer's cost.
  { ...shared, MATINEE_NGINX_ACCESS_LOG: accessLog, MATINEE_REVOCATIONS_EVERY_MS: "10000" },
  blobs,
);

try {
  const film = await publishFilm(product);
  const crowd = await watchTogether(product, { url: nginxEdge.url, accessLog }, film, VIEWERS);
  const base = await openSession(product, film.titleId);
  // A viewer's grant for each connection, taking turns: what an edge remembers of one must not speak for all.
  const prefixes = grantedPrefixes(product.environment, base.pathname, CONNECTIONS);
  const edgeScript = getScript(prefixes, film.segments);
  // All caches are filled.
  await loadAt(base.origin, edgeScript);
  await loadAt(nginxEdge.url, edgeScript);
  const idle = await holdIdle(base.origin, `${base.pathname}main.m3u8`, IDLE_VIEWERS);
  printRounds(film, await inTurns(film, base.origin, edgeScript));
  printCrowd(crowd);
  printIdle(idle);
} finally {
  await nginxEdge.stop();
  blobs.close();
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

async function publishFilm(of: Product): Promise<Film> {
  const assetId = await of.uploadFile(BIG_BUCK_BUNNY);
  const asset = await follow(of, assetId, ({ state }) => state === "ready");
  const files = await readPackage(of, asset);
  const segments = [...files.keys()].filter((path) => /^video\/.*\.m4s$/.test(path));
  return { titleId: await publishTitle(of, assetId), files, segments };
}

function loadAt(origin: string, script: string, pids: readonly number[] = []): Promise<Load> {
  return load(origin, script, { folder, connections: CONNECTIONS, seconds, pids });
}

/** What else the machine does in a minute falls on all three. */
function inTurns({ files, segments }: Film, edgeOrigin: string, edgeScript: string): Promise<Round[]> {
  return withPackageFolder(files, (root) =>
    withPlainNginx(folder, root, async (plainOrigin, plainPid) => {
      const plainPids = await nginxWorkers(plainPid);
      const nginxEdgePids = await nginxWorkers(nginxEdge.child.pid!);
      const edgePids = await pidsBelow(process.pid, "delivery/main.ts");
      const plainScript = getScript(["/"], segments);
      const caches = [join(nginxEdge.folder, "cache"), join(folder, "edge-cache")];
      for (const served of [root, ...caches]) await forgetPages(served);
      // Once without counting: all that is asked for is in memory.
      await loadAt(plainOrigin, plainScript);
      await loadAt(nginxEdge.url, edgeScript);
      await loadAt(edgeOrigin, edgeScript);
      const rounds: Round[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        rounds.push({
          nginx: await loadAt(plainOrigin, plainScript, plainPids),
          nginxEdge: await loadAt(nginxEdge.url, edgeScript, nginxEdgePids),
          edge: await loadAt(edgeOrigin, edgeScript, edgePids),
        });
      }
      return rounds;
    }),
  );
}

/**
 * nginx listens before it has a process that answers: what is counted is waited for. The one of its processes that looks through
 * the cache once ends by itself.
 */
function nginxWorkers(below: number): Promise<number[]> {
  return eventually("a worker of nginx", 10, async () => {
    const pids = await pidsBelow(below, "nginx: worker");
    return pids.length > 0 ? pids : null;
  });
}

function printRounds({ files, segments }: Film, rounds: readonly Round[]): void {
  const perGiB = ({ cpuSeconds, bytes }: Load) => (cpuSeconds * 2 ** 30) / bytes;
  const row = (name: string, who: keyof Round) => {
    const middle = (of: (round: Round) => number) => median(rounds.map(of));
    return [
      name,
      figure(middle((round) => round[who].bytes) / seconds / 2 ** 20, 0),
      figure(middle((round) => round[who].requests) / seconds, 0),
      String(rounds.reduce((sum, round) => sum + round[who].errors, 0)),
      figure(middle((round) => round[who].bytes / round.nginx.bytes)),
      figure(middle((round) => perGiB(round[who]))),
      figure(middle((round) => perGiB(round.nginx) / perGiB(round[who]))),
    ];
  };
  const bytes = segments.reduce((sum, path) => sum + files.get(path)!.length, 0);
  const measures = ["MiB/s", "requests/s", "errors", "÷ nginx", "CPU s a GiB", "bytes a CPU s ÷ nginx"];
  printTable(
    [`segments of ${figure(bytes / segments.length / 2 ** 10, 0)} KiB on average`, ...measures],
    [
      row("nginx, files on disk", "nginx"),
      row("nginx edge, warm", "nginxEdge"),
      row("Node edge, warm", "edge"),
    ],
  );
}

function printCrowd({ node, nginx }: Record<"node" | "nginx", Hits>): void {
  const row = (name: string, { requests, hits }: Hits) => [
    name,
    String(requests),
    `${figure((100 * hits) / requests, 1)} %`,
  ];
  printTable(
    [`${VIEWERS} viewers of one title, cold caches`, "requests", "from the cache"],
    [row("Node edge", node), row("nginx edge", nginx)],
  );
}

function printIdle({ viewers, beforeBytes, withBytes }: Idle): void {
  printTable(
    ["Node edge", "resident MiB"],
    [
      ["before", figure(beforeBytes / 2 ** 20, 0)],
      [`${viewers} idle viewers connected`, figure(withBytes / 2 ** 20, 0)],
      ["each, KiB", figure((withBytes - beforeBytes) / viewers / 2 ** 10, 1)],
    ],
  );
}
