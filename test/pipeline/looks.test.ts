import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { partCount } from "../../core/film-parts.ts";
import { lookSpan } from "../../core/look-parts.ts";
import type { AssetRecord, Finding } from "../../core/records/asset.ts";
import type { TaskRecord } from "../../core/records/task.ts";
import { made } from "../rig/media.ts";
import { readPackage } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";

/**
 * A film that is just long enough to be looked at in parts, each of its flaws over a border between two: ten small pictures a
 * second.
 */

const run = promisify(execFile);
const SECONDS = 400;
/** Where its parts meet, and how far around it the flaw is. */
const BLACK = [190, 195] as const;
const FROZEN = [378, 390] as const;
const SILENT = [188, 196] as const;

const painted = (colour: string, when: string): string => `drawbox=c=${colour}:t=fill:enable='${when}'`;
const within = ([from, until]: readonly [number, number]): string => `between(t,${from},${until - 0.05})`;

function longFilm(): Promise<string> {
  // A short tone each second: an encoder takes longest over what sounds all the time.
  const tone = `0.3*sin(2*PI*440*t)*gt(mod(t,1),0.95)*not(${within(SILENT)})`;
  const sound = `aevalsrc=exprs='${tone}':s=48000:d=${SECONDS}`;
  const filters = [painted("black", within(BLACK)), painted("gray", within(FROZEN))];
  return made("mp4", [
    ...["-f", "lavfi", "-i", `testsrc2=size=160x96:rate=10:duration=${SECONDS}`, "-f", "lavfi", "-i", sound],
    ...["-vf", filters.join(","), "-c:v", "libx264", "-preset", "ultrafast", "-g", "20"],
    ...["-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "{out}"],
  ]);
}

let product: Product;
let film: AssetRecord;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
  const assetId = await product.upload(await readFile(await longFilm()));
  film = await product.until(assetId, ({ state }) => state === "ready" || state === "failed", 600);
});
after(() => product.stop());

const tasksOf = (kind: string, generation: string | null): Promise<TaskRecord[]> =>
  product.library.tasks.find({ assetId: film._id, kind: kind as TaskRecord["kind"], generation }).toArray();

test("each flaw over a border is found once, from where it begins to where it ends", () => {
  const found = film.findings.map(({ code, severity, startSeconds, endSeconds }) => [
    ...[code, severity, Math.round(startSeconds ?? -1), Math.round(endSeconds ?? -1)],
  ]);
  assert.deepEqual(found, [
    ["black", "warning", ...BLACK],
    ["freeze", "warning", ...FROZEN],
    ["silence", "warning", ...SILENT],
  ]);
  const { plan } = film;
  const borders = [1, 2].map((part) => lookSpan(plan!, part).first / 10);
  assert.equal(partCount(plan!.chunks.length), 3);
  for (const [index, [from, until]] of [BLACK, FROZEN].entries())
    assert.ok(from < borders[index]! && borders[index]! < until, `${borders[index]}`);
});

test("what is found is what ffmpeg's own filters say of the whole rung in one piece", async () => {
  const rung = film.plan!.ladders[0]!.rungs.at(-1)!.id;
  const files = [...(await readPackage(product, film))].filter(
    ([path]) => path.startsWith(`video/${rung}/`) && /\.(mp4|m4s)$/.test(path),
  );
  const isInit = (path: string): number => Number(path.endsWith(".mp4"));
  files.sort(([a], [b]) => isInit(b) - isInit(a) || a.localeCompare(b));
  const folder = await mkdtemp(join(tmpdir(), "matinee-looks-"));
  try {
    const path = join(folder, "film.mp4");
    await writeFile(path, Buffer.concat(files.map(([, bytes]) => bytes)));
    const filters = "blackdetect=d=2:pic_th=0.98:pix_th=0.10,freezedetect=n=0.002:d=5";
    const { stderr } = await run("ffmpeg", ["-nostdin", "-i", path, "-vf", filters, "-f", "null", "-"]);
    // What is black stands still as well, and comes before.
    const said = (pattern: RegExp): number => Number([...stderr.matchAll(pattern)].at(-1)?.[1]);
    assert.deepEqual(timesOf(film.findings, "black"), [
      said(/black_start:([\d.]+)/g),
      said(/black_end:([\d.]+)/g),
    ]);
    assert.deepEqual(timesOf(film.findings, "freeze"), [
      said(/freeze_start: ([\d.]+)/g),
      said(/freeze_end: ([\d.]+)/g),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

function timesOf(findings: readonly Finding[], code: string) {
  const found = findings.find((one) => one.code === code);
  return [found?.startSeconds, found?.endSeconds];
}

test("a part is looked at while others are still being encoded, and the inspection comes after all of them", async () => {
  const generation = film.published!.generation;
  const [looks, chunks, [inspection]] = await Promise.all([
    tasksOf("look", generation),
    tasksOf("video", generation),
    tasksOf("inspect", generation),
  ]);
  assert.equal(looks.length, 3);
  const begun = ({ attempts }: TaskRecord): number => attempts.at(-1)!.startedAt.getTime();
  const ended = ({ attempts }: TaskRecord): number => attempts.at(-1)!.endedAt.getTime();
  assert.ok(begun(looks.find(({ chunk }) => chunk === 0)!) < Math.max(...chunks.map(ended)));
  assert.ok(begun(inspection!) >= Math.max(...looks.map(ended)));
});

test("another generation of the same pictures looks at none of them again, and finds the same", async () => {
  const tone = await readFile(await made("wav", ["-f", "lavfi", "-i", "sine=duration=2", "{out}"]));
  const track = { assetId: film._id, kind: "audio", language: "de" };
  await product.upload(tone, { filename: "ton.wav", track });
  const before = film.published!.generation;
  const again = await product.until(
    film._id,
    ({ state, published }) => state === "ready" && published?.generation !== before,
    300,
  );
  const looks = await tasksOf("look", again.published!.generation);
  assert.deepEqual(
    looks.map(({ attempts }) => attempts.map(({ outcome }) => outcome)),
    Array(3).fill(["reused"]),
  );
  assert.deepEqual(again.findings, film.findings);
});
