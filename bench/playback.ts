import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { flashAndBeep } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { pidsBelow } from "./cpu.ts";
import { follow } from "./follow.ts";
import { makeViewers } from "./make-viewers.ts";
import { publishTitle } from "./publish-title.ts";
import { figure, printTable } from "./table.ts";
import { type Load, load } from "./wrk.ts";

/**
 * Sessions opened a second by a crowd of accounts, and renewed; beside a bare Hono route, beside the same route with
 * the same calls to MongoDB, beside what no renewal can do without, and beside a grant's signature alone. Then one viewer after
 * the other: what each waits. CPU is that of the server's own process.
 * `node bench/playback.ts [seconds]`
 */

const CONNECTIONS = 200;
const ACCOUNTS = 2_000;
/** What tells the servers' command lines. */
const API = "api/main.ts";
const BARE = "bench/bare-route.ts";
/** Each opens one session at a time, so that its place is free again. */
const ALONE = 300;
const seconds = Math.min(10, Number(process.argv[2] ?? 5));
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-wrk-"));
// The limit that holds a single account back is not what is measured here.
const environment = { MATINEE_RATE_PER_ACCOUNT: "10000000" };
const product = await startProduct({ environment });

try {
  const assetId = await product.uploadFile(await flashAndBeep({ seconds: 4 }));
  await follow(product, assetId, ({ state }) => state === "ready");
  const titleId = await publishTitle(product, assetId);
  const tokens = await makeViewers(product, ACCOUNTS);
  const body = JSON.stringify({ titleId, capabilities: { renews: true, maxHeight: 1080 } });
  const alone = await oneByOne(product, tokens[0]!, body);
  const all = (path: string, text: string) =>
    postScript(
      tokens.map((token) => ({ path, token })),
      text,
    );
  const opened = await crowd(product.apiUrl, all("/v1/playback", body), API);
  const sessions = await Promise.all(
    tokens.slice(0, CONNECTIONS).map(async (token) => {
      const answer = await product.call("POST", "/v1/playback", JSON.parse(body), token);
      const { sessionId } = answer.body;
      return { path: `/v1/playback/${sessionId}/renew`, sessionId, token };
    }),
  );
  const renewed = await crowd(product.apiUrl, postScript(sessions, ""), API);
  const least = sessions.map(({ sessionId, token }) => ({ path: `/renew/${sessionId}`, token }));
  const signed = sessions.map(({ sessionId, token }) => ({ path: `/sign/${sessionId}`, token }));
  const [bare, calls, floor, signature] = await withBareRoute(product, async (origin) => [
    await crowd(origin, all("/", body), BARE),
    await crowd(origin, all("/calls", JSON.stringify({ titleId, assetId })), BARE),
    await crowd(origin, postScript(least, ""), BARE),
    await crowd(origin, postScript(signed, ""), BARE),
  ]);
  const row = (name: string, one: Load) => [
    name,
    ...[figure(one.requests / seconds, 0), figure(one.p50Ms, 0), figure(one.p95Ms, 0), String(one.errors)],
    figure((one.cpuSeconds * 1_000) / one.requests, 3),
    figure(one.requests / bare!.requests, 3),
    figure(one.requests / calls!.requests),
  ];
  printTable(
    [
      ...[`POST, ${CONNECTIONS} connections`, "answers/s", "p50 ms", "p95 ms", "errors", "CPU ms each"],
      ...["÷ bare", "÷ same calls"],
    ],
    [
      row("bare Hono route", bare!),
      row("bare route, the same calls to MongoDB", calls!),
      row(`/v1/playback, ${ACCOUNTS} accounts`, opened),
      row("…/renew", renewed),
      row("the least that renews", floor!),
      row("a grant signed, nothing asked", signature!),
    ],
  );
  printTable(
    ["/v1/playback, one after the other", "p50 ms", "p95 ms"],
    [["one viewer", figure(alone[ALONE >> 1]!, 1), figure(alone[Math.floor(ALONE * 0.95)]!, 1)]],
  );
} finally {
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

/** What each of them waited, in ms, least first; the first few are for the compiler. */
async function oneByOne({ apiUrl }: Product, token: string, body: string): Promise<number[]> {
  const waits: number[] = [];
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  for (let index = -100; index < ALONE; index++) {
    const began = performance.now();
    const answer = await fetch(`${apiUrl}/v1/playback`, { method: "POST", headers, body });
    await answer.arrayBuffer();
    if (answer.status !== 201) throw new Error(`not opened: ${answer.status}`);
    if (index >= 0) waits.push(performance.now() - began);
  }
  return waits.sort((a, b) => a - b);
}

async function crowd(origin: string, script: string, server: string): Promise<Load> {
  const pids = await pidsBelow(process.pid, server);
  return load(origin, script, { folder, connections: CONNECTIONS, seconds, pids });
}

/** One after the other, as a crowd would: one account that opens thousands of sessions is nobody's evening. */
function postScript(requests: readonly { path: string; token: string }[], body: string): string {
  const list = requests.map(({ path, token }) => `{ ${JSON.stringify(path)}, ${JSON.stringify(token)} }`);
  const type = body === "" ? "" : '["Content-Type"] = "application/json", ';
  return `
local requests = { ${list.join(", ")} }
local at = 0
request = function()
  at = at % #requests + 1
  return wrk.format("POST", requests[at][1], { ${type}["Authorization"] = "Bearer " .. requests[at][2] }, '${body}')
end
`;
}

async function withBareRoute<T>(
  { environment: env }: Product,
  use: (origin: string) => Promise<T>,
): Promise<T> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "bare-route.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      MATINEE_MONGO_URL: env.MATINEE_MONGO_URL,
      MATINEE_REDIS_URL: env.MATINEE_REDIS_URL,
    },
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
    return await use(`http://127.0.0.1:${line.split(" ")[1]}`);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}
