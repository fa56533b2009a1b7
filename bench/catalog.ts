import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TitleRecord } from "../core/records/title.ts";
import type { AnswerTo } from "../test/rig/api-answers.ts";
import { flashAndBeep } from "../test/rig/media.ts";
import { type Product, startProduct } from "../test/rig/product.ts";
import { pidsBelow, residentMebibytes } from "./cpu.ts";
import { follow } from "./follow.ts";
import { publishTitle } from "./publish-title.ts";
import { figure, printTable } from "./table.ts";
import { load } from "./wrk.ts";

/**
 * What a catalog costs by its size: what the first who looks waits, and the first behind a publication; how many requests a second
 * are answered of each kind, beside those of the smallest; and whether its oldest title is found. Titles are written to the library
 * as they would come to be there, each with an asset of its own, copies of one real film's. `node bench/catalog.ts [titles,…] [seconds]`
 */

const sizes = (process.argv[2] ?? "100,5000,20000").split(",").map(Number);
const seconds = Number(process.argv[3] ?? 4);
const CONNECTIONS = 20;
const BATCH = 500;
/** Whatever has changed just now is read again and again for a while. */
const LONG_AGO = new Date("2020-01-01T00:00:00Z");
const GENRES = [
  "Drama",
  "Comedy",
  "Documentary",
  "Crime",
  "Family",
  "History",
  "Music",
  "Travel",
  "War",
  "Western",
];

const folder = await mkdtemp(join(tmpdir(), "matinee-bench-wrk-"));
// The limit that holds a single account back is not what is measured here.
const product = await startProduct({ environment: { MATINEE_RATE_PER_ACCOUNT: "10000000" } });
const { library, tokens } = product;

try {
  const assetId = await product.uploadFile(await flashAndBeep({ seconds: 4 }));
  await follow(product, assetId, ({ state }) => state === "ready");
  const titleId = await publishTitle(product, assetId);
  const film = (await library.assets.findOne({ _id: assetId }))!;
  const title = (await library.titles.findOne({ _id: titleId }))!;
  const kinds = {
    home: "/v1/catalog/home",
    "a page by name": "/v1/catalog/titles?limit=20&sort=name",
    "a page of a genre": "/v1/catalog/titles?limit=20&genre=crime",
    "a search": "/v1/catalog/search?q=harbour",
    "a title": `/v1/catalog/titles/${titleId}`,
  };
  const rows: string[][] = [];
  const rates: number[][] = [];
  let made = 1;
  for (const size of sizes) {
    await fill(film, title, made, size);
    made = size;
    await startAnew(product);
    const first = await waited(() => ask(kinds.home));
    const behind: number[] = [];
    for (let count = 0; count < 5; count++) {
      await publishTitle(product, assetId);
      behind.push(await waited(() => ask(kinds.home)));
    }
    const ofSize: number[] = [];
    for (const path of Object.values(kinds)) {
      await ask(path);
      const { requests, errors } = await load(product.apiUrl, getScript(path), {
        folder,
        connections: CONNECTIONS,
        seconds,
      });
      if (errors > 0) throw new Error(`${errors} of ${path} not answered well`);
      ofSize.push(requests / seconds);
    }
    rates.push(ofSize);
    const [pid] = await pidsBelow(process.pid, "api/main.ts");
    rows.push([
      String(size),
      figure(first, 0),
      figure(Math.max(...behind), 0),
      ...ofSize.map((rate, kind) => `${figure(rate, 0)} (${figure(rate / rates[0]![kind]!)})`),
      (await isFound(`ti_bench${size - 1}`, String(size - 1))) ? "yes" : "no",
      figure(residentMebibytes(pid!), 0),
    ]);
    printTable(
      [
        "titles",
        "first, ms",
        "behind a publication, ms",
        ...Object.keys(kinds).map((kind) => `${kind}/s`),
        "oldest found",
        "API, MiB",
      ],
      rows,
    );
  }
} finally {
  await product.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Copies of the film and its title, until there are so many. The oldest ones are made first and are the last that anybody is shown. */
async function fill(film: AssetRecord, title: TitleRecord, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += BATCH) {
    const ids = Array.from({ length: Math.min(BATCH, to - start) }, (_, index) => start + index);
    const assetOf = (index: number) => `as_bench${index}`;
    await library.assets.insertMany(
      ids.map((index) => ({ ...film, _id: assetOf(index), updatedAt: LONG_AGO })),
    );
    await library.titles.insertMany(
      ids.map((index) => ({
        ...title,
        _id: `ti_bench${index}`,
        name: { en: `${wordOf(index)} ${wordOf(index * 7)} ${index}`, de: `${wordOf(index * 3)} ${index}` },
        genres: [GENRES[index % GENRES.length]!],
        cast: [`${wordOf(index * 5)} ${wordOf(index * 11)}`],
        assetId: assetOf(index),
        createdAt: new Date(title.createdAt.getTime() - 1_000 * index),
        updatedAt: LONG_AGO,
      })),
    );
  }
}

/** One of some two thousand words: names share theirs, as people's and films' do. */
function wordOf(index: number): string {
  const syllables = ["har", "bour", "li", "ght", "mor", "ning", "sto", "ne", "wa", "ter", "fi", "re"];
  const at = (index * 2_654_435_761) % 1_728;
  return [at % 12, Math.floor(at / 12) % 12, Math.floor(at / 144)].map((place) => syllables[place]).join("");
}

/** The API dies and another one takes its place, knowing nothing. */
async function startAnew({ apis, addApi }: Product): Promise<void> {
  const api = apis.at(-1)!;
  const gone = once(api, "exit");
  api.kill("SIGKILL");
  await gone;
  await addApi();
}

async function ask<Path extends string>(path: Path): Promise<AnswerTo<"GET", Path>> {
  const { status, body } = await product.call("GET", path, undefined, tokens.viewer);
  if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

async function isFound(id: string, name: string): Promise<boolean> {
  const { data } = await ask(`/v1/catalog/search?q=${encodeURIComponent(name)}`);
  return data.some((card) => card.id === id);
}

async function waited(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await call();
  return performance.now() - began;
}

function getScript(path: string): string {
  return `request = function() return wrk.format("GET", "${path}", { ["Authorization"] = "Bearer ${tokens.viewer}" }) end\n`;
}
