import { seeded } from "../test/fuzz/random.ts";
import { killOneAtWork, untilDone, vanishedClaims } from "../test/rig/killing.ts";
import { BIG_BUCK_BUNNY_480, looped } from "../test/rig/media.ts";
import { packageDigest } from "../test/rig/package.ts";
import { startProduct } from "../test/rig/product.ts";
import { follow } from "./follow.ts";
import { figure, printTable } from "./table.ts";

/**
 * What `kill -9` of workers costs a film: looped Big Buck Bunny in 480p once undisturbed and once with one of the workers that
 * are at work killed at random, again and again, each replaced by another.
 * `node bench/kills.ts [seconds of film] [kills] [seed]`
 */

const seconds = Number(process.argv[2] ?? 600);
const mostKills = Number(process.argv[3] ?? 10);
const seed = Number(process.argv[4] ?? 1);
const WORKERS = 2;
const CLIP_SECONDS = 30;

interface Run {
  kills: number;
  /** Each is one task of one slot: at most one chunk. */
  claimsLost: number;
  wallSeconds: number;
  /** A line for each file of the package. */
  files: string[];
}

const product = await startProduct({ workers: WORKERS, slots: 1 });
try {
  const film = await looped(BIG_BUCK_BUNNY_480, Math.ceil(seconds / CLIP_SECONDS), seconds);
  const clean = await encoded(film, 0);
  const disturbed = await encoded(film, mostKills);
  const row = (name: string, { kills, claimsLost, wallSeconds }: Run) => [
    ...[name, String(kills), String(claimsLost)],
    ...[figure(wallSeconds, 0), figure(wallSeconds / clean.wallSeconds)],
  ];
  printTable(
    [`${seconds} s of 480p24, ${WORKERS} workers`, "kills", "tasks begun anew", "wall s", "÷ undisturbed"],
    [row("undisturbed", clean), row(`killed at random, seed ${seed}`, disturbed)],
  );
  const isSame = clean.files.join("\n") === disturbed.files.join("\n");
  process.stdout.write(`${isSame ? "the same bytes" : "OTHER BYTES"} in all ${clean.files.length} files\n`);
  if (!isSame || disturbed.claimsLost > disturbed.kills) process.exitCode = 1;
} finally {
  await product.stop();
}

async function encoded(film: string, most: number): Promise<Run> {
  const { pick } = seeded(seed);
  const began = performance.now();
  const assetId = await product.uploadFile(film);
  let kills = 0;
  while (
    kills < most &&
    (await untilDone(product, assetId, kills / most)) &&
    (await killOneAtWork(product, assetId, pick))
  )
    kills++;
  const asset = await follow(product, assetId, ({ state }) => state === "ready");
  const wallSeconds = (performance.now() - began) / 1000;
  const tasks = await product.library.tasks.find({ assetId }).toArray();
  return {
    kills,
    claimsLost: vanishedClaims(tasks),
    wallSeconds,
    files: await packageDigest(product, asset),
  };
}
