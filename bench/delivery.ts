import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseGrantKeys, signGrant } from "../core/grant.ts";
import { type BlobsConfig, openBlobs } from "../stores/blobs.ts";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { startNginxEdge } from "../test/rig/nginx-edge.ts";
import { readPackage, withPackageFolder } from "../test/rig/package.ts";
import { descendants } from "../test/rig/process-tree.ts";
import { freePort, type Product, startProduct } from "../test/rig/product.ts";
import { follow } from "./follow.ts";
import { figure, median, printTable } from "./table.ts";
import { type Load, load } from "./wrk.ts";

/**
 * Media: bytes a second of both edges for the warm segments of a published film, asked for by viewers with a grant each,
 * beside plain nginx that serves the same files from disk; what of a crowd's requests the caches answer; what idle viewers
 * cost. 200 connections each, from `wrk` on the same machine.
 * `node bench/delivery.ts [seconds]`
 */

const CONNECTIONS = 200;
/** Each of so many rounds measures all three; the middle of their ratios counts. */
const ROUNDS = 3;
const VIEWERS = 100;
/** A viewer's grant for each connection, taking turns: what an edge remembers of one must not speak for all. */
const GRANTS = CONNECTIONS;
const IDLE_VIEWERS = 1_000;
const seconds = Math.min(10, Number(process.argv[2] ?? 8));
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-wrk-"));
const product = await startProduct({
  environment: {
    MATINEE_EDGE_CACHE_DIR: join(folder, "edge-cache"),
  },
});
const blobs = openBlobs(blobsOf(product.environment));
const accessLog = join(folder, "nginx-edge.log");
const { MATINEE_EDGE_CACHE_DIR: _ofTheOther, ...shared } = product.environment;
const nginxEdge = await startNginxEdge(
  // As in production: the rig looks for revocations twenty times a second, which is no viewer's cost.
  { ...shared, MATINEE_NGINX_ACCESS_LOG: accessLog, MATINEE_REVOCATIONS_EVERY_MS: "10000" },
  blobs,
);

try {
  const assetId = await product.uploadFile(BIG_BUCK_BUNNY);
  const asset = await follow(product, assetId, ({ state }) => state === "ready");
  const files = await readPackage(product, asset);
  const titleId = await publishTitle(product, assetId);
  const opened = await product.call("POST", "/v1/playback", { titleId }, product.tokens.viewer);
  const base = new URL(opened.body.manifestUrl.replace(/main\.m3u8$/, ""));
  const segments = [...files.keys()].filter((path) => /^video\/.*\.m4s$/.test(path));

  const crowd = await watchTogether(product, titleId, segments);
  const loadAt = (origin: string, script: string, pids: number[] = []) =>
    load(origin, script, { folder, connections: CONNECTIONS, seconds, pids });
  const edgeAt = (origin: string, pids: number[] = []) =>
    loadAt(origin, getScript(grantedPrefixes(base.pathname), segments), pids);
  // Once without counting: all caches are warm.
  await edgeAt(base.origin);
  await edgeAt(nginxEdge.url);
  const idle = await holdIdle(base.origin, `${base.pathname}main.m3u8`);
  const rounds = await withPackageFolder(files, (root) =>
    withNginx(root, async (origin, plainPid) => {
      const pids = {
        nginx: await below(plainPid),
        nginxEdge: await below(nginxEdge.child.pid!),
        edge: await ofNodeEdge(),
      };
      const script = getScript(["/"], segments);
      const taken: { nginx: Load; nginxEdge: Load; edge: Load }[] = [];
      // In turns: what else the machine does in a minute falls on all three.
      for (let round = 0; round < ROUNDS; round++) {
        taken.push({
          nginx: await loadAt(origin, script, pids.nginx),
          nginxEdge: await edgeAt(nginxEdge.url, pids.nginxEdge),
          edge: await edgeAt(base.origin, pids.edge),
        });
      }
      return taken;
    }),
  );
  const perGiB = ({ cpuSeconds, bytes }: Load) => (cpuSeconds * 2 ** 30) / bytes;
  const mediaRow = (name: string, who: "nginx" | "nginxEdge" | "edge") => [
    name,
    figure(median(rounds.map((round) => round[who].bytes)) / seconds / 2 ** 20, 0),
    figure(median(rounds.map((round) => round[who].requests)) / seconds, 0),
    String(rounds.reduce((sum, round) => sum + round[who].errors, 0)),
    figure(median(rounds.map((round) => round[who].bytes / round.nginx.bytes))),
    figure(median(rounds.map((round) => perGiB(round[who])))),
    figure(median(rounds.map((round) => perGiB(round.nginx) / perGiB(round[who])))),
  ];

  const bytes = [...files].flatMap(([path, content]) => (segments.includes(path) ? [content.length] : []));
  const mean = bytes.reduce((sum, one) => sum + one, 0) / bytes.length;
  printTable(
    [
      `segments of ${figure(mean / 2 ** 10, 0)} KiB on average`,
      "MiB/s",
      "requests/s",
      "errors",
      "÷ nginx",
      "CPU s a GiB",
      "bytes a CPU s ÷ nginx",
    ],
    [
      mediaRow("nginx, files on disk", "nginx"),
      mediaRow("nginx edge, warm", "nginxEdge"),
      mediaRow("Node edge, warm", "edge"),
    ],
  );
  printTable(
    [`${VIEWERS} viewers of one title, cold caches`, "requests", "from the cache"],
    [
      ["Node edge", String(crowd.node.requests), percent(crowd.node)],
      ["nginx edge", String(crowd.nginx.requests), percent(crowd.nginx)],
    ],
  );
  printTable(
    ["Node edge", "resident MiB"],
    [
      ["before", figure(idle.beforeBytes / 2 ** 20, 0)],
      [`${IDLE_VIEWERS} idle viewers connected`, figure(idle.withBytes / 2 ** 20, 0)],
      ["each, KiB", figure((idle.withBytes - idle.beforeBytes) / IDLE_VIEWERS / 2 ** 10, 1)],
    ],
  );
} finally {
  await nginxEdge.stop();
  blobs.close();
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

interface Hits {
  requests: number;
  hits: number;
}

function percent({ requests, hits }: Hits): string {
  return `${figure((100 * hits) / requests, 1)} %`;
}

/** Each viewer plays the film from its beginning, with a grant of their own, on both edges; nothing is warm. */
async function watchTogether(
  { call, tokens }: Product,
  titleId: string,
  segments: readonly string[],
): Promise<{ node: Hits; nginx: Hits }> {
  const viewers = await Promise.all(
    Array.from({ length: VIEWERS }, async () => {
      const { body } = await call("POST", "/v1/playback", { titleId }, tokens.viewer);
      return new URL(body.manifestUrl.replace(/main\.m3u8$/, ""));
    }),
  );
  const rung = segments.filter((path) => path.startsWith(segments[0]!.replace(/[^/]+$/, "")));
  const play = (origin: string) =>
    Promise.all(
      viewers.map(async ({ pathname }) => {
        for (const path of ["main.m3u8", ...rung]) {
          const answer = await fetch(`${origin}${pathname}${path}`);
          if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
          await answer.arrayBuffer();
        }
      }),
    );
  await play(viewers[0]!.origin);
  await play(nginxEdge.url);
  const counts = await nodeMetrics(
    viewers[0]!.origin,
    /^matinee_delivery_cache_requests_total\{outcome="(\w+)"\} (\d+)/gm,
  );
  const node = { requests: 0, hits: 0 };
  for (const [, outcome, count] of counts) {
    node.requests += Number(count);
    if (outcome !== "fetched") node.hits += Number(count);
  }
  const asked = VIEWERS * (1 + rung.length);
  let lines: string[] = [];
  // nginx writes its log a second late.
  while (lines.length < asked) lines = (await readFile(accessLog, "utf8")).trim().split("\n");
  const statuses = lines.map((line) => (JSON.parse(line) as { cache: string }).cache);
  const hits = statuses.filter((status) => status === "HIT").length;
  return { node, nginx: { requests: statuses.length, hits } };
}

async function nodeMetrics(origin: string, pattern: RegExp): Promise<RegExpMatchArray[]> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return [...text.matchAll(pattern)];
}

async function residentBytes(origin: string): Promise<number> {
  const [match] = await nodeMetrics(origin, /^matinee_delivery_process_resident_memory_bytes (\d+)/gm);
  return Number(match?.[1]);
}

/** Viewers who have read their playlist and now play from their buffer: a connection each, and nothing on it. */
async function holdIdle(origin: string, path: string): Promise<{ beforeBytes: number; withBytes: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: IDLE_VIEWERS, maxFreeSockets: IDLE_VIEWERS });
  const beforeBytes = await residentBytes(origin);
  const read = () =>
    new Promise<void>((resolve, reject) => {
      get(`${origin}${path}`, { agent }, (answer) => answer.resume().once("end", resolve)).once(
        "error",
        reject,
      );
    });
  await Promise.all(Array.from({ length: IDLE_VIEWERS }, read));
  const withBytes = await residentBytes(origin);
  agent.destroy();
  return { beforeBytes, withBytes };
}

function blobsOf(environment: Record<string, string>): BlobsConfig {
  const of = (name: string) => environment[`MATINEE_S3_${name}`] ?? "";
  return {
    endpoint: of("ENDPOINT"),
    publicEndpoint: of("ENDPOINT"),
    region: of("REGION"),
    accessKeyId: of("ACCESS_KEY_ID"),
    secretAccessKey: of("SECRET_ACCESS_KEY"),
    sourceBucket: of("SOURCE_BUCKET"),
    mediaBucket: of("MEDIA_BUCKET"),
  };
}

async function publishTitle({ call }: Product, assetId: string): Promise<string> {
  const made = await call("POST", "/v1/titles", { type: "movie", name: { en: "Big Buck Bunny" }, assetId });
  if (made.status !== 201) throw new Error(`no title: ${JSON.stringify(made.body)}`);
  const published = await call("POST", `/v1/titles/${made.body.id}/publish`, {});
  if (published.status !== 200) throw new Error(`not published: ${JSON.stringify(published.body)}`);
  return made.body.id;
}

/** `/v/<grant>/<asset>/<generation>/` for many viewers of the film that one of them reads below `pathname`. */
function grantedPrefixes(pathname: string): string[] {
  const [key] = parseGrantKeys(product.environment.MATINEE_GRANT_KEYS ?? "");
  if (key === undefined) throw new Error("no key to sign grants with");
  const prefix = pathname.replace(/^\/v\/[^/]+/, "");
  const expiresAtSeconds = Math.floor(Date.now() / 1_000) + 3_600;
  return Array.from({ length: GRANTS }, (_, viewer) => {
    const session = `ps_${String(viewer).padStart(26, "0")}`;
    return `/v/${signGrant(key, { prefix, expiresAtSeconds, session })}${prefix}`;
  });
}

/** Every prefix in turn; each gets to every path in time. */
function getScript(prefixes: readonly string[], paths: readonly string[]): string {
  const lua = (texts: readonly string[]) => texts.map((text) => JSON.stringify(text)).join(", ");
  return `
local prefixes = { ${lua(prefixes)} }
local paths = { ${lua(paths)} }
local at = 0
request = function()
  at = at + 1
  local path = (at % #prefixes + math.floor(at / #prefixes)) % #paths + 1
  return wrk.format("GET", prefixes[at % #prefixes + 1] .. paths[path])
end
`;
}

/** One worker process, as the edge is one; sendfile, no log: the fastest that a plain file server gets. */
async function withNginx<T>(root: string, use: (origin: string, pid: number) => Promise<T>): Promise<T> {
  const port = await freePort();
  const settings = join(folder, "nginx.conf");
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  await writeFile(
    settings,
    `${process.getuid?.() === 0 ? "user root;" : ""} daemon off; worker_processes 1; pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${places}
  server { listen 127.0.0.1:${port}; root ${root}; } }
`,
  );
  const child = spawn("nginx", ["-p", folder, "-c", settings], { stdio: ["ignore", "inherit", "inherit"] });
  try {
    await listening(port);
    return await use(`http://127.0.0.1:${port}`, child.pid!);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

/** nginx' processes that serve: the one that looks through the cache once ends by itself. */
async function below(pid: number): Promise<number[]> {
  const all = [pid, ...(await descendants(pid))];
  return all.filter((one) => /nginx: worker/.test(readFileSync(`/proc/${one}/cmdline`, "utf8")));
}

async function ofNodeEdge(): Promise<number[]> {
  const ours = await descendants(process.pid);
  return ours.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("delivery/main.ts"));
}

async function listening(port: number): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false)).once("connect", () => socket.destroy());
    });
    if (answers) return;
  }
  throw new Error(`nothing listens on ${port}`);
}
