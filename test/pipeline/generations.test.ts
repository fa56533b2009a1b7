import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { AssetRecord } from "../../core/records/asset.ts";
import { everyEntry } from "../../studio/every-entry.ts";
import { flashAndBeep, made } from "../rig/media.ts";
import { readPackage } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { type Viewer, watch } from "../rig/viewer.ts";

/** Other generations of films that people are watching: real processes, real storage, real sound and picture. */

let product: Product;

before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

const isMade = (asset: AssetRecord): boolean => asset.state === "ready";

/** A second of a tone as a file of its own: no two alike. */
async function tone(hertz: number): Promise<Uint8Array> {
  const source = `sine=frequency=${hertz}:sample_rate=44100:duration=2`;
  return readFile(await made("wav", ["-f", "lavfi", "-i", source, "-ac", "1", "{out}"]));
}

async function film(seconds: number): Promise<Uint8Array> {
  return readFile(await flashAndBeep({ seconds, size: "160x90", rate: "25" }));
}

/** Uploads an asset and puts it on a published title. */
async function onAir(bytes: Uint8Array): Promise<{ asset: AssetRecord; titleId: string }> {
  const assetId = await product.upload(bytes);
  const asset = await product.until(assetId, isMade, 300);
  const title = await product.call("POST", "/v1/titles", { type: "movie", name: { en: "A Film" }, assetId });
  await product.call("POST", `/v1/titles/${title.body.id}/publish`, {});
  return { asset, titleId: title.body.id };
}

interface Attempt {
  taskId: string;
  stage: string;
  outcome: string;
  cpuSeconds: number;
  versions: Record<string, string>;
}

async function ledger(assetId: string, generation: string | null) {
  const call = async <T>(method: string, path: string) => (await product.call(method, path)).body as T;
  const attempts = await everyEntry<Attempt>({ call }, `/v1/assets/${assetId}/ledger`);
  return attempts.filter(({ taskId }) => taskId.startsWith(`${assetId}.${generation}.`));
}

/** Digests of the cells of both packages, by path. */
async function cells(asset: AssetRecord): Promise<Map<string, string>> {
  const files = [...(await readPackage(product, asset))].filter(([path]) => /\.(m4s|mp4|jpg)$/.test(path));
  return new Map(files.map(([path, bytes]) => [path, createHash("sha256").update(bytes).digest("hex")]));
}

test("sound that is added comes without encoding the picture again, and goes again", async () => {
  const { asset, titleId } = await onAir(await film(8));
  const first = asset.published?.generation;
  const track = {
    assetId: asset._id,
    kind: "audio",
    language: "DE-at",
    label: "Wienerisch",
    role: "commentary",
  };
  assert.equal(await product.upload(await tone(330), { filename: "ton.wav", track }), asset._id);
  const heard = await product.until(
    asset._id,
    (one) => isMade(one) && one.published?.generation !== first,
    300,
  );

  const added = heard.renditions.find(({ id }) => id === heard.sidecars[0]?.id);
  assert.deepEqual(
    [added?.kind, added?.language, added?.label, added?.role, added?.channels],
    ["audio", "de-AT", "Wienerisch", "commentary", 2],
  );
  const before = await cells(asset);
  const now = await cells(heard);
  for (const [path, digest] of before) assert.equal(now.get(path), digest, `${path} is the same`);
  const attempts = await ledger(asset._id, heard.generation);
  const outcomes = (stage: string) =>
    attempts.filter((one) => one.stage === stage).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes("video"), ["reused"]);
  assert.deepEqual(outcomes("audio").sort(), ["done", "reused"]);
  assert.equal(attempts.find(({ stage }) => stage === "video")?.cpuSeconds, 0);
  const encoded = attempts.find(({ stage, outcome }) => stage === "audio" && outcome === "done");
  assert.match(encoded?.versions.ffmpeg ?? "", /\d/, "what made it is named");
  assert.equal(encoded?.versions.node, process.versions.node);
  // Two seconds of sound under eight of film: silence to the end, as long as everything else.
  const own = [...now.keys()].filter((path) => path.startsWith(`audio/${added?.id}/`));
  assert.equal(own.length, [...now.keys()].filter((path) => path.startsWith("audio/a0/")).length);
  const manifest = await product.call("POST", "/v1/playback", { titleId });
  assert.match(await (await fetch(manifest.body.manifestUrl)).text(), /LANGUAGE="de-AT"/);

  const removed = await product.call("DELETE", `/v1/assets/${asset._id}/tracks/${heard.sidecars[0]?.id}`);
  assert.deepEqual([removed.status, removed.body.published?.generation], [202, heard.generation]);
  const silent = await product.until(asset._id, isMade, 300);
  assert.equal(silent.published?.generation, first, "the same things make the same generation");
  const again = await ledger(asset._id, first ?? null);
  assert.equal(again.filter(({ stage }) => stage === "video").length, 1, "nothing was made for it");
});

test("a track that cannot be used fails the making, not the film; rollback and retry get out of it", async () => {
  const { asset, titleId } = await onAir(await film(3));
  const shown = asset.published?.generation;
  const track = { assetId: asset._id, kind: "audio", language: "fr" };
  await product.upload(Buffer.from("no sound at all"), { filename: "ton.wav", track });
  const failed = await product.until(asset._id, ({ state }) => state === "failed", 120);
  assert.deepEqual([failed.error?.code, failed.published?.generation], ["track_unusable", shown]);
  const played = await product.call("POST", "/v1/playback", { titleId });
  assert.equal((await fetch(played.body.manifestUrl)).status, 200);

  assert.equal((await product.call("POST", `/v1/assets/${asset._id}/retry`, {})).status, 202);
  await product.until(asset._id, ({ state }) => state === "failed", 120);
  const back = await product.call("POST", `/v1/assets/${asset._id}/rollback`, { generation: shown });
  assert.deepEqual([back.status, back.body.state, back.body.tracks], [202, "ready", []]);
});

test("another master: viewers of the old one go on, new ones get the new, the old can be gone back to", async () => {
  const { asset, titleId } = await onAir(await film(3));
  const old = await product.call("POST", "/v1/playback", { titleId });
  assert.equal(await product.upload(await film(5), { assetId: asset._id }), asset._id);
  const next = await product.until(
    asset._id,
    (one) => isMade(one) && one.published?.generation !== asset.generation,
    300,
  );
  assert.deepEqual([asset.published?.durationSeconds, next.published?.durationSeconds], [3, 5]);
  assert.equal((await fetch(old.body.manifestUrl)).status, 200);
  const fresh = await product.call("POST", "/v1/playback", { titleId });
  assert.equal(fresh.body.durationSeconds, 5);

  const { body } = await product.call("POST", `/v1/assets/${asset._id}/rollback`, {
    generation: asset.generation,
  });
  assert.deepEqual([body.state, body.source?.durationSeconds], ["ready", 3]);
  const list = await product.call("GET", `/v1/assets/${asset._id}/generations`);
  assert.deepEqual(
    list.body.data.map((one) => [one.generation, one.state]),
    [
      [next.generation, "superseded"],
      [asset.generation, "published"],
    ],
  );
});

test("100 re-publishes under running players: no request fails", async () => {
  const { asset, titleId } = await onAir(await film(7));
  const viewers: Viewer[] = [watch(product, titleId, "stays"), watch(product, titleId, "comes anew")];
  try {
    const generations = [asset.published?.generation ?? ""];
    for (let flip = 1, made = 0; flip <= 100; flip++) {
      if (flip % 20 === 1) {
        const track = { assetId: asset._id, kind: "audio", language: "en", label: `Take ${made++}` };
        await product.upload(await tone(200 + 50 * made), { track });
        const shown = generations.at(-1);
        const next = await product.until(asset._id, (one) => isMade(one) && one.generation !== shown, 300);
        generations.push(next.published?.generation ?? "");
      } else {
        // To and fro among all that there are.
        const generation = generations[(flip * 7) % generations.length];
        const { status } = await product.call("POST", `/v1/assets/${asset._id}/rollback`, { generation });
        assert.equal(status, 202);
      }
    }
    assert.equal(new Set(generations).size, 6, "five of them were made under the players");
  } finally {
    await Promise.all(viewers.map((viewer) => viewer.stop()));
  }
  for (const { name, failures, requests, sessions } of viewers.map((viewer) => viewer.seen())) {
    assert.deepEqual(failures, [], name);
    assert.ok(requests > 100 && sessions > 0, `${name} was watching: ${requests} requests`);
  }
});
