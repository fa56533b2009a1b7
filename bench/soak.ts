import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EVENT_TYPES } from "../core/webhook-event.ts";
import { openLibrary } from "../stores/library/connect.ts";
import { seeded, seedOf } from "../test/fuzz/random.ts";
import { openStorage } from "../test/rig/package.ts";
import { descendants } from "../test/rig/processes.ts";
import { openReceiver } from "../test/rig/webhook-receiver.ts";
import { openAcknowledged } from "./soak/acknowledged.ts";
import { checkEvents } from "./soak/check-events.ts";
import { checkAssets, checkTitles } from "./soak/check-records.ts";
import { checkMultiparts, checkScratch, checkStorage } from "./soak/check-storage.ts";
import { openClient, openComplaints } from "./soak/client.ts";
import { edit } from "./soak/editor.ts";
import { openFaultLog } from "./soak/faults.ts";
import { makeFilms } from "./soak/films.ts";
import { openFleet } from "./soak/fleet.ts";
import { openOrigin } from "./soak/origin.ts";
import { report } from "./soak/report.ts";
import { sabotage } from "./soak/saboteur.ts";
import { settled } from "./soak/settle.ts";
import { setStage } from "./soak/stage.ts";
import { watch } from "./soak/viewer.ts";

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
const viewers = Array.from({ length: VIEWERS }, (_, index) => `viewer-${index}`);
const stage = await setStage(folder, ["editor-1", "admin-1", ...viewers]);
const receiver = await openReceiver();
const origin = await openOrigin();
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => ending.abort());

let isGood = false;
try {
  isGood = await soak();
} finally {
  await fleet.stop();
  await stage.close();
  await receiver.close();
  origin.close();
  if (isGood) rmSync(folder, { recursive: true, force: true });
  else process.stdout.write(`logs: ${folder}\n`);
}
process.exitCode = isGood ? 0 : 1;

async function soak(): Promise<boolean> {
  const films = await makeFilms();
  await stage.start(fleet);
  const clientOf = (account: string) => openClient(stage.apis, stage.token(account), faults, complaints);
  const editors = Array.from({ length: EDITORS }, () => clientOf("editor-1"));
  const hook = await clientOf("admin-1").insist(
    "POST",
    "/v1/webhooks",
    { url: receiver.url, types: EVENT_TYPES },
    [201],
  );
  const chance = (what: string) => seeded(seedOf(seed, what));
  const seen = new Map<string, string>();
  const day = AbortSignal.any([ending.signal, AbortSignal.timeout(minutes * 60_000)]);
  const shared = { faults, complaints, known };
  const target = { ...stage, origin, fleet, faults, chance: chance("saboteur") };
  const progress = setInterval(() => {
    process.stderr.write(
      `${Math.round(faults.now() / 1000)} s: ${JSON.stringify(known.counts)}, ${faults.all.length} faults, ${complaints.all.length} complaints\n`,
    );
  }, 30_000);
  await Promise.all([
    ...editors.map((client, index) =>
      edit(
        {
          ...shared,
          name: `editor ${index}`,
          client,
          films,
          origin,
          seen,
          chance: chance(`editor ${index}`),
        },
        day,
      ),
    ),
    ...viewers.map((account) => {
      const { edges } = stage;
      const client = clientOf(account);
      return watch({ ...shared, name: account, client, seen, edges, chance: chance(account) }, day);
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
  const library = await openLibrary(stage.environment.MATINEE_MONGO_URL!);
  const blobs = openStorage(stage);
  try {
    const open = await settled(library, SETTLE_SECONDS);
    const settledAt = faults.now();
    const records = await library.assets.find({}).toArray();
    const encoders = fleet.members
      .flatMap(({ child }) => descendants(child.pid!))
      .filter((one) => one.name === "ffmpeg");
    const findings: [string, string[]][] = [
      ["still to be done", open ?? []],
      ["lost or ended wrongly: assets", await checkAssets(client, known)],
      ["lost or ended wrongly: titles and links", await checkTitles(client, known)],
      ["not told", checkEvents(receiver.received, secret, known, records)],
      ["storage", await checkStorage(library, blobs, seen)],
      ["multipart uploads", await checkMultiparts(library, stage.environment)],
      ["scratch", await checkScratch(stage.scratchFolders)],
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
    report(`${minutes} min, seed ${seed}`, settledAt - healedAt, findings, { faults, known, fleet });
    return findings.every(([, lines]) => lines.length === 0);
  } finally {
    blobs.close();
    await library.close();
  }
}
