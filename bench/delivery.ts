import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { readPackage, withPackageFolder } from "../test/rig/package.ts";
import { freePort, type Product, startProduct } from "../test/rig/product.ts";
import { follow } from "./follow.ts";
import { figure, printTable } from "./table.ts";

/**
 * Media: bytes a second of the edge for the segments of a published film, beside plain nginx that serves the same
 * files from disk. Grants: playback sessions opened a second, beside a bare Hono route. 200 connections each, from
 * `wrk` on the same machine. `node bench/delivery.ts [seconds]`
 */

const CONNECTIONS = 200;
/** What wrk prints at its end: one line of JSON. */
const REPORT = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"bytes":%d,"errors":%d,"p50Ms":%f,"p99Ms":%f}', summary.requests, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`;
const seconds = Math.min(10, Number(process.argv[2] ?? 8));
const run = promisify(execFile);
/** The limit that holds a single account back is not what is measured here. */
const product = await startProduct({ environment: { MATINEE_RATE_PER_ACCOUNT: "10000000" } });
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-wrk-"));

try {
  const assetId = await product.uploadFile(BIG_BUCK_BUNNY);
  const asset = await follow(product, assetId, ({ state }) => state === "ready");
  const files = await readPackage(product, asset);
  const titleId = await publishTitle(product, assetId);
  const opened = await product.call("POST", "/v1/playback", { titleId }, product.tokens.viewer);
  const base = new URL(opened.body.manifestUrl.replace(/main\.m3u8$/, ""));
  const segments = [...files.keys()].filter((path) => /^video\/.*\.m4s$/.test(path));

  const edge = () => load(base.origin, getScript(segments.map((path) => base.pathname + path)));
  const nginx = () =>
    withPackageFolder(files, (root) =>
      withNginx(root, (origin) => load(origin, getScript(segments.map((path) => `/${path}`)))),
    );
  // Once without counting: caches of the system and of the edge are warm for both.
  await edge();
  const media = { edge: await edge(), nginx: await nginx() };

  const body = JSON.stringify({ titleId, capabilities: { renews: true } });
  const viewers = await makeViewers(product);
  const mint = await load(product.apiUrl, postScript("/v1/playback", body, viewers));
  const bare = await withBareRoute((origin) => load(origin, postScript("/", body, viewers)));

  const bytes = [...files].flatMap(([path, content]) => (segments.includes(path) ? [content.length] : []));
  const mean = bytes.reduce((sum, one) => sum + one, 0) / bytes.length;
  printTable(
    [`segments of ${figure(mean / 2 ** 10, 0)} KiB on average`, "MiB/s", "requests/s", "errors", "÷ nginx"],
    [
      ["nginx, files on disk", ...mediaFigures(media.nginx), "1"],
      ["edge, grant checked", ...mediaFigures(media.edge), figure(media.edge.bytes / media.nginx.bytes)],
    ],
  );
  printTable(
    ["POST with a JSON body", "answers/s", "p50 ms", "p99 ms", "errors", "÷ bare route"],
    [
      ["bare Hono route", ...callFigures(bare), "1"],
      ["POST /v1/playback", ...callFigures(mint), figure(mint.requests / bare.requests)],
    ],
  );
} finally {
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

interface Load {
  requests: number;
  bytes: number;
  errors: number;
  p50Ms: number;
  p99Ms: number;
}

function mediaFigures(one: Load): string[] {
  return [figure(one.bytes / seconds / 2 ** 20, 0), figure(one.requests / seconds, 0), String(one.errors)];
}

function callFigures(one: Load): string[] {
  return [figure(one.requests / seconds, 0), figure(one.p50Ms, 0), figure(one.p99Ms, 0), String(one.errors)];
}

async function publishTitle({ call }: Product, assetId: string): Promise<string> {
  const made = await call("POST", "/v1/titles", { type: "movie", name: { en: "Big Buck Bunny" }, assetId });
  if (made.status !== 201) throw new Error(`no title: ${JSON.stringify(made.body)}`);
  const published = await call("POST", `/v1/titles/${made.body.id}/publish`, {});
  if (published.status !== 200) throw new Error(`not published: ${JSON.stringify(published.body)}`);
  return made.body.id;
}

/** wrk against one origin; answers with a status of 400 and above count as errors. */
async function load(origin: string, script: string): Promise<Load> {
  const path = join(folder, "load.lua");
  await writeFile(path, script + REPORT);
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "--timeout", "20s", "-s", path, origin];
  const { stdout } = await run("wrk", args);
  return JSON.parse(stdout.slice(stdout.lastIndexOf("{"))) as Load;
}

function getScript(paths: readonly string[]): string {
  return `
local paths = { ${paths.map((path) => JSON.stringify(path)).join(", ")} }
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
`;
}

/** One after the other, as a crowd would: one account that opens thousands of sessions is nobody's evening. */
function postScript(path: string, body: string, tokens: readonly string[]): string {
  return `
local tokens = { ${tokens.map((token) => JSON.stringify(token)).join(", ")} }
local at = 0
request = function()
  at = at % #tokens + 1
  return wrk.format("POST", "${path}", {
    ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. tokens[at]
  }, '${body}')
end
`;
}

/** As many accounts as connections. */
async function makeViewers({ library }: Product): Promise<string[]> {
  const tokens = Array.from({ length: CONNECTIONS }, () => `mk_${randomBytes(32).toString("hex")}`);
  await library.apiKeys.insertMany(
    tokens.map((token, index) => ({
      _id: createHash("sha256").update(token).digest("hex"),
      tenant: "default",
      subject: `crowd-${index}`,
      role: "viewer",
      createdAt: library.serverNow(),
      revokedAt: null,
    })),
  );
  return tokens;
}

/** One worker process, as the edge is one; sendfile, no log: the fastest that a plain file server gets. */
async function withNginx<T>(root: string, use: (origin: string) => Promise<T>): Promise<T> {
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
    return await use(`http://127.0.0.1:${port}`);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

async function withBareRoute<T>(use: (origin: string) => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "bare-route.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
    return await use(`http://127.0.0.1:${line.split(" ")[1]}`);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
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
