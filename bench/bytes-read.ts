import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type ByteRange, coveredBytes } from "../core/byte-ranges.ts";
import { leftSounds } from "../core/keys.ts";
import { openStorage } from "../test/rig/package.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { type CountingStore, openCountingStore } from "./bytes-read/counting-store.ts";
import { inContainer, longFilm } from "./encode-films.ts";
import { follow } from "./follow.ts";
import { figure, printTable } from "./table.ts";

/**
 * How many bytes the workers read of the store for one film from its upload until it is ready, beside the master's size: of the
 * master, of the sound that they have left each other, and of the package's own objects, and what of each they had read before, themselves or another. The same film in three
 * containers, since what can be read in parts hangs on their indexes. Counted on each worker's way to the store; each has a scratch folder of
 * its own, as on a machine of its own. `node bench/bytes-read.ts [minutes] [workers,workers…] [container,container…]`
 */

const minutes = Number(process.argv[2] ?? 2);
const fleets = (process.argv[3] ?? "1,2").split(",").map(Number);
const containers = (process.argv[4] ?? "mp4,mkv,ts").split(",");
const folder = await mkdtemp(join(tmpdir(), "matinee-bench-read-"));

interface Reading {
  masterBytes: number;
  packageBytes: number;
  /** Of the master, and what of that the same worker, or any, had read before. */
  ofMaster: number;
  againByItself: number;
  again: number;
  /** Of sound that chunks have left for whoever encodes it: bytes of the master in objects of their own. */
  ofLeftSound: number;
  /** Of the package, and what of that any worker had read before. */
  ofPackage: number;
  packageAgain: number;
}

try {
  const { name, path } = await longFilm("p24", minutes, folder);
  const rows: string[][] = [];
  for (const workers of fleets) rows.push(...(await measureFleet(workers, path)));
  const again = ["again by the same worker", "again by another", "left sound ÷ master"];
  const ofPackage = ["package ÷ master", "of that again", "package ÷ its own size"];
  printTable(
    [name, "workers", "master, MiB", "read of it ÷ its size", ...again, ...ofPackage, "all ÷ master"],
    rows,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measureFleet(workers: number, mp4: string): Promise<string[][]> {
  const product = await startProduct({ workers: 0 });
  const target = new URL(product.environment.MATINEE_S3_ENDPOINT!);
  const stores: CountingStore[] = [];
  try {
    for (let worker = 0; worker < workers; worker++) {
      const store = await openCountingStore(target);
      stores.push(store);
      const scratch = join(folder, `scratch-${workers}-${worker}`);
      await mkdir(scratch);
      await product.addWorker({ MATINEE_S3_ENDPOINT: store.endpoint, MATINEE_SCRATCH_DIR: scratch });
    }
    const rows: string[][] = [];
    for (const container of containers) {
      const reading = await measure(product, stores, await inContainer(mp4, container));
      const row = rowOf(container, workers, reading);
      rows.push(row);
      process.stderr.write(`${row.join(" | ")}\n`);
    }
    const sum = (of: (store: CountingStore) => number): number =>
      stores.reduce((total, store) => total + of(store), 0);
    process.stdout.write(
      `workers: ${workers}; of listings ${sum((store) => store.listedBytes())} bytes; answers broken off: ${sum((store) => store.brokenOff())}\n`,
    );
    return rows;
  } finally {
    await product.stop();
    for (const store of stores) store.close();
  }
}

async function measure(product: Product, stores: readonly CountingStore[], file: string): Promise<Reading> {
  const bytes = await readFile(file);
  const assetId = await product.upload(bytes, { filename: basename(file) });
  const asset = await follow(product, assetId, ({ state }) => state === "ready");
  const { MATINEE_S3_SOURCE_BUCKET: sources, MATINEE_S3_MEDIA_BUCKET: media } = product.environment;
  const master = stores.map(({ reads }) => reads.get(`${sources}/${asset.pinned!.key}`) ?? []);
  const ofMaster = lengthOf(master.flat());
  const once = master.reduce((sum, spans) => sum + coveredBytes(spans), 0);
  const own = new Map<string, ByteRange[]>();
  for (const [name, spans] of stores.flatMap(({ reads }) => [...reads]))
    if (name.startsWith(`${media}/${assetId}/`)) own.set(name, [...(own.get(name) ?? []), ...spans]);
  const left = `${sources}/${leftSounds(asset.tenant, assetId)}`;
  const ofSound = stores.flatMap(({ reads }) => [...reads].filter(([name]) => name.startsWith(left)));
  const ofPackage = lengthOf([...own.values()].flat());
  const ownOnce = [...own.values()].reduce((sum, spans) => sum + coveredBytes(spans), 0);
  return {
    masterBytes: bytes.length,
    packageBytes: await storedBytes(product, assetId),
    ofMaster,
    againByItself: ofMaster - once,
    again: ofMaster - coveredBytes(master.flat()),
    ofLeftSound: lengthOf(ofSound.flatMap(([, spans]) => spans)),
    ofPackage,
    packageAgain: ofPackage - ownOnce,
  };
}

function lengthOf(spans: readonly ByteRange[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

async function storedBytes(product: Product, assetId: string): Promise<number> {
  const blobs = openStorage(product);
  let total = 0;
  for await (const { sizeBytes } of blobs.list("media", `${assetId}/`)) total += sizeBytes;
  blobs.close();
  return total;
}

function rowOf(container: string, workers: number, reading: Reading): string[] {
  const { masterBytes, ofMaster, againByItself, again, ofPackage } = reading;
  return [
    container,
    String(workers),
    figure(masterBytes / 2 ** 20, 1),
    figure(ofMaster / masterBytes),
    figure(againByItself / masterBytes),
    figure((again - againByItself) / masterBytes),
    figure(reading.ofLeftSound / masterBytes, 3),
    figure(ofPackage / masterBytes),
    figure(reading.packageAgain / masterBytes),
    figure(ofPackage / reading.packageBytes),
    figure((ofMaster + reading.ofLeftSound + ofPackage) / masterBytes),
  ];
}
