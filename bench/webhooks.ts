import { idFromSeed } from "../core/ids.ts";
import type { DeliveryRecord } from "../core/records/webhook.ts";
import { type Library, openLibrary } from "../stores/library/connect.ts";
import { pendingDeliveries } from "../stores/library/deliveries.ts";
import { claimDelivery, dueDeliveries } from "../stores/library/delivery-claims.ts";
import { figure, median, printTable } from "./table.ts";

/**
 * What the next deliveries cost to find while one endpoint hangs and has a backlog that all was due before: beside the same without
 * a backlog. `npm run bench -- webhooks [deliveries in the backlog]`
 */

const BACKLOG = Number(process.argv[2] ?? 20_000);
const OTHERS = 10;
const ROUNDS = 25;
const HANGING = "wh_hanging";
/** Its four are under way: the rest waits, and is passed over. */
const FULL = { webhookIds: [HANGING], tenants: [] };
const NONE = { webhookIds: [], tenants: [] };
const FREE = 28;
const OTHER_ENDPOINTS = Array.from({ length: OTHERS }, (_, index) => `wh_other-${index}`);

const url = new URL(process.env.MATINEE_MONGO_URL ?? "mongodb://127.0.0.1:37017/");
url.pathname = `/bench_webhooks_${process.pid}`;
const library = await openLibrary(url.href);

try {
  await library.ensureIndexes();
  await fill(library, "wh_other", OTHERS, 0);
  const before = await measured();
  await fill(library, HANGING, BACKLOG, 3_600_000);
  const behind = await measured();
  const names = Object.keys(before) as (keyof typeof before)[];
  printTable(
    ["ms, the middle one of 25", "no backlog", `${BACKLOG} at one endpoint`, "ratio"],
    names.map((name) => [
      name,
      figure(before[name]),
      figure(behind[name]),
      figure(behind[name] / before[name]),
    ]),
  );
} finally {
  await library.deliveries.drop();
  await library.close();
}

async function measured() {
  const others = await library.deliveries.find({ webhookId: { $in: OTHER_ENDPOINTS } }).toArray();
  return {
    "the next, nobody is full": await middleMs(() => dueDeliveries(library, NONE, FREE)),
    "the next beside a full endpoint": await middleMs(async () => {
      const due = await dueDeliveries(library, FULL, FREE);
      if (due.length !== OTHERS) throw new Error(`${due.length} found`);
    }),
    "a claim of one": await middleMs(async (round) => {
      const at = round % OTHERS;
      const claim = await claimDelivery(library, others[at] as DeliveryRecord, 0);
      if (claim === null) throw new Error("not claimed");
      others[at] = claim;
    }),
    "the figures of a scrape": await middleMs(() => pendingDeliveries(library, 10_000)),
  };
}

/** The middle one of the times, in ms. */
async function middleMs(call: (round: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    await call(round);
    times.push(performance.now() - began);
  }
  return median(times);
}

/** So many pending deliveries that have been due for `agoMs`: all of one endpoint, or each of its own where that is `wh_other`. */
async function fill(into: Library, webhookId: string, count: number, agoMs: number): Promise<void> {
  const dueAt = new Date(into.serverNow().getTime() - 1_000 - agoMs);
  const records = Array.from({ length: count }, (_, index): DeliveryRecord => {
    const own = webhookId === "wh_other" ? `wh_other-${index}` : webhookId;
    return {
      _id: idFromSeed("dl", `${webhookId}/${index}`),
      ...{ tenant: `tenant of ${own}`, webhookId: own, eventId: `ev_${index}`, type: "asset.ready" },
      body: JSON.stringify({ type: "asset.ready", data: { assetId: "as_x", text: "x".repeat(300) } }),
      ...{ state: "pending", epoch: 0, dueAt, isClaimed: false, failures: 0, attempts: [] },
      ...{ createdAt: dueAt, settledAt: null },
    };
  });
  for (let from = 0; from < count; from += 1_000)
    await into.deliveries.insertMany(records.slice(from, from + 1_000));
}
