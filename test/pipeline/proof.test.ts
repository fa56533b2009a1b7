import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readFragments } from "../../core/fragments.ts";
import type { ProofCheck, ProofLine } from "../../core/proof.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { TimeRange } from "../../core/time-ranges.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { provePackage, requireProof } from "../../transcoder/prove.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { kept } from "../rig/media.ts";
import { readPackage } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { type SoundTrack, withSounds } from "../rig/sound-media.ts";

/** A voice of its own: bursts at no regular times. */
const voice = (seed: number, seconds = 8): string =>
  `aevalsrc=exprs='0.3*sin(2*PI*500*t)*gt(sin(t*${3 + seed}+2*sin(t*${1.3 + seed})),0.2)':s=48000:d=${seconds}`;
const TRACKS: SoundTrack[] = [
  { sound: voice(1), language: "eng" },
  { sound: voice(2), language: "ger" },
  // The first again, a fifth of a second late.
  { sound: voice(1, 7.8), language: "fre", atSeconds: 0.2 },
];

type Files = Map<string, Uint8Array>;
let product: Product;
let launcher: Launcher;
let asset: AssetRecord;
let master: string;
let files: Files;
before(async () => {
  product = await startProduct();
  launcher = await launcherForTest();
  master = await withSounds(TRACKS);
  asset = await product.until(await product.uploadFile(master), ({ state }) => state === "ready", 300);
  files = await readPackage(product, asset);
});
after(() => product.stop());

async function prove(
  package_: Files,
  damaged: readonly TimeRange[] = [],
  note: () => void = () => undefined,
  path = master,
): Promise<ProofLine[]> {
  const directory = await mkdtemp(join(tmpdir(), "matinee-proof-"));
  try {
    const bench = {
      launcher,
      directory,
      read: async (path: string) => package_.get(path) ?? null,
      signal: new AbortController().signal,
      note,
    };
    const { plan, source } = asset;
    return await provePackage(bench, { plan: plan!, source: source!, path, damaged });
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("a good package: everything plays, sound is in step and each track is its own; the report says so", async () => {
  const { generation } = asset.published!;
  const { proof } = (await findConformance(product.library, asset._id, generation))!;
  const told = (check: ProofCheck) => proof!.filter((line) => line.check === check);
  assert.deepEqual(
    proof!.filter(({ verdict }) => verdict !== "pass").map(({ part, check }) => `${part} ${check}`),
    [],
  );
  assert.equal(told("decodes").length, 2 + 3);
  assert.equal(told("switches").length, 1);
  assert.equal(told("identity").length, 3);
  for (const { evidence } of told("sync")) assert.ok(Math.abs(Number.parseInt(evidence, 10)) <= 5, evidence);
  const answer = await product.call("GET", `/v1/assets/${asset._id}/conformance`);
  assert.deepEqual(answer.body.proof, proof);
});

/** Proves a package in which nothing is wrong: how many programs that took. */
async function programsOf(package_: Files, damaged: readonly TimeRange[] = [], path = master) {
  let programs = 0;
  const lines = await prove(package_, damaged, () => void programs++, path);
  assert.deepEqual(
    lines.filter(({ verdict }) => verdict === "fail"),
    [],
  );
  return programs;
}

test("a good package is proved by three programs, whatever the number of its tracks; without sound by two", async () => {
  // All tracks, the switch, and what is heard of the package and of the master.
  assert.equal(await programsOf(files), 3);
  assert.equal(await programsOf(inText("main.m3u8", /#EXT-X-MEDIA:TYPE=AUDIO.*\n/g, "")), 2);
});

test("what a damaged master's decoder complains of is held against no sound of the package", async () => {
  const bytes = await readFile(master);
  for (let place = 20_000; place < bytes.length - 20_000; place += 20_000)
    bytes.fill(0x55, place, place + 2_000);
  // Both by one program, then each by its own.
  assert.equal(await programsOf(files, [{ startSeconds: 0, endSeconds: 8 }], await kept("mkv", bytes)), 5);
});

test("a master that opens no more is nothing that the package did: to be tried again", async () => {
  const path = await kept("mp4", Buffer.from("no film"));
  await assert.rejects(
    prove(files, [], () => undefined, path),
    { failureClass: "transient" },
  );
});

/** Changes one text or object of a package. */
const changed = (path: string, change: (bytes: Uint8Array) => Uint8Array): Files =>
  new Map(files).set(path, change(files.get(path)!));
const inText = (path: string, from: string | RegExp, to: string): Files =>
  changed(path, (bytes) => {
    const text = Buffer.from(bytes).toString();
    assert.match(text, from instanceof RegExp ? from : new RegExp(from));
    return Buffer.from(text.replaceAll(from, to));
  });
/** Exchanges everything below two folders but their playlists. */
const exchanged = (a: string, b: string): Files =>
  new Map(
    [...files].map(([path, bytes]) => {
      const other = path.startsWith(a)
        ? b + path.slice(a.length)
        : path.startsWith(b)
          ? a + path.slice(b.length)
          : path;
      return [path, path.endsWith(".m3u8") ? bytes : (files.get(other) ?? bytes)];
    }),
  );
/** Overwrites one field of the last `trun` row before the data: the last sample's offset of showing. */
function late(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const trun = Buffer.from(copy).indexOf("trun");
  const view = new DataView(copy.buffer);
  const end = trun - 4 + view.getUint32(trun - 4);
  view.setInt32(end - 4, view.getInt32(end - 4) + asset.plan!.timeline.ticksPerFrame * 2);
  return copy;
}
/** Zeros in the middle of the pictures: boxes are whole, the coding is not. */
function scratched(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const { samples } = readFragments(copy)[0]!;
  const { offset, sizeBytes } = samples[0]!;
  copy.fill(0, offset + 4 + (sizeBytes >> 2), offset + sizeBytes - 4);
  return copy;
}
/** Coded sound of nothing but ones, which is the end of a frame before anything is in it. */
function overwritten(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const { offset, sizeBytes } of readFragments(copy)[0]!.samples.slice(0, 5))
    copy.fill(0xff, offset, offset + sizeBytes);
  return copy;
}
/** A header that says of no coding what it is. */
const nameless = (bytes: Uint8Array): Uint8Array =>
  Buffer.from(
    Buffer.from(bytes)
      .toString("latin1")
      .replace(/mp4a|esds/g, "none"),
    "latin1",
  );
/** A frame less in boxes that say so: the one that would have been decoded last. */
function short(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const count = Buffer.from(copy).indexOf("trun") + 8;
  const view = new DataView(copy.buffer);
  view.setUint32(count, view.getUint32(count) - 1);
  return copy;
}

const rungs = (): string[] => asset.plan!.ladders[0]!.rungs.map(({ id }) => `video/${id}`);

for (const [name, breaking, part, check] of [
  [
    "a segment that is cut off",
    () => changed(`${rungs()[0]}/00001.m4s`, (bytes) => bytes.slice(0, -200)),
    0,
    "decodes",
  ],
  ["a picture that is scratched", () => changed(`${rungs()[1]}/00000.m4s`, scratched), 1, "decodes"],
  ["a frame that is late", () => changed(`${rungs()[0]}/00000.m4s`, late), 0, "times"],
  ["a frame that is missing", () => changed(`${rungs()[0]}/00000.m4s`, short), 0, "times"],
  [
    "a film whose end is missing",
    () => inText(`${rungs()[0]}/media.m3u8`, /#EXTINF:[^\n]*\n00001.m4s\n/g, ""),
    0,
    "times",
  ],
  ["CODECS of another profile", () => inText("main.m3u8", /avc1\.64/g, "avc1.4d"), 0, "codecs"],
  ["CODECS of another level", () => inText("main.m3u8", /avc1\.6400../g, "avc1.640033"), 0, "codecs"],
  ["CODECS of another sound", () => inText("main.m3u8", /mp4a\.40\.2/g, "mp4a.40.5"), "audio/a0", "codecs"],
  [
    "a RESOLUTION that is not true",
    () => inText("main.m3u8", /RESOLUTION=160x90/g, "RESOLUTION=320x180"),
    0,
    "codecs",
  ],
  ["a sound that no decoder opens", () => changed("audio/a1/init.mp4", nameless), "audio/a1", "decodes"],
  ["a sound that is scratched", () => changed("audio/a1/00000.m4s", overwritten), "audio/a1", "decodes"],
  ["two languages exchanged", () => exchanged("audio/a0/", "audio/a1/"), "audio/a1", "identity"],
  [
    "two languages named the wrong way",
    () => inText("main.m3u8", /LANGUAGE="de"/g, 'LANGUAGE="en"'),
    "audio/a1",
    "identity",
  ],
  ["sound that is a fifth of a second late", () => exchanged("audio/a0/", "audio/a2/"), "audio/a0", "sync"],
  [
    "a rung that goes on elsewhere",
    () => changed(`${rungs()[1]}/00001.m4s`, () => files.get(`${rungs()[1]}/00000.m4s`)!),
    0,
    "switches",
  ],
] as const) {
  test(`${name} is caught`, async () => {
    const lines = await prove(breaking());
    const failed = lines.filter(({ verdict }) => verdict === "fail");
    const where = typeof part === "number" ? rungs()[part] : part;
    assert.ok(
      failed.some((line) => line.part === where && line.check === check),
      `${where} ${check} among ${failed.map((line) => `${line.part} ${line.check}: ${line.evidence}`).join("\n")}`,
    );
    const others = failed.filter((line) => line.check === "decodes" && line.part !== where);
    assert.deepEqual(check === "decodes" ? others : [], [], "what is whole is not blamed");
    assert.throws(() => requireProof(lines), { failureClass: "ours", code: "encode_failed" });
  });
}

test("where the master is damaged no sound is compared with it, elsewhere it is", async () => {
  const identity = async (damaged: readonly TimeRange[]) => {
    const lines = await prove(exchanged("audio/a0/", "audio/a1/"), damaged);
    return lines.find(({ part, check }) => part === "audio/a1" && check === "identity")?.verdict;
  };
  assert.equal(await identity([{ startSeconds: 1, endSeconds: 1 }]), "fail");
  assert.equal(await identity([{ startSeconds: 0, endSeconds: 8 }]), "not_applicable");
});
