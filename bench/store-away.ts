import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INIT_NAME, PREVIEW_FOLDER, trackFolder } from "../core/keys.ts";
import { BIG_BUCK_BUNNY_480 } from "../test/rig/media.ts";
import { startNginxEdge } from "../test/rig/nginx-edge.ts";
import { openStorage, readPackage } from "../test/rig/package.ts";
import { startProduct } from "../test/rig/product.ts";
import { openWire, type Wire } from "../test/rig/wire.ts";
import { finishedTasks, follow } from "./follow.ts";
import { makeViewers } from "./make-viewers.ts";
import { publishTitle } from "./publish-title.ts";
import { type Answers, askForAll, refusalOf, type Stall, untilItComes, warm } from "./store-away/crowd.ts";
import { figure, printTable } from "./table.ts";

/**
 * What viewers notice of a store that is away: a published film is warm at the Node edge and at the nginx edge, and for so many
 * seconds a crowd at each asks for all of it with sessions that the API renews, while the store can be had, while it refuses every
 * connection, and while it takes them and says nothing. Every body is compared with the first of its object. What no
 * edge has is asked for meanwhile, to see that the store is away, and after each an object that was never asked for has to come. `node bench/store-away.ts [seconds]`
 */

const seconds = Number(process.argv[2] ?? 60);
const VIEWERS_OF_EACH = 10;
/** Once onto the disk, once more into memory. */
const WARM_ROUNDS = 2;

const TROUBLES: { name: string; isAway: boolean; begin(wire: Wire): void }[] = [
  { name: "the store is there", isAway: false, begin: () => undefined },
  { name: "it refuses", isAway: true, begin: (wire) => wire.refuse() },
  { name: "it is frozen", isAway: true, begin: (wire) => wire.freeze() },
];

interface Film {
  stalls: Map<string, Stall>;
  /** No edge is asked for it before the store is away. */
  neverHad: string;
  /** Segments that no crowd asks for. */
  cold: string[];
}

/** What one edge did in one trouble. */
interface Crowd {
  edge: string;
  trouble: string;
  answers: Answers;
  ofWhatItHadNot: string;
  cameAfterSeconds: number;
}

const folder = await mkdtemp(join(tmpdir(), "matinee-bench-away-"));
const store = new URL(process.env.MATINEE_S3_ENDPOINT ?? "http://127.0.0.1:39000");
const wire = await openWire({ host: store.hostname, port: Number(store.port) });
const environment = { MATINEE_S3_ENDPOINT: `http://127.0.0.1:${wire.port}` };
const cache = { MATINEE_EDGE_CACHE_DIR: join(folder, "edge-cache") };
const product = await startProduct({ environment: { ...environment, ...cache } });
const blobs = openStorage(product);
const { MATINEE_EDGE_CACHE_DIR: _ofTheOther, ...shared } = product.environment;
// As in production: the rig looks for revocations twenty times a second.
const nginxEdge = await startNginxEdge({ ...shared, MATINEE_REVOCATIONS_EVERY_MS: "10000" }, blobs);

try {
  const film = await publishFilm();
  const tokens = await makeViewers(product, film.stalls.size * VIEWERS_OF_EACH);
  for (const stall of film.stalls.values()) await warm(stall, tokens[0]!, WARM_ROUNDS);
  const crowds: Crowd[] = [];
  for (const index of TROUBLES.keys()) crowds.push(...(await suffer(film, tokens, index)));
  print(crowds);
} finally {
  await nginxEdge.stop();
  blobs.close();
  await product.stop();
  wire.close();
  await rm(folder, { recursive: true, force: true });
}

async function suffer(film: Film, tokens: readonly string[], index: number): Promise<Crowd[]> {
  const { name: trouble, isAway, begin } = TROUBLES[index]!;
  process.stderr.write(`${trouble}: ${seconds} s\n`);
  begin(wire);
  const crowds = await Promise.all(
    [...film.stalls].map(async ([edge, stall], turn) => {
      const own = tokens.slice(turn * VIEWERS_OF_EACH, (turn + 1) * VIEWERS_OF_EACH);
      const [answers, ofWhatItHadNot] = await Promise.all([
        askForAll(stall, own, seconds),
        isAway ? refusalOf(stall, own[0]!, film.neverHad) : "",
      ]);
      return { edge, stall, trouble, answers, ofWhatItHadNot };
    }),
  );
  wire.mend();
  // Not its neighbour, which the Node edge has fetched ahead.
  const wanted = film.cold[2 * index]!;
  return Promise.all(
    crowds.map(async ({ stall, ...crowd }) => {
      return { ...crowd, cameAfterSeconds: await untilItComes(stall, tokens[0]!, wanted) };
    }),
  );
}

/** A film at both edges; its smallest rung is kept from the crowds. */
async function publishFilm(): Promise<Film> {
  const assetId = await product.uploadFile(BIG_BUCK_BUNNY_480);
  const asset = await follow(product, assetId, ({ state }) => state === "ready");
  await finishedTasks(product, assetId);
  const files = await readPackage(product, asset);
  const smallest = trackFolder("video", asset.plan!.ladders[0]!.rungs.at(-1)!.id);
  const kept = [smallest, PREVIEW_FOLDER];
  const paths = [...files.keys()].filter((path) => !kept.some((folder) => path.startsWith(folder)));
  const cold = [...files.keys()].filter((path) => path.startsWith(smallest) && /\d\.m4s$/.test(path)).sort();
  if (cold.length < 2 * TROUBLES.length - 1) throw new Error(`only ${cold.length} segments to keep cold`);
  const digests = new Map(cold.map((path) => [path, sha256(files.get(path)!)]));
  const titleId = await publishTitle(product, assetId);
  const at = (origin: string): Stall => ({ product, titleId, origin, paths, digests });
  const stalls = new Map([
    ["Node edge", at(product.deliveryUrl)],
    ["nginx edge", at(nginxEdge.url)],
  ]);
  return { stalls, neverHad: smallest + INIT_NAME, cold };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function print(crowds: readonly Crowd[]): void {
  const good = ({ requests, failures, wrongBodies }: Answers): number =>
    requests - wrongBodies - [...failures.values()].reduce((sum, count) => sum + count, 0);
  const rows = crowds.map(({ edge, trouble, answers, ofWhatItHadNot, cameAfterSeconds }) => {
    const calm = crowds.find((crowd) => crowd.edge === edge)!;
    const failed = [...answers.failures].map(([what, count]) => `${count} × ${what}`);
    return [
      ...[edge, trouble, String(answers.requests), failed.join(", ") || "0", String(answers.wrongBodies)],
      figure(good(answers) / good(calm.answers)),
      figure(answers.slowestMs, 0),
      figure(answers.slowestMs / calm.answers.slowestMs, 1),
      `${answers.failedRenewals} of ${answers.renewals}`,
      figure(answers.slowestRenewalMs, 0),
      ofWhatItHadNot,
      figure(cameAfterSeconds, 1),
    ];
  });
  const ofAnswers = ["requests", "failed", "other bytes", "good ÷ store there"];
  const slowest = ["slowest, ms", "÷ store there"];
  const ofRenewals = ["renewals failed", "slowest, ms"];
  const ofNew = ["what it had not, meanwhile", "a new object, s after"];
  printTable([`${seconds} s`, "", ...ofAnswers, ...slowest, ...ofRenewals, ...ofNew], rows);
}
