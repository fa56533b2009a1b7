import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { allRungs } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { NUMBERS, readNumbers } from "../rig/numbered.ts";
import { type OddSource, SOURCES } from "../rig/numbered-sources.ts";
import { readPackage, withPackageFolder } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";

const run = promisify(execFile);
let product: Product;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

const assetIds = new Map<string, string>();

/** Each asked for in its turn: those that wait for all at once take half a core from the transcoder. */
function outcome(name: string): Promise<AssetRecord> {
  return product.until(assetIds.get(name)!, ({ state }) => state === "ready" || state === "failed", 900);
}

test("masters of every kind are taken in at once", async () => {
  for (const source of SOURCES) {
    const whole = await readFile(await source.file());
    assetIds.set(
      source.name,
      await product.upload(source.cut === undefined ? whole : whole.subarray(source.cut)),
    );
  }
});

for (const source of SOURCES) {
  test(source.name, async () => {
    const asset = await outcome(source.name);
    if (source.failure !== undefined) return assert.equal(asset.error?.code, source.failure);
    assert.equal(asset.state, "ready", `${asset.error?.code}: ${asset.error?.message}`);
    assert.equal(asset.plan!.chunks.length > 1, source.isOverChunks, "over a border of chunks");
    await checkPicture(source, asset);
  });
}

/** What a plain master of the same length and size costs: the first crosses a border of chunks, the second does not. */
const PLAIN = { long: "H.264 MP4 over two chunks", short: "BT.709, tagged, kept" };

test("none costs more than three times what a plain master of its length and size does", async () => {
  const cpuSeconds = async (name: string): Promise<number> => {
    const assetId = assetIds.get(name)!;
    const tasks = await product.library.tasks.find({ assetId }).toArray();
    return tasks.flatMap(({ attempts }) => attempts).reduce((sum, attempt) => sum + attempt.cpuSeconds, 0);
  };
  const plain = SOURCES.find(({ name }) => name === PLAIN.long)!;
  const twins = { long: await cpuSeconds(PLAIN.long), short: await cpuSeconds(PLAIN.short) };
  for (const { name, size, frames, isOverChunks, failure } of SOURCES) {
    if (size !== plain.size || failure !== undefined) continue;
    const twin = isOverChunks ? twins.long : twins.short;
    const more = isOverChunks ? Math.max(1, frames / plain.frames) : 1;
    const own = await cpuSeconds(name);
    assert.ok(own <= 3 * more * twin, `${name}: ${own.toFixed(2)} CPU s beside ${twin.toFixed(2)}`);
  }
});

async function checkPicture(source: OddSource, asset: AssetRecord): Promise<void> {
  const top = allRungs(asset.plan!)[0]!.id;
  const files = await readPackage(product, asset);
  const parts = [...files.keys()].filter((path) => path.startsWith(`video/${top}/`) && path.endsWith(".m4s"));
  const names = [`video/${top}/init.mp4`, ...parts.sort()];
  const film = Buffer.concat(names.map((name) => files.get(name)!));
  await withPackageFolder(new Map([["film.mp4", film]]), async (folder) => {
    const file = `${folder}/film.mp4`;
    const stream = await describe(file);
    const [width, height] = source.size.split("x").map(Number) as [number, number];
    assert.equal(`${stream.width}x${stream.height}`, source.size, "shape");
    assert.equal(stream.r_frame_rate, source.rate, "rate");
    assert.equal(stream.sample_aspect_ratio ?? "1:1", "1:1", "square pixels");
    assert.deepEqual([stream.pix_fmt, stream.field_order], ["yuv420p", "progressive"]);
    const tags = [stream.color_range, stream.color_primaries, stream.color_transfer, stream.color_space];
    assert.equal(tags.join(" "), `tv ${source.colour}`, "colour");
    const read = await readNumbers(file, width, height, source.reading);
    const expected = Array.from({ length: source.frames }, (_, index) => source.numberOf(index) % NUMBERS);
    if (source.isExact) assert.deepEqual(read.numbers, expected, "every frame once, in its place");
    else {
      assert.equal(read.numbers.length, source.frames, "frames");
      for (const [index, number] of read.numbers.entries())
        assert.ok(Math.abs(number - expected[index]!) <= 1, `frame ${index} shows ${number}`);
    }
    const [dark, bright] = source.levels;
    assert.ok(Math.abs(read.dark - dark) <= 6, `dark bars are ${read.dark}, not ${dark}`);
    assert.ok(Math.abs(read.bright - bright) <= 6, `bright bars are ${read.bright}, not ${bright}`);
  });
}

/** The stream as another reader sees it. */
async function describe(file: string): Promise<Record<string, string | number | undefined>> {
  const { stdout } = await run("ffprobe", ["-v", "error", "-show_streams", "-of", "json", file]);
  return JSON.parse(stdout).streams[0];
}
