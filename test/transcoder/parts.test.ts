import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { coveredBytes } from "../../core/byte-ranges.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { playedStretches } from "../../core/proof.ts";
import type { PinnedSource } from "../../core/source.ts";
import { windowRanges } from "../../core/source-window.ts";
import { audioSegmentFrames, chunkFrames } from "../../core/timeline.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { AAC_SAMPLES_PER_FRAME, stretchesRecipe, stretchWindow } from "../../transcoder/audio-recipe.ts";
import { describeMaster } from "../../transcoder/describe-master.ts";
import { listenToEncoders } from "../../transcoder/encoder-scores.ts";
import { entryWindow } from "../../transcoder/entry-place.ts";
import { assemble } from "../../transcoder/ffmpeg-command.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { probeSource } from "../../transcoder/probe.ts";
import { openScratch, type Scratch } from "../../transcoder/scratch.ts";
import { rangesOver } from "../../transcoder/source-index.ts";
import { complaintsIn } from "../../transcoder/source-window.ts";
import { videoRecipe } from "../../transcoder/video-recipe.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { longFilm } from "../rig/long-film.ts";
import { made } from "../rig/media.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";

/** Masters read in parts from real storage: the same bytes come out as from the whole file, for fewer read. */

const blobs = openBlobs(s3ForTest("parts"));
const { signal } = new AbortController();
let launcher: Launcher;
let folder: string;

before(async () => {
  await blobs.ensureBuckets({ corsOrigins: [] });
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-parts-test-"));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  blobs.close();
});

/** The same minute in another container, or written in another way, its picture and sound not coded again. */
async function copied(
  extension: string,
  writing: readonly string[] = [],
  coding: readonly string[] = [],
): Promise<string> {
  return made(extension, ["-i", await longFilm(coding), "-map", "0", "-c", "copy", ...writing, "{out}"]);
}

async function stored(path: string, sha256: string | null = null): Promise<PinnedSource> {
  const bytes = await readFile(path);
  const key = `t/${createHash("sha256").update(bytes).update(String(sha256)).digest("hex").slice(0, 16)}/source`;
  const { etag } = await blobs.put("sources", key, bytes, { contentType: "application/octet-stream" });
  return { key, etag, sizeBytes: bytes.length, sha256 };
}

let opened = 0;
async function withScratch<T>(use: (scratch: Scratch) => Promise<T>, limitBytes = 2 ** 30): Promise<T> {
  const settings = { directory: join(folder, `scratch-${opened++}`), limitBytes, workerId: "w" };
  const scratch = await openScratch(settings, blobs);
  try {
    return await use(scratch);
  } finally {
    await scratch.close();
  }
}

/** Digests of the rungs that one chunk makes of the file at `path`, and what ffmpeg said. */
async function encode(path: string, recipe: ReturnType<typeof videoRecipe>) {
  const outputDirectory = join(folder, `out-${opened++}`);
  await mkdir(outputDirectory, { mode: 0o777 });
  const limits = { wallSeconds: 300, cpuSeconds: 300, outputBytes: 2 ** 28 };
  const run = await launcher.run({
    program: "ffmpeg",
    args: assemble(recipe),
    source: path,
    outputDirectory,
    limits,
    onStderrLine: listenToEncoders().take,
  });
  if (run.exitCode !== 0) return { exitCode: run.exitCode, digests: [], log: run.stderrTail };
  const files = recipe.outputs.map(({ file }) => readFile(join(outputDirectory, file.replace("/out/", ""))));
  const digests = (await Promise.all(files)).map((bytes) => createHash("sha256").update(bytes).digest("hex"));
  return { exitCode: 0, digests, log: run.stderrTail };
}

for (const [name, film] of [
  ["the index at the end", () => longFilm()],
  ["the index first", () => copied("mp4", ["-movflags", "+faststart"])],
  ["QuickTime, starting late", () => copied("mov", ["-output_ts_offset", "3"])],
] as const) {
  test(`${name}: probe and chunks from parts equal those from the whole, for fewer bytes`, async () => {
    const path = await film();
    const pinned = await stored(path);
    const whole = await probeFile(launcher, path);
    await withScratch(async (scratch) => {
      const file = { sizeBytes: pinned.sizeBytes, sha256: null };
      await scratch.withParts(pinned, async (master) => {
        const index = await master.index(signal);
        assert.ok(index, "it has an index");
        await master.fill(index.always, signal);
        const source = await probeSource(launcher, master.path, file, signal, () => undefined, {
          tables: index.tracks,
        });
        assert.deepEqual(source.video, whole.video);
        const afterProbe = scratch.fetchedBytes();
        assert.ok(afterProbe < 7e6, `the probe read ${afterProbe} bytes`);
        const plan = buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, preset: "ultrafast" }, launcher.build);
        const [ladder] = plan.ladders;
        for (const chunk of [plan.chunks[2]!, plan.chunks[0]!, plan.chunks.at(-1)!]) {
          const window = entryWindow(source, plan, chunkFrames(plan.timeline, chunk))!;
          const before = scratch.fetchedBytes();
          const ranges = windowRanges(index.tracks[source.video.streamIndex]!, window);
          await master.fill([...index.always, ...ranges], signal);
          const read = scratch.fetchedBytes() - before;
          assert.ok(read < (pinned.sizeBytes * 15.5) / 60, `chunk ${chunk.index} read ${read} bytes`);
          const recipe = videoRecipe(source, plan, ladder!, chunk);
          const fromParts = await encode(master.path, recipe);
          assert.deepEqual([fromParts.exitCode, fromParts.log], [0, ""], "no hole was touched");
          assert.deepEqual(fromParts.digests, (await encode(path, recipe)).digests, `chunk ${chunk.index}`);
        }
        assert.equal(master.isWhole(), false);
      });
    });
  });
}

/** The same minute as WebM: some of VP8's frames are never shown, so frames are placed by their times. */
const webm = (): Promise<string> =>
  made("webm", [
    ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25/2:duration=60"],
    ...["-f", "lavfi", "-i", "anoisesrc=d=60:c=pink:r=48000", "-vf", "noise=alls=60:allf=t+u"],
    ...["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16", "-b:v", "5M", "-g", "25"],
    ...["-c:a", "libvorbis", "-b:a", "96k", "{out}"],
  ]);

for (const [name, film, places] of [
  ["Matroska", () => copied("mkv"), [2, 0, -1]],
  ["Matroska with groups of ten seconds", () => copied("mkv", [], ["-g", "125"]), [1]],
  ["WebM", webm, [2]],
] as const) {
  test(`${name}: described by its ends, and chunks from clusters equal those of a whole reading, for fewer bytes`, async () => {
    const path = await film();
    const pinned = await stored(path);
    const whole = await probeFile(launcher, path);
    const source = await withScratch(async (scratch) => {
      const described = await describeMaster({ launcher, scratch, signal, note: () => undefined }, pinned);
      const share = scratch.fetchedBytes() / pinned.sizeBytes;
      assert.ok(described.video.isReckoned === true && share < 0.5, `${share} was read`);
      return described;
    });
    const planOf = (described: typeof source) =>
      buildPlan(described, { ...DEFAULT_PLAN_SETTINGS, preset: "ultrafast" }, launcher.build);
    const [plan, counted] = [planOf(source), planOf(whole)];
    assert.deepEqual({ ...plan, timing: counted.timing }, counted);
    assert.equal(plan.timing, "place");
    const groupSeconds = Math.max(
      ...source.video.keyframeSeconds.map((time, at, all) => (all[at + 1] ?? source.durationSeconds) - time),
    );
    await withScratch((scratch) =>
      scratch.withParts(pinned, async (master) => {
        const index = await master.index(signal);
        assert.ok(index?.entries, "it has cues");
        await master.fill(index.always, signal);
        for (const chunk of places.map((place) => plan.chunks.at(place)!)) {
          const frames = chunkFrames(plan.timeline, chunk);
          const window = entryWindow(source, plan, frames)!;
          const ranges = (await rangesOver(master, index, source.video.streamIndex, window, signal))!;
          // From the keyframe before the one before it, to a second behind it.
          const seconds = window.endSeconds - window.startSeconds + 2 * groupSeconds + 1.2;
          const share = coveredBytes(ranges) / pinned.sizeBytes;
          assert.ok(share < seconds / 60, `chunk ${chunk.index} needs ${share} of the file`);
          await master.fill(ranges, signal);
          const fromParts = await encode(master.path, videoRecipe(source, plan, plan.ladders[0]!, chunk));
          assert.deepEqual([fromParts.exitCode, fromParts.log], [0, ""], "no hole was touched");
          const fromWhole = await encode(path, videoRecipe(whole, counted, counted.ladders[0]!, chunk));
          assert.deepEqual(fromParts.digests, fromWhole.digests, `chunk ${chunk.index}`);
        }
        assert.equal(master.isWhole(), false);
      }),
    );
  });
}

for (const [name, film] of [
  ["MP4", () => longFilm()],
  ["QuickTime, starting late", () => copied("mov", ["-output_ts_offset", "3"])],
  ["Matroska", () => copied("mkv")],
] as const) {
  test(`${name}: what the proof hears of a sound is the same from parts as from the whole, for fewer bytes`, async () => {
    const path = await film();
    const pinned = await stored(path);
    const source = await probeFile(launcher, path);
    const { timeline, audio } = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
    const [track] = audio;
    const segments = audioSegmentFrames(timeline, track!.sampleRateHz, AAC_SAMPLES_PER_FRAME);
    const cells = segments.map(({ frameCount }) => ({ durationTicks: frameCount * AAC_SAMPLES_PER_FRAME }));
    const produced = { cells, timescale: track!.sampleRateHz } as Parameters<typeof playedStretches>[0];
    const stretches = playedStretches(produced);
    assert.deepEqual(
      stretches.map(({ startSeconds }) => Math.round(startSeconds)),
      [0, 24, 54],
    );
    const recipe = stretchesRecipe(source, [track!], stretches, (link, _, stretch) => ({
      options: ["-map", link, "-f", "s16le"],
      file: `/out/${stretch}.pcm`,
    }));
    await withScratch((scratch) =>
      scratch.withParts(pinned, async (master) => {
        const index = (await master.index(signal))!;
        const ranges = [];
        for (const stretch of stretches) {
          const window = stretchWindow(stretch, source);
          ranges.push(...(await rangesOver(master, index, track!.streamIndex, window, signal))!);
        }
        await master.fill([...index.always, ...ranges], signal);
        const read = scratch.fetchedBytes() / pinned.sizeBytes;
        assert.ok(read < 0.75, `${read} of the file was read`);
        const fromParts = await encode(master.path, recipe);
        assert.deepEqual([fromParts.exitCode, fromParts.log], [0, ""], "no hole was touched");
        assert.deepEqual(fromParts.digests, (await encode(path, recipe)).digests);
      }),
    );
  });
}

for (const [name, film] of [
  [
    "Matroska without cues",
    () => copied("mkv").then((file) => made("mkv", ["-i", file, "-c", "copy", "-live", "1", "{out}"])),
  ],
  ["A transport stream", () => copied("ts")],
] as const) {
  test(`${name} has no index of its own`, async () => {
    const pinned = await stored(await film());
    await withScratch((scratch) =>
      scratch.withParts(pinned, async (master) => assert.equal(await master.index(signal), null)),
    );
  });
}

for (const [name, film] of [
  ["closed groups", () => longFilm()],
  ["open groups", () => longFilm(["-x264-params", "open-gop=1:b-adapt=0"])],
  ["times a tick off", () => copied("mp4", ["-video_track_timescale", "30011"])],
] as const) {
  test(`a chunk that starts on a keyframe (${name}) is the same entered there as from the group before`, async () => {
    const path = await film();
    const source = await probeFile(launcher, path);
    const plan = buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, preset: "ultrafast" }, launcher.build);
    const [ladder, chunk] = [plan.ladders[0]!, plan.chunks[2]!];
    const entered = videoRecipe(source, plan, ladder, chunk);
    assert.ok(entered.inputs[0]!.options.includes("-noaccurate_seek"), "it is entered at its keyframe");
    const unaware = { ...source, video: { ...source.video, keyframeSeconds: [] } };
    const { digests, log } = await encode(path, entered);
    assert.deepEqual(complaintsIn(log), []);
    assert.deepEqual(digests, (await encode(path, videoRecipe(unaware, plan, ladder, chunk))).digests);
  });
}

test("a hole that is read shows: ffmpeg complains", async () => {
  const path = await longFilm();
  const pinned = await stored(path);
  const source = await probeFile(launcher, path);
  const plan = buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, preset: "ultrafast" }, launcher.build);
  await withScratch((scratch) =>
    scratch.withParts(pinned, async (master) => {
      const index = await master.index(signal);
      await master.fill(index!.always, signal);
      const { log } = await encode(master.path, videoRecipe(source, plan, plan.ladders[0]!, plan.chunks[3]!));
      assert.notEqual(log.trim(), "");
    }),
  );
});

test("each byte is fetched once, however many ask at the same time", async () => {
  const pinned = await stored(await longFilm());
  await withScratch(async (scratch) => {
    const ask = () =>
      scratch.withParts(pinned, (master) => master.fill([{ start: 1_000_000, end: 20_000_000 }], signal));
    await Promise.all(Array.from({ length: 8 }, ask));
    assert.equal(scratch.fetchedBytes(), 19_000_000);
    await scratch.withSource(pinned, signal, async (path) => {
      assert.equal(
        createHash("sha256")
          .update(await readFile(path))
          .digest("hex"),
        createHash("sha256")
          .update(await readFile(await longFilm()))
          .digest("hex"),
      );
    });
    assert.equal(scratch.fetchedBytes(), pinned.sizeBytes);
  });
});

test("a byte that several ask for at once in spans of different places is fetched once", async () => {
  const pinned = await stored(await longFilm());
  const { sizeBytes } = pinned;
  await withScratch(async (scratch) => {
    const ask = (start: number) =>
      scratch.withParts(pinned, (master) => master.fill([{ start, end: sizeBytes }], signal));
    await Promise.all([0, 1, 2, 3].map((place) => ask(place * 1_500_000)));
    assert.equal(scratch.fetchedBytes(), sizeBytes);
    const whole = await readFile(await longFilm());
    await scratch.withSource(pinned, signal, async (path) => assert.ok(whole.equals(await readFile(path))));
  });
});

test("the whole master must have the digest that its owner stated", async () => {
  const pinned = await stored(await longFilm(), "0".repeat(64));
  await withScratch(async (scratch) => {
    await assert.rejects(
      scratch.withSource(pinned, signal, async () => undefined),
      { code: "checksum_mismatch" },
    );
  });
});

test("another object under the same key is not read into the file", async () => {
  const pinned = await stored(await longFilm());
  await withScratch(async (scratch) => {
    const other = { ...pinned, etag: '"another"' };
    await assert.rejects(
      scratch.withParts(other, (master) => master.fill([{ start: 0, end: 10 }], signal)),
      { code: "source_changed" },
    );
  });
});

test("of a small master what lies between the pieces of a sound is read with them, where there is room for it", async () => {
  const pinned = await stored(await longFilm());
  const spans = Array.from({ length: 20 }, (_, index) => ({
    start: index * 500_000,
    end: index * 500_000 + 1_000,
  }));
  for (const [limitBytes, fetchedBytes] of [
    [2 ** 30, 19 * 500_000 + 1_000],
    [2 ** 20, 20 * 1_000],
  ] as const)
    await withScratch(async (scratch) => {
      const bytes = await scratch.withParts(pinned, async (master) => {
        await master.fill(spans, signal);
        return readFile(master.path);
      });
      assert.equal(scratch.fetchedBytes(), fetchedBytes);
      const original = await readFile(await longFilm());
      for (const { start, end } of spans)
        assert.ok(bytes.subarray(start, end).equals(original.subarray(start, end)), `from ${start}`);
    }, limitBytes);
});
