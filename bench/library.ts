import { randomBytes } from "node:crypto";
import type { PlaybackRecord } from "../core/records/playback.ts";
import { openSessionDesk } from "../stores/library/session-desk.ts";
import { startProduct } from "../test/rig/product.ts";
import { figure, printTable } from "./table.ts";

/**
 * What the library does a second for 200 callers at once, for each kind of call that opening a playback makes, beside
 * the cheapest of all: one record by its id. `node bench/library.ts [seconds]`
 */

const CALLERS = 200;
const seconds = Math.min(10, Number(process.argv[2] ?? 3));
const product = await startProduct({ workers: 0 });
const { library } = product;
const desk = openSessionDesk(library);

try {
  const byId = await rate(() => library.apiKeys.findOne({ _id: "unknown" }));
  const alone = await rate((caller) => library.playbacks.insertOne(playbackOf(caller)));
  const insert = await rate((caller) => desk.keep(playbackOf(caller)));
  const latest = await rate((caller) =>
    desk.position({ tenant: "default", subject: `crowd-${caller}`, titleId: "film" }),
  );
  const versions: number[] = [];
  const claim = await rate((caller) => {
    const version = versions[caller] ?? 0;
    versions[caller] = version + 1;
    const stream = { titleId: "film", startedAt: new Date(0), until: new Date(0) };
    const change = { version, sessionId: "ps_bench", stream, forgets: [] };
    return desk.claim({ tenant: "default", subject: `crowd-${caller}`, ...change });
  });
  const row = (name: string, callsPerSecond: number) => [
    name,
    figure(callsPerSecond, 0),
    figure(callsPerSecond / byId),
  ];
  printTable(
    ["200 callers at once", "calls/s", "÷ by id"],
    [
      row("one record by its id", byId),
      row("a new session, durable, each by itself", alone),
      row("a new session, durable, together", insert),
      row("a place among an account's streams, durable, together", claim),
      row("where an account left a title", latest),
    ],
  );
} finally {
  await product.stop();
}

async function rate(call: (caller: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let calls = 0;
  const loop = async (caller: number): Promise<void> => {
    for (; performance.now() < end; calls++) await call(caller);
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => loop(caller)));
  return calls / seconds;
}

function playbackOf(caller: number): PlaybackRecord {
  const now = library.serverNow();
  return {
    _id: `ps_${randomBytes(13).toString("hex")}`,
    tenant: "default",
    subject: `crowd-${caller}`,
    titleId: "film",
    assetId: "asset",
    generation: "generation",
    createdAt: now,
    expiresAt: now,
    firstGrantExpiresAt: now,
    endedAt: null,
  };
}
