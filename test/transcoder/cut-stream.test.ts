import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { coveredBytes } from "../../core/byte-ranges.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { Source } from "../../core/source.ts";
import type { StreamSpan } from "../../core/stream-entries.ts";
import { type Chunk, chunkFrames } from "../../core/timeline.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { bytesOfCut, cutStream } from "../../transcoder/cut-stream.ts";
import { listenToEncoders } from "../../transcoder/encoder-scores.ts";
import { entrySpan } from "../../transcoder/entry-place.ts";
import { assemble } from "../../transcoder/ffmpeg-command.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { openScratch } from "../../transcoder/scratch.ts";
import { complaintsIn, pictureWindow, withSourceWindow } from "../../transcoder/source-window.ts";
import { videoRecipe } from "../../transcoder/video-recipe.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { SOURCES } from "../rig/numbered-sources.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";

/** Transport streams read in parts: the beginning and one stretch give the same bytes as the whole file. */

const blobs = openBlobs(s3ForTest("cuts"));
const { signal } = new AbortController();
let launcher: Launcher;
let folder: string;
let opened = 0;

before(async () => {
  await blobs.ensureBuckets({ corsOrigins: [] });
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-cut-test-"));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  blobs.close();
});

const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M", "-bf", "2"];
const SOUND = ["-c:a", "mp2", "-b:a", "96k"];

/** Forty seconds of noise with sound, half a megabyte a second: no stretch is like another. */
function film(picture: readonly string[], output: readonly string[] = []): Promise<string> {
  const [filters = "noise=alls=60:allf=t+u", ...encoder] = picture;
  return made("ts", [
    ...["-f", "lavfi", "-i", "testsrc2=size=320x192:rate=25:duration=40"],
    ...["-f", "lavfi", "-i", "anoisesrc=d=40:c=pink:r=48000", "-vf", filters],
    ...[...encoder, ...SOUND, ...output, "{out}"],
  ]);
}

const NOISE = "noise=alls=60:allf=t+u";
const closed = (...output: string[]) =>
  film([NOISE, ...X264, "-g", "50", "-x264-params", "b-adapt=0"], output);
const FILMS: readonly (readonly [string, () => Promise<string>])[] = [
  ["H.264", () => closed()],
  [
    "H.264, open groups that reorder over two",
    () => film([NOISE, ...X264, "-g", "70", "-x264-params", "open-gop=1:b-pyramid=normal"]),
  ],
  ["H.264, groups of ten seconds", () => film([NOISE, ...X264, "-g", "250", "-keyint_min", "250"])],
  [
    "MPEG-2, fields, top first",
    () =>
      film([
        `${NOISE},interlace=scan=tff:lowpass=off`,
        ...["-c:v", "mpeg2video", "-b:v", "5M", "-maxrate", "5M", "-bufsize", "2M", "-bf", "2", "-g", "12"],
        ...["-flags", "+ildct+ilme", "-top", "1"],
      ]),
  ],
  [
    "HEVC, open groups",
    () =>
      film([
        NOISE,
        ...["-c:v", "libx265", "-preset", "ultrafast", "-b:v", "4M"],
        ...["-x265-params", "log-level=none:open-gop=1:keyint=50:min-keyint=50:bframes=3"],
      ]),
  ],
  [
    "frames at uneven times",
    () => film([`${NOISE},settb=1/1000,setpts='PTS+0.012*mod(N,3)/TB'`, ...X264, "-g", "50"]),
  ],
  ["a clock that begins at ten seconds", () => closed("-muxdelay", "0", "-output_ts_offset", "10")],
  ["packets of 192 bytes", () => closed("-mpegts_m2ts_mode", "1")],
];

const probed = new Map<string, Promise<Source>>();
/** A source of each caller's own: some of them change it. */
async function described(path: string) {
  if (!probed.has(path)) probed.set(path, probeFile(launcher, path));
  const source = structuredClone(await probed.get(path)!);
  return {
    source,
    plan: buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, preset: "ultrafast" }, launcher.build),
  };
}

/** Digests of what one chunk makes of the file at `path`, and what ffmpeg complained of. */
async function encode(path: string, recipe: ReturnType<typeof videoRecipe>) {
  const outputDirectory = join(folder, `out-${opened++}`);
  await mkdir(outputDirectory, { mode: 0o777 });
  const run = await launcher.run({
    program: "ffmpeg",
    args: assemble(recipe),
    source: path,
    outputDirectory,
    limits: { wallSeconds: 300, cpuSeconds: 300, outputBytes: 2 ** 28 },
    onStderrLine: listenToEncoders().take,
  });
  assert.equal(run.exitCode, 0, run.stderrTail);
  const files = recipe.outputs.map(({ file }) => readFile(join(outputDirectory, file.replace("/out/", ""))));
  const digests = (await Promise.all(files)).map((bytes) => createHash("sha256").update(bytes).digest("hex"));
  return { digests, complaints: complaintsIn(run.stderrTail) };
}

/** A file in which only these bytes of another are there. */
async function sparse(path: string, ranges: readonly { start: number; end: number }[]): Promise<string> {
  const bytes = await readFile(path);
  const to = join(folder, `sparse-${opened++}`);
  const file = await open(to, "w");
  for (const { start, end } of ranges) await file.write(bytes.subarray(start, end), 0, end - start, start);
  await file.truncate(bytes.length);
  await file.close();
  return to;
}

/** One in the middle of what follows on the beginning, and the one that ends with the file. */
const CHUNKS: readonly Chunk[] = [
  { index: 0, firstSegment: 5, segmentCount: 1 },
  { index: 1, firstSegment: 6, segmentCount: 1 },
];

for (const [name, make] of FILMS) {
  test(`${name}: chunks from a stretch equal those from the whole, for fewer bytes`, async () => {
    const path = await make();
    const { source, plan } = await described(path);
    assert.ok(source.video.entries, "it is known where it can be entered");
    const unaware: Source = { ...source, video: { ...source.video } };
    delete unaware.video.entries;
    for (const chunk of CHUNKS) {
      const span = entrySpan(source, plan, chunkFrames(plan.timeline, chunk))!;
      assert.ok(span.entry !== null, "it is entered behind its beginning");
      const share = coveredBytes(bytesOfCut(span)!) / source.sizeBytes;
      assert.ok(share < 0.9, `chunk ${chunk.index} needs ${share} of the file`);
      const cut = join(folder, `cut-${opened++}`);
      assert.equal(await cutStream(await sparse(path, bytesOfCut(span)!), span, cut), null);
      const recipe = videoRecipe(source, plan, plan.ladders[0]!, chunk);
      const fromCut = await encode(cut, recipe);
      const fromWhole = await encode(path, recipe);
      assert.deepEqual(fromCut, fromWhole, `chunk ${chunk.index}`);
      assert.deepEqual(fromCut.complaints, [], "a decoder sees nothing that it could complain of");
      const asBefore = await encode(path, videoRecipe(unaware, plan, plan.ladders[0]!, chunk));
      assert.deepEqual(fromCut.digests, asBefore.digests, `chunk ${chunk.index} entered two groups early`);
    }
  });
}

test("all chunks together are one and a half times the picture at most, each in a file of its own", async () => {
  const path = await closed();
  const { source, plan } = await described(path);
  const spans = plan.chunks.map((chunk) => entrySpan(source, plan, chunkFrames(plan.timeline, chunk))!);
  const bytes = spans.reduce((sum, { start, end }) => sum + end - start, 0);
  assert.ok(bytes < 1.5 * source.sizeBytes, `${bytes} of ${source.sizeBytes}`);
  assert.equal(coveredBytes(spans), source.sizeBytes, "and on one machine each byte once");
});

for (const source of SOURCES.filter(({ name, cut }) => / TS\b/.test(name) || cut !== undefined)) {
  test(`${source.name}: a picture begins at every place that is noted, at the time that is noted`, async () => {
    const whole = await readFile(await source.file());
    const path = join(folder, `source-${opened++}.ts`);
    await writeFile(path, source.cut === undefined ? whole : whole.subarray(source.cut));
    const { source: found, plan } = await described(path);
    const { entries } = found.video;
    assert.ok(entries !== undefined && entries.at.length > 0);
    for (const [index, at] of entries.at.entries()) {
      if (index === 0) continue;
      const seconds = found.video.startSeconds + entries.decodeSeconds[index]!;
      const span: StreamSpan = {
        ...{ entries, zeroSeconds: 0, start: entries.at[index - 1]!, end: found.sizeBytes },
        ...{ entry: { at, seconds }, untilSeconds: null },
      };
      assert.equal(await cutStream(path, span, join(folder, `place-${opened++}`)), null, `entry ${index}`);
    }
    assert.ok(
      plan.chunks.every((chunk) => entrySpan(found, plan, chunkFrames(plan.timeline, chunk)) !== null),
    );
  });
}

/** Runs one chunk as a stage does. Says which of the files that were tried was the whole one. */
async function throughWindow(
  path: string,
  change: (bytes: Buffer, source: Source) => void,
  made: string | null = "",
) {
  const { source, plan } = await described(path);
  const bytes = await readFile(path);
  change(bytes, source);
  const key = `t/${createHash("sha256").update(bytes).update(String(opened++)).digest("hex").slice(0, 16)}/source`;
  const { etag } = await blobs.put("sources", key, bytes, { contentType: "application/octet-stream" });
  const settings = { directory: join(folder, `scratch-${opened++}`), limitBytes: 2 ** 30, workerId: "w" };
  const scratch = await openScratch(settings, blobs);
  const said: string[] = [];
  const log = { info: (fields: object) => said.push(String((fields as { doubt?: string }).doubt ?? "")) };
  const wanted = pictureWindow(source, plan, chunkFrames(plan.timeline, plan.chunks[2]!));
  const tried: boolean[] = [];
  try {
    await withSourceWindow(
      { scratch, signal, log, task: { _id: "task" } },
      { key, etag, sizeBytes: bytes.length, sha256: null },
      wanted,
      async (file) => {
        const isWhole = (await readFile(file)).equals(bytes);
        tried.push(isWhole);
        return { made: isWhole ? "" : made, log: "" };
      },
    );
    return { tried, said, fetched: scratch.fetchedBytes(), span: wanted.span!, size: bytes.length };
  } finally {
    await scratch.close();
  }
}

test("a stage gets the stretch alone, and no more is fetched", async () => {
  const { tried, fetched, span, size } = await throughWindow(await closed(), () => undefined);
  assert.deepEqual(tried, [false]);
  assert.ok(fetched <= coveredBytes(bytesOfCut(span)!) + 2 ** 18, `${fetched} bytes`);
  assert.ok(fetched < size);
});

test("what comes to nothing from a stretch is done with the whole", async () => {
  assert.deepEqual((await throughWindow(await closed(), () => undefined, null)).tried, [false, true]);
});

/** Where a packet lies in the middle of what the third chunk reads. */
const inStretch = ({ video }: Source): number =>
  video.entries!.at[video.entries!.decodeSeconds.findLastIndex((time) => time < 28)]! + 188;
for (const [name, change, doubt] of [
  [
    "a place that does not fit",
    (_: Buffer, { video }: Source) => {
      video.entries!.at = video.entries!.at.map((at, index) => (index === 0 ? at : at + 188));
    },
    /no picture begins/,
  ],
  [
    "a time that does not fit",
    (_: Buffer, { video }: Source) => {
      video.entries!.decodeSeconds = video.entries!.decodeSeconds.map((time) => time + 0.04);
    },
    /no picture begins/,
  ],
  [
    "a byte that is no sync",
    (bytes: Buffer, source: Source) => bytes.fill(0, inStretch(source), inStretch(source) + 1),
    /in a row/,
  ],
  ["a beginning that is no stream", (bytes: Buffer) => bytes.fill(0, 188 * 100, 188 * 101), /in a row/],
] as const) {
  test(`${name}: the whole is read`, async () => {
    const { tried, said } = await throughWindow(await closed(), change);
    assert.deepEqual(tried, [true]);
    assert.match(said[0]!, doubt);
  });
}
