import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { parse } from "hls-parser";
import { blockingFailures, checkPackage } from "../../core/conformance/check-package.ts";
import { describeMedia, type ObjectFacts } from "../../core/conformance/object-facts.ts";
import { viewPackage } from "../../core/conformance/package-view.ts";
import { deviceOf } from "../../core/device.ts";
import { masterFor } from "../../core/device-master.ts";
import { mpdFor } from "../../core/device-mpd.ts";
import type { VideoCodec } from "../../core/encoding.ts";
import type { Ladder } from "../../core/ladder.ts";
import { allRungs } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import { describeStoredText, storedTransport } from "../../transcoder/gate.ts";
import { findRecentAv1 } from "../../transcoder/recent-av1.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { type NumberedPicture, numbered, readNumbers } from "../rig/numbered.ts";
import { readPackage, withPackageFolder } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { openInHls, playOver } from "../rig/served-package.ts";

const run = promisify(execFile);
let product: Product;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

/** At 25 frames a second a little more than three segments and a half: two chunks, and a border between them. */
const FRAMES = 531;
const DISPLAY = "G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(10000000,50)";

function hdrMaster(picture: Partial<NumberedPicture>, extra: string): Promise<string> {
  const params = `log-level=none:qp=18:colorprim=bt2020:colormatrix=bt2020nc:${extra}`;
  return made("mp4", [
    ...numbered({ frames: 50, ...picture }),
    ...["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", params],
    ...["-pix_fmt", "yuv420p10le", "-tag:v", "hvc1", "{out}"],
  ]);
}

async function publish(path: string, codecs: VideoCodec[]): Promise<AssetRecord> {
  const assetId = await product.upload(await readFile(path), { encoding: { codecs } });
  const asset = await product.until(assetId, ({ state }) => state === "ready" || state === "failed", 900);
  assert.equal(asset.state, "ready", `${asset.error?.code}: ${asset.error?.message}`);
  const report = await findConformance(product.library, asset._id, asset.published!.generation);
  assert.deepEqual(blockingFailures(report?.results ?? []), []);
  return asset;
}

/** One rung's segments as one file, read by ffprobe and decoded. */
async function withRung<T>(
  files: ReadonlyMap<string, Uint8Array>,
  id: string,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const parts = [...files.keys()].filter((path) => path.startsWith(`video/${id}/`) && path.endsWith(".m4s"));
  const film = Buffer.concat([`video/${id}/init.mp4`, ...parts.sort()].map((name) => files.get(name)!));
  return withPackageFolder(new Map([["film.mp4", film]]), (folder) => use(`${folder}/film.mp4`));
}

interface Probed {
  streams: Record<string, string | number | undefined>[];
  frames?: { side_data_list?: Record<string, string | number>[] }[];
}

async function probe(file: string): Promise<Probed> {
  const first = ["-read_intervals", "%+#1", "-show_frames", "-show_streams"];
  return JSON.parse((await run("ffprobe", ["-v", "error", ...first, "-of", "json", file])).stdout);
}

const ENTRY: Record<VideoCodec, [codec: string, tag: string]> = {
  h264: ["h264", "avc1"],
  hevc: ["hevc", "hvc1"],
  av1: ["av1", "av01"],
};
const EXPECTED_TAGS = {
  SDR: { pixel: "yuv420p", colour: "tv bt709 bt709 bt709" },
  PQ: { pixel: "yuv420p10le", colour: "tv bt2020 smpte2084 bt2020nc" },
  HLG: { pixel: "yuv420p10le", colour: "tv bt2020 arib-std-b67 bt2020nc" },
};

/** Every rung of a ladder: the right codec, colours that it says itself, and every frame once, in its place. */
async function checkLadder(ladder: Ladder, files: ReadonlyMap<string, Uint8Array>, frames: number) {
  for (const rung of ladder.rungs)
    await withRung(files, rung.id, async (file) => {
      const stream = (await probe(file)).streams[0]!;
      assert.deepEqual([stream.codec_name, stream.codec_tag_string], ENTRY[ladder.codec], rung.id);
      const tags = [stream.color_range, stream.color_primaries, stream.color_transfer, stream.color_space];
      const { pixel, colour } = EXPECTED_TAGS[ladder.range];
      assert.deepEqual([stream.pix_fmt, tags.join(" ")], [pixel, colour], rung.id);
      const { numbers } = await readNumbers(file, rung.width, rung.height);
      assert.deepEqual(
        numbers,
        Array.from({ length: frames }, (_, index) => index),
        `${rung.id}: every frame once`,
      );
    });
}

/** What the multivariant playlist says of each video playlist: range and codec. */
function variantsOf(files: ReadonlyMap<string, Uint8Array>): Map<string, { range: string; codec: string }> {
  const text = Buffer.from(files.get("main.m3u8")!).toString();
  assert.doesNotThrow(() => parse(text));
  const said = new Map<string, { range: string; codec: string }>();
  for (const [, attributes = "", uri = ""] of text.matchAll(/#EXT-X-STREAM-INF:(.*)\n(.*)/g)) {
    const range = /VIDEO-RANGE=(\w+)/.exec(attributes)?.[1] ?? "";
    const codec = /CODECS="([^",]*)/.exec(attributes)?.[1] ?? "";
    assert.match(attributes, /SCORE=\d+\.\d+/);
    said.set(uri, { range, codec });
  }
  return said;
}

/** The package of three codecs, once it is made, and that of standard range and HDR10. */
let ofThreeCodecs: ReadonlyMap<string, Uint8Array>;
let ofHdr: ReadonlyMap<string, Uint8Array>;

function factsOf(name: string, bytes: Uint8Array): ObjectFacts {
  return /\.(m3u8|mpd|vtt)$/.test(name)
    ? describeStoredText(name, Buffer.from(bytes).toString(), gzipSync(bytes))
    : describeMedia(name, bytes, storedTransport(name, null));
}

test("H.264, HEVC and AV1 are ladders over the same cuts, each whole over a chunk's border", async () => {
  const path = await made("mp4", [
    ...numbered({ frames: FRAMES }),
    ...["-f", "lavfi", "-i", `sine=440:duration=${FRAMES / 25}`],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", "-g", "70", "-pix_fmt", "yuv420p"],
    ...["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-c:a", "aac", "{out}"],
  ]);
  const asset = await publish(path, ["h264", "hevc", "av1"]);
  const plan = asset.plan!;
  assert.equal(plan.chunks.length, 2);
  assert.deepEqual(
    plan.ladders.map(({ id, range }) => `${id} ${range}`),
    ["h264 SDR", "hevc SDR", "av1 SDR"],
  );
  const recentAv1 = await findRecentAv1(await launcherForTest());
  assert.equal(plan.ladders[2]?.encoder?.build, recentAv1?.build);
  const files = await readPackage(product, asset);
  ofThreeCodecs = files;
  for (const ladder of plan.ladders) await checkLadder(ladder, files, FRAMES);
  const said = [...variantsOf(files)];
  assert.equal(said.length, allRungs(plan).length);
  assert.match(said[0]?.[1].codec ?? "", /^avc1/, "H.264 comes first");
  assert.equal(said.filter(([, { codec }]) => codec.startsWith("hvc1.1.")).length, 2);
  assert.equal(said.filter(([, { codec }]) => codec.startsWith("av01.0.")).length, 2);
  await withPackageFolder(files, async (folder) => {
    // Another reader opens the MPD: three video sets of two, each with every frame.
    for (const index of allRungs(plan).keys()) {
      const entries = ["-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"];
      const args = ["-v", "error", "-select_streams", `v:${index}`, ...entries, `${folder}/main.mpd`];
      const { stdout } = await run("ffprobe", args);
      assert.equal(
        stdout.trim().split("\n")[0]?.replace(/,/g, ""),
        String(FRAMES),
        allRungs(plan)[index]?.id,
      );
    }
  });
});

test("hls.js in Chromium finds what it can play and plays AV1 over a chunk's border", async () => {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const levels = await openInHls(page, ofThreeCodecs);
    const families = new Set(levels.map(({ codec }) => codec.split(".")[0]));
    // HEVC is not in every build of Chromium; the other two are.
    assert.ok(families.has("avc1") && families.has("av01"), [...families].join());
    const av1 = levels.findIndex(({ codec }) => codec.startsWith("av01"));
    assert.deepEqual(await playOver(page, av1, 12), []);
  } finally {
    await browser.close();
  }
});

test("HDR10 is kept beside standard range, with what it was graded on", async () => {
  const extra = `transfer=smpte2084:master-display=${DISPLAY}:max-cll=1000,400`;
  const asset = await publish(await hdrMaster({ dark: 16, bright: 143 }, extra), ["hevc"]);
  assert.deepEqual(asset.source?.video.hdr?.contentLight, { max: 1000, maxAverage: 400 });
  const files = await readPackage(product, asset);
  ofHdr = files;
  const ladders = asset.plan!.ladders;
  assert.deepEqual(
    ladders.map(({ id, range }) => `${id} ${range}`),
    ["h264 SDR", "hevc SDR", "hevc-hdr PQ"],
  );
  for (const ladder of ladders) await checkLadder(ladder, files, 50);
  const ranges = variantsOf(files);
  assert.equal(ranges.get("video/hevc-hdr-90p/media.m3u8")?.range, "PQ");
  assert.match(ranges.get("video/hevc-hdr-90p/media.m3u8")?.codec ?? "", /^hvc1\.2\./);
  assert.equal(ranges.get("video/90p/media.m3u8")?.range, "SDR");
  const init = Buffer.from(files.get("video/hevc-hdr-90p/init.mp4")!);
  assert.equal(init.toString("latin1").split("mdcv").length, 2, "one mdcv box");
  await withRung(files, "hevc-hdr-90p", async (file) => {
    const sides = (await probe(file)).frames?.[0]?.side_data_list ?? [];
    const display = sides.find((side) => side.side_data_type === "Mastering display metadata");
    assert.equal(display?.green_x, "8500/50000");
    assert.equal(display?.max_luminance, "10000000/10000");
    const light = sides.find((side) => side.side_data_type === "Content light level metadata");
    assert.deepEqual([light?.max_content, light?.max_average], [1000, 400]);
    const { dark, bright } = await readNumbers(file, 160, 90);
    assert.ok(Math.abs(dark - 16) <= 6 && Math.abs(bright - 143) <= 6, `codes kept: ${dark}, ${bright}`);
  });
  const report = await findConformance(product.library, asset._id, asset.published!.generation);
  const verdicts = new Map(report?.results.map(({ rule, verdict }) => [rule, verdict]));
  for (const rule of ["1.6a", "1.6b", "1.7", "1.8", "1.20", "1.24", "9.16", "9.19"])
    assert.equal(verdicts.get(rule), "pass", rule);
  assert.match(
    Buffer.from(files.get("main.mpd")!).toString(),
    /<EssentialProperty schemeIdUri="urn:mpeg:mpegB:cicp:TransferCharacteristics" value="16"\/>/,
  );
});

test("what is cut down of an HDR package for a device breaks no MUST but that one size is not several", () => {
  const files = ofHdr;
  // The gate looks at what playlists name, and at no pictures.
  const media = [...files].filter(([name]) => !name.startsWith("images/"));
  const facts = new Map(media.map(([name, bytes]) => [name, factsOf(name, bytes)]));
  const asked = [
    ...[["avc1.640028"], ["hevc"], ["hevc", "h264"], undefined].flatMap((codecs) =>
      [true, false, undefined].map((hdr) => ({ codecs, hdr })),
    ),
    { maxHeight: 90 },
    { codecs: ["hvc1"], maxHeight: 45 },
  ];
  for (const capabilities of asked) {
    const device = deviceOf(capabilities);
    const main = masterFor(Buffer.from(files.get("main.m3u8")!).toString(), device);
    const mpd = mpdFor(Buffer.from(files.get("main.mpd")!).toString(), device);
    const cut = new Map(facts)
      .set("main.m3u8", factsOf("main.m3u8", Buffer.from(main)))
      .set("main.mpd", factsOf("main.mpd", Buffer.from(mpd)));
    const failures = blockingFailures(checkPackage(viewPackage(cut, "main.m3u8", "main.mpd")));
    const encodes = new Set(main.split("\n").filter((line) => /^video.*media/.test(line))).size;
    assert.deepEqual(
      failures.map(({ rule, evidence }) => `${rule} ${evidence}`).filter((one) => !/^9\.9 /.test(one)),
      [],
      JSON.stringify(capabilities),
    );
    assert.equal(failures.length, encodes < 2 ? 1 : 0, JSON.stringify(capabilities));
    assert.equal(main.includes("VIDEO-RANGE=PQ"), device.hdr && (device.families?.includes("hevc") ?? true));
  }
});

test("HLG is kept beside standard range; nothing is made up that the master does not say", async () => {
  const path = await hdrMaster({ dark: 16, bright: 180 }, "transfer=arib-std-b67");
  const asset = await publish(path, ["h264", "hevc"]);
  assert.equal(asset.source?.video.hdr, undefined);
  const files = await readPackage(product, asset);
  for (const ladder of asset.plan!.ladders) await checkLadder(ladder, files, 50);
  assert.equal(variantsOf(files).get("video/hevc-hdr-90p/media.m3u8")?.range, "HLG");
  await withRung(files, "hevc-hdr-90p", async (file) => {
    const sides = (await probe(file)).frames?.[0]?.side_data_list ?? [];
    assert.ok(!sides.some((side) => /Mastering|light/.test(String(side.side_data_type))));
  });
});

test("a codec that the encoders here cannot make fails the asset at once, and says which", async () => {
  const folder = await mkdtemp(join(tmpdir(), "matinee-encoders-"));
  const ffmpeg = join(folder, "ffmpeg");
  // The real one, with x265 left out of its list.
  await writeFile(ffmpeg, '#!/bin/sh\nffmpeg "$@" | grep -v " libx265 "\n', { mode: 0o755 });
  const environment = {
    MATINEE_FFMPEG_PATH: ffmpeg,
    MATINEE_BWRAP_PATH: "",
    MATINEE_ALLOW_UNSANDBOXED: "yes",
  };
  const poorer = await startProduct({ workers: 1, environment });
  try {
    const bytes = await readFile(await made("mp4", [...numbered({ frames: 5 }), "{out}"]));
    const assetId = await poorer.upload(bytes, { encoding: { codecs: ["hevc"] } });
    const asset = await poorer.until(assetId, ({ state }) => state === "ready" || state === "failed", 900);
    assert.equal(asset.error?.code, "codec_unavailable");
    assert.match(asset.error?.message ?? "", /cannot make hevc; they make h264, av1/);
  } finally {
    await poorer.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
