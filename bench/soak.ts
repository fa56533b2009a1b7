import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVENT_TYPES } from "../core/webhook-event.ts";
import { openLibrary } from "../stores/library/connect.ts";
import { seeded, seedOf } from "../test/fuzz/random.ts";
import { openStorage } from "../test/rig/package.ts";
import { descendants } from "../test/rig/processes.ts";
import { environmentOf, freePort } from "../test/rig/product.ts";
import { openReceiver } from "../test/rig/webhook-receiver.ts";
import { openWire } from "../test/rig/wire.ts";
import { openAcknowledged } from "./soak/acknowledged.ts";
import { openClient, openComplaints } from "./soak/client.ts";
import { edit } from "./soak/editor.ts";
import { openFaultLog } from "./soak/faults.ts";
import { makeFilms } from "./soak/films.ts";
import { openFleet } from "./soak/fleet.ts";
import {
  checkAssets,
  checkEvents,
  checkMultiparts,
  checkScratch,
  checkStorage,
  checkTitles,
} from "./soak/invariants.ts";
import { startOwnRedis } from "./soak/redis-server.ts";
import { sabotage } from "./soak/saboteur.ts";
import { settled } from "./soak/settle.ts";
import { watch } from "./soak/viewer.ts";
import { printTable } from "./table.ts";

/**
 * The whole product for a long time, with everybody who uses it and everything that breaks, at random: editors, viewers and a receiver of
 * webhooks go on while processes are killed, stopped and suspended and the outer parts fail. Then all is healed, and what must hold is
 * looked at: nothing accepted is lost, nothing hangs, no byte differs, nothing is left behind.
 * `node bench/soak.ts [minutes] [seed] [seconds between faults; 0: none]`
 */

const minutes = Number(process.argv[2] ?? 5);
const seed = Number(process.argv[3] ?? 1);
const faultEverySeconds = Number(process.argv[4] ?? 8);
const EDITORS = 2;
const VIEWERS = 2;
const SETTLE_SECONDS = 420;

const faults = openFaultLog();
const complaints = openComplaints(faults);
const known = openAcknowledged();
const folder = mkdtempSync(join(tmpdir(), "matinee-soak-"));
const fleet = openFleet(faults, folder);
const redis = await startOwnRedis();
const mongoUrl = new URL(process.env.MATINEE_MONGO_URL ?? "mongodb://127.0.0.1:37017/");
const s3Url = new URL(process.env.MATINEE_S3_ENDPOINT ?? "http://127.0.0.1:39000");
const mongo = await openWire({ host: mongoUrl.hostname, port: Number(mongoUrl.port) });
const s3 = await openWire({ host: s3Url.hostname, port: Number(s3Url.port) });
const receiver = await openReceiver();
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => ending.abort());

const name = `soak${randomBytes(4).toString("hex")}`;
const accounts = [
  "viewer-1",
  "editor-1",
  "admin-1",
  ...Array.from({ length: VIEWERS }, (_, n) => `viewer-s${n}`),
];
const tokens = new Map(accounts.map((one) => [one, `mk_${randomBytes(32).toString("hex")}`]));
const token = (account: string): string => tokens.get(account) ?? "";
const deliveryPort = await freePort();
const apiUrls = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
const edgeHosts = ["127.0.0.1", "127.0.0.2"];
const wired = new URL(mongoUrl);
Object.assign(wired, { port: String(mongo.port), pathname: `/${name}`, search: "directConnection=true" });
const roles = { viewer: token("viewer-1"), editor: token("editor-1"), admin: token("admin-1") };
const environment = environmentOf(
  name,
  join(folder, "scratch"),
  roles,
  apiUrls[0]!,
  `http://127.0.0.1:${deliveryPort}`,
  {
    slots: 1,
    environment: {
      MATINEE_MONGO_URL: wired.href,
      MATINEE_REDIS_URL: redis.url,
      MATINEE_S3_ENDPOINT: `http://127.0.0.1:${s3.port}`,
      MATINEE_DELIVERY_URLS: edgeHosts.map((host) => `http://${host}:${deliveryPort}`).join(),
      MATINEE_WEBHOOK_NETWORKS: "127.0.0.0/8",
      MATINEE_VMAF: "off",
      MATINEE_BOOT_KEYS: JSON.stringify(
        accounts.map((subject) => ({
          role: subject.split("-")[0],
          tenant: "default",
          subject,
          sha256: createHash("sha256").update(token(subject)).digest("hex"),
        })),
      ),
    },
  },
);

let isGood = false;
try {
  isGood = await soak();
} finally {
  await fleet.stop();
  await redis.close();
  for (const wire of [mongo, s3]) wire.close();
  await receiver.close();
  if (isGood) rmSync(folder, { recursive: true, force: true });
  else process.stdout.write(`logs: ${folder}\n`);
}
process.exitCode = isGood ? 0 : 1;

async function startFleet(): Promise<void> {
  for (const [index, url] of apiUrls.entries())
    await fleet.add(`api-${index}`, "api", "api/main.ts", '"listening"', {
      ...environment,
      MATINEE_HTTP_PORT: new URL(url).port,
    });
  for (const [index, host] of edgeHosts.entries())
    await fleet.add(`edge-${index}`, "edge", "delivery/main.ts", "listening", {
      ...environment,
      MATINEE_HTTP_HOST: host,
      MATINEE_HTTP_PORT: String(deliveryPort),
      MATINEE_STEERING_URL: apiUrls[0]!,
      MATINEE_EDGE_CACHE_DIR: join(folder, `cache-${index}`),
    });
  for (let index = 0; index < 3; index++) {
    mkdirSync(join(folder, `scratch-${index}`));
    await fleet.add(`worker-${index}`, "worker", "transcoder/main.ts", '"transcoder started"', {
      ...environment,
      MATINEE_SCRATCH_DIR: join(folder, `scratch-${index}`),
    });
  }
}

async function soak(): Promise<boolean> {
  const films = await makeFilms();
  await startFleet();
  const apis = apiUrls.map((url, index) => ({ name: `api-${index}`, url }));
  const clientOf = (account: string) => openClient(apis, token(account), faults, complaints);
  const editors = Array.from({ length: EDITORS }, () => clientOf("editor-1"));
  const hook = await clientOf("admin-1").insist(
    "POST",
    "/v1/webhooks",
    { url: receiver.url, types: EVENT_TYPES },
    [201],
  );
  const chance = (what: string) => seeded(seedOf(seed, what));
  const seen = new Map<string, string>();
  const edges = new Map(edgeHosts.map((host, index) => [host, `edge-${index}`]));
  const day = AbortSignal.any([ending.signal, AbortSignal.timeout(minutes * 60_000)]);
  const shared = { faults, complaints, known };
  const target = { fleet, redis, s3, mongo, faults, chance: chance("saboteur") };
  const progress = setInterval(() => {
    process.stderr.write(
      `${Math.round(faults.now() / 1000)} s: ${JSON.stringify(known.counts)}, ${faults.all.length} faults, ${complaints.all.length} complaints\n`,
    );
  }, 30_000);
  await Promise.all([
    ...editors.map((client, index) =>
      edit(
        { ...shared, name: `editor ${index}`, client, films, seen, chance: chance(`editor ${index}`) },
        day,
      ),
    ),
    ...Array.from({ length: VIEWERS }, (_, index) => {
      const account = `viewer-s${index}`;
      return watch(
        { ...shared, name: account, client: clientOf(account), seen, edges, chance: chance(account) },
        day,
      );
    }),
    faultEverySeconds > 0 ? sabotage(target, faultEverySeconds, day) : null,
  ]);
  clearInterval(progress);
  return judge(hook.body.secret, seen, clientOf("editor-1"));
}

async function judge(
  secret: string,
  seen: ReadonlyMap<string, string>,
  client: ReturnType<typeof openClient>,
): Promise<boolean> {
  const healedAt = faults.now();
  process.stderr.write("all healed, waiting until nothing is to be done\n");
  const library = await openLibrary(wired.href);
  const blobs = openStorage({ environment } as never);
  try {
    const open = await settled(library, SETTLE_SECONDS);
    const settledAt = faults.now();
    const records = await library.assets.find({}).toArray();
    const scratch = [0, 1, 2].map((index) => join(folder, `scratch-${index}`));
    const encoders = fleet.members
      .flatMap(({ child }) => descendants(child.pid!))
      .filter((one) => one.name === "ffmpeg");
    const findings: [string, string[]][] = [
      ["still to be done", open ?? []],
      ["lost or ended wrongly: assets", await checkAssets(client, known)],
      ["lost or ended wrongly: titles and links", await checkTitles(client, known)],
      ["not told", checkEvents(receiver.received, secret, known, records)],
      ["storage", await checkStorage(library, blobs, seen)],
      ["multipart uploads", await checkMultiparts(library, environment)],
      ["scratch", await checkScratch(scratch)],
      ["encoders that run on", encoders.map(({ pid }) => `ffmpeg ${pid}`)],
      [
        "answers",
        complaints.all.map(({ at, what, during }) => `${Math.round(at / 1000)} s, during ${during}: ${what}`),
      ],
      [
        "logs",
        fleet.oddities.map(
          ({ at, member, text }) => `${Math.round(at / 1000)} s ${member}: ${text.slice(0, 600)}`,
        ),
      ],
    ];
    for (const [what, lines] of findings)
      if (lines.length > 0)
        process.stdout.write(
          `\n${what}: ${lines.length}\n${lines
            .slice(0, 40)
            .map((line) => `  ${line}\n`)
            .join("")}`,
        );
    report(settledAt - healedAt, findings);
    return findings.every(([, lines]) => lines.length === 0);
  } finally {
    blobs.close();
    await library.close();
  }
}

function report(settleMs: number, findings: readonly [string, string[]][]): void {
  const deeds = Map.groupBy(
    faults.all.filter(({ kind }) => kind !== "down"),
    ({ kind, target }) => `${target.replace(/-\d$/, "")} ${kind}`,
  );
  process.stdout.write(`\n${[...deeds].map(([deed, all]) => `${deed} ${all.length}`).join(", ")}\n`);
  process.stdout.write(
    `${Object.entries(known.counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(", ")}\n`,
  );
  for (const { name: member } of fleet.members.filter((one) => one.name.endsWith("-0"))) {
    const samples = fleet.memory
      .filter((one) => one.member === member)
      .map(({ bytes }) => Math.round(bytes / 2 ** 20));
    const step = Math.max(1, Math.floor(samples.length / 10));
    process.stdout.write(
      `${member}, MiB by time: ${samples.filter((_, index) => index % step === 0).join(" ")}\n`,
    );
  }
  printTable(
    [`${minutes} min, seed ${seed}`, "found"],
    [
      ["faults", String(faults.all.length)],
      ["s until all was done", String(Math.round(settleMs / 1000))],
      ...findings.map(([what, lines]): [string, string] => [what, String(lines.length)]),
    ],
  );
}
