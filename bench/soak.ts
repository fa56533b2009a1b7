import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLibrary } from "../stores/library/connect.ts";
import { seeded, seedOf } from "../test/fuzz/random.ts";
import { openStorage } from "../test/rig/package.ts";
import { descendants } from "../test/rig/processes.ts";
import { checkEdges } from "./soak/check-edges.ts";
import { checkEvents } from "./soak/check-events.ts";
import { checkAssets, checkTitles } from "./soak/check-records.ts";
import { checkMultiparts, checkScratch, checkStorage } from "./soak/check-storage.ts";
import { type Client, openClient, openComplaints } from "./soak/client.ts";
import { edit } from "./soak/editor.ts";
import { openFaultLog } from "./soak/faults.ts";
import { makeFilms } from "./soak/films.ts";
import { openFleet } from "./soak/fleet.ts";
import { type House, openHouse, subscribe } from "./soak/house.ts";
import { openOrigin } from "./soak/origin.ts";
import { report } from "./soak/report.ts";
import { sabotage } from "./soak/saboteur.ts";
import { settled } from "./soak/settle.ts";
import { openSightings } from "./soak/sightings.ts";
import { setStage } from "./soak/stage.ts";
import { watch } from "./soak/viewer.ts";

/**
 * The whole product for a long time, with everybody who uses it and everything that breaks, at random: editors, viewers and receivers of
 * webhooks of two tenants go on while processes are killed, stopped and suspended and the outer parts fail. Then all is healed, and what must hold is
 * looked at: nothing accepted is lost, nothing hangs, no byte differs, nothing is left behind, and no tenant
 * was told of another's.
 * `node bench/soak.ts [minutes] [seed] [seconds between faults; 0: none]`
 */

const minutes = Number(process.argv[2] ?? 5);
const seed = Number(process.argv[3] ?? 1);
const faultEverySeconds = Number(process.argv[4] ?? 8);
const SETTLE_SECONDS = 420;

const faults = openFaultLog();
const complaints = openComplaints(faults);
const sightings = openSightings();
const folder = mkdtempSync(join(tmpdir(), "matinee-soak-"));
const fleet = openFleet(faults, folder);
const houses = [await openHouse("default", 2, 2), await openHouse("other", 1, 1)];
const accounts = houses.flatMap(({ name: tenant, viewers }) =>
  ["editor-1", "admin-1", ...viewers].map((subject) => ({ tenant, subject })),
);
const stage = await setStage(folder, accounts);
const origin = await openOrigin();
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => ending.abort());

let isGood = false;
try {
  isGood = await soak();
} finally {
  await fleet.stop();
  await stage.close();
  for (const { receiver } of houses) await receiver.close();
  origin.close();
  if (isGood) rmSync(folder, { recursive: true, force: true });
  else process.stdout.write(`logs: ${folder}\n`);
}
process.exitCode = isGood ? 0 : 1;

function clientOf(tenant: string, subject: string): Client {
  const { apis, token } = stage;
  return openClient({ apis, token: token(tenant, subject), tenant, faults, complaints, sightings });
}

async function soak(): Promise<boolean> {
  const films = await makeFilms();
  await stage.start(fleet);
  for (const house of houses) await subscribe(house, clientOf(house.name, "admin-1"));
  const chance = (what: string) => seeded(seedOf(seed, what));
  const seen = new Map<string, string>();
  const day = AbortSignal.any([ending.signal, AbortSignal.timeout(minutes * 60_000)]);
  const target = { ...stage, origin, fleet, faults, chance: chance("saboteur") };
  const progress = setInterval(() => {
    const counts = houses.map(({ known }) => JSON.stringify(known.counts));
    process.stderr.write(
      `${Math.round(faults.now() / 1000)} s: ${counts}, ${faults.all.length} faults, ${complaints.all.length} complaints\n`,
    );
  }, 30_000);
  await Promise.all([
    ...houses.flatMap(({ name: tenant, editors, viewers, known }) => {
      const shared = { faults, complaints, known, seen };
      return [
        ...Array.from({ length: editors }, (_, index) => {
          const name = `editor ${index} of ${tenant}`;
          const desk = { ...shared, name, tenant, sightings, films, origin, chance: chance(name) };
          return edit({ ...desk, client: clientOf(tenant, "editor-1") }, day);
        }),
        ...viewers.map((subject) => {
          const seat = {
            ...shared,
            name: subject,
            edges: stage.edges,
            chance: chance(`${subject} ${tenant}`),
          };
          return watch({ ...seat, client: clientOf(tenant, subject) }, day);
        }),
      ];
    }),
    faultEverySeconds > 0 ? sabotage(target, faultEverySeconds, day) : null,
  ]);
  clearInterval(progress);
  return judge(seen);
}

async function judge(seen: ReadonlyMap<string, string>): Promise<boolean> {
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
    const ofEach = async (check: (house: House, editor: Client) => Promise<string[]>): Promise<string[]> =>
      (await Promise.all(houses.map((one) => check(one, clientOf(one.name, "editor-1"))))).flat();
    const findings: [string, string[]][] = [
      ["still to be done", open ?? []],
      ["lost or ended wrongly: assets", await ofEach(({ known }, editor) => checkAssets(editor, known))],
      [
        "lost or ended wrongly: titles and links",
        await ofEach(({ known }, editor) => checkTitles(editor, known)),
      ],
      ["not told, or wrongly", houses.flatMap((house) => checkEvents(house, sightings, records))],
      [
        "edges",
        await ofEach(({ name, known, viewers }) =>
          checkEdges(clientOf(name, viewers[0]!), known, stage.edges),
        ),
      ],
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
    report(`${minutes} min, seed ${seed}`, settledAt - healedAt, findings, { faults, houses, fleet });
    return findings.every(([, lines]) => lines.length === 0);
  } finally {
    blobs.close();
    await library.close();
  }
}
