import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../../core/plan.ts";
import type { Source } from "../../core/source.ts";
import { type Chunk, chunkFrames } from "../../core/timeline.ts";
import { chunkEntry } from "../../transcoder/chunk-entry.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { probeSource } from "../../transcoder/probe.ts";
import { knownEnds } from "../../transcoder/read-ends.ts";
import { readSourceIndex } from "../../transcoder/source-index.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { kept, made } from "../rig/media.ts";
import { sparseCopy } from "../rig/sparse-copy.ts";

/** Matroska and WebM described by both ends, the rest a hole: as by a reading of all of it, or left to one. */

const run = promisify(execFile);
const { signal } = new AbortController();
let launcher: Launcher;
let folder: string;
before(async () => {
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-ends-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const H264 = "-c:v libx264 -preset ultrafast -g 48";
const HEVC = "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=120";
const VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 48";
const PICTURE = "testsrc2=size=192x108:rate=24000/1001:duration=40,noise=alls=40:allf=t+u";
const SOUND = ["-f", "lavfi", "-i", "sine=duration=40:sample_rate=48000"];

/** Forty seconds with sound, a keyframe every two. */
function film(changes: { picture?: string; codecs?: string; extension?: string } = {}) {
  const { picture = PICTURE, codecs = `${H264} -bf 2 -c:a libopus`, extension = "mkv" } = changes;
  return made(extension, ["-f", "lavfi", "-i", picture, ...SOUND, ...codecs.split(" "), "{out}"]);
}

async function copied(...args: string[]): Promise<string> {
  return made("mkv", ["-i", await film(), ...args, "-c", "copy", "{out}"]);
}

/** The film with a text of one line, at so many seconds: what comes too late is left out, and the track stays. */
async function withText(second: number): Promise<string> {
  const line = await kept("srt", `1\n00:00:${second},000 --> 00:01:40,000\nOne line\n`);
  return copied("-i", line, "-map", "0", "-map", "1", "-t", "40");
}

/** The film twice, the second time as much later as its sound is longer than its picture. */
async function joined(): Promise<string> {
  return made("mkv", ["-stream_loop", "1", "-i", await copied("-t", "30"), "-c", "copy", "{out}"]);
}

/** The film with a second sound, from so many seconds on. */
async function withSound(from: number, seconds: number): Promise<string> {
  const sound = ["-itsoffset", String(from), "-f", "lavfi", "-i", `sine=duration=${seconds}`];
  return made("mkv", ["-i", await film(), ...sound, "-map", "0", "-map", "1", "-c:v", "copy", "{out}"]);
}

/** What is found by the ends alone, and how much of the file that is; null where it is not to be described so. */
async function byEnds(path: string): Promise<{ source: Source; share: number } | null> {
  const copy = await sparseCopy(path, join(folder, String(opened++)));
  const index = await readSourceIndex(copy, signal);
  const ends = index?.entries && (await knownEnds(copy, index.entries, signal));
  if (index === null || ends == null) return null;
  await copy.fill([...index.always, ...ends.ranges], signal);
  const file = { sizeBytes: copy.sizeBytes, sha256: null };
  const source = await probeSource(launcher, copy.path, file, signal, () => undefined, { ends });
  return { source, share: copy.heldBytes() / copy.sizeBytes };
}
let opened = 0;

for (const [name, file] of [
  ["H.264 with reordered pictures, 23.976", () => film()],
  ["a text in the middle", () => withText(20)],
  ["a track of text that holds nothing", () => withText(59)],
  [
    "HEVC, 59.94",
    () => film({ picture: PICTURE.replace("24000/1001", "60000/1001"), codecs: `${HEVC} -c:a aac` }),
  ],
  [
    "interlaced",
    () =>
      film({
        picture: `${PICTURE.replace("24000/1001", "50")},interlace`,
        codecs: `${H264} -flags +ildct+ilme -c:a flac`,
      }),
  ],
  ["recordings that were joined a moment apart", () => joined()],
  ["VP9 in WebM", () => film({ extension: "webm", codecs: `${VP9} -c:a libopus` })],
] as const)
  test(`${name}: the ends tell what all of it tells, but for who says so`, async () => {
    const path = await file();
    const found = await byEnds(path);
    assert.ok(found !== null && found.share < 0.4, `${found?.share} of it was read`);
    const { isReckoned, stepsBack, ...video } = found.source.video;
    assert.deepEqual([isReckoned, typeof stepsBack], [true, "boolean"]);
    assert.deepEqual({ ...found.source, video }, await probeFile(launcher, path));
  });

test("a sound that ends before the picture is as long as the file says", async () => {
  const path = await withSound(0, 25);
  const [whole, found] = [await probeFile(launcher, path), await byEnds(path)];
  const [told, seen] = [found?.source, whole].map((source) => source?.audio[1]?.durationSeconds ?? 0);
  assert.ok(Math.abs(told! - seen!) < 0.05 && Math.abs(seen! - 25) < 0.05, `${told} ${seen}`);
});

/** The film with its picture a third of a second behind its sound. */
async function late(): Promise<string> {
  const [picture, sound] = [await film(), await copied("-t", "40")];
  const inputs = ["-itsoffset", "0.335", "-i", picture, "-i", sound, "-map", "0:v", "-map", "1:a"];
  return made("mkv", [...inputs, "-c", "copy", "{out}"]);
}

/** A picture's digest each, of the frames that an encoder would be given for one chunk. */
async function shown(path: string, source: Source, plan: Plan, chunk: Chunk): Promise<string[]> {
  const { inputOptions, filters } = chunkEntry(source, plan, chunkFrames(plan.timeline, chunk));
  const { frameCount } = chunkFrames(plan.timeline, chunk);
  const picture = ["-vf", filters.join(","), "-frames:v", String(frameCount), "-an", "-f", "framemd5", "-"];
  const { stdout } = await run("ffmpeg", ["-v", "quiet", ...inputOptions, "-i", path, ...picture]);
  return stdout.split("\n").flatMap((line) => (/^\d/.test(line) ? [line.split(",").at(-1)!.trim()] : []));
}

test("a picture that begins behind its sound is placed as it is counted, from its first frame on", async () => {
  const path = await late();
  const whole = await probeFile(launcher, path);
  const { source } = (await byEnds(path))!;
  assert.ok(source.video.startSeconds > 0.3 && source.video.startSeconds === whole.video.startSeconds);
  const [plan, counted] = [source, whole].map((one) => buildPlan(one, DEFAULT_PLAN_SETTINGS, launcher.build));
  assert.deepEqual([plan!.timing, counted!.timing], ["place", "count"]);
  for (const chunk of plan!.chunks.slice(0, 2))
    assert.deepEqual(await shown(path, source, plan!, chunk), await shown(path, whole, counted!, chunk));
});

test("a film whose middle lacks frames is taken for one that has them, and each of the others is put in its place", async () => {
  // A group of 48 begins at 480; it cannot be decoded any more from the first that is missing on, two of which are shown earlier.
  const [dropped, next] = [500, 528];
  const missing = dropped - 2;
  const path = await copied("-bsf:v", `noise=drop=gte(n\\,${dropped})*lt(n\\,${dropped + 4})`);
  const whole = await probeFile(launcher, path);
  const { source } = (await byEnds(path))!;
  assert.deepEqual([whole.video.variableFrameRate, source.video.variableFrameRate], [true, false]);
  assert.equal(source.video.frameCount, whole.video.frameCount);
  const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
  const chunk = plan.chunks.findLast(
    ({ firstSegment }) => firstSegment * plan.timeline.framesPerSegment <= missing,
  )!;
  const { firstFrame, frameCount } = chunkFrames(plan.timeline, chunk);
  const [intact, placed] = [
    await shown(await copied("-t", "60"), source, plan, chunk),
    await shown(path, source, plan, chunk),
  ];
  assert.ok(
    placed.length === frameCount && firstFrame + frameCount > next + 24,
    `${firstFrame} ${frameCount}`,
  );
  assert.deepEqual(placed.slice(next - firstFrame), intact.slice(next - firstFrame));
  assert.deepEqual(placed.slice(0, missing - firstFrame), intact.slice(0, missing - firstFrame));
  const counted = await shown(path, source, { ...plan, timing: "count" }, chunk);
  assert.notDeepEqual(counted.slice(next - firstFrame), intact.slice(next - firstFrame));
});

test("a gap over a chunk's border is filled with the frame before it on both sides", async () => {
  const { source } = (await byEnds(await film()))!;
  const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
  const chunk = plan.chunks[1]!;
  const { firstFrame } = chunkFrames(plan.timeline, chunk);
  const still = `${PICTURE},select='lt(n,${firstFrame - 20})+gt(n,${firstFrame + 20})'`;
  const forced = "-bf 0 -force_key_frames expr:gte(t,n_forced*2) -fps_mode passthrough";
  const path = await film({ picture: still, codecs: `${H264} ${forced} -c:a libopus` });
  const held = (await byEnds(path))!.source;
  assert.equal(held.video.frameCount, source.video.frameCount);
  const frames = await shown(path, held, plan, chunk);
  assert.equal(new Set(frames.slice(0, 21)).size, 1, "the frame before the gap stands until it ends");
  assert.deepEqual(frames, await shown(path, held, { ...plan, timing: "retime" }, chunk));
});

for (const share of [0.7, 0.99])
  test(`cut off after ${share} of it, its index first: the whole is to be read`, async () => {
    const path = await copied("-cues_to_front", "1");
    const cut = join(folder, `cut-${share}.mkv`);
    await copyFile(path, cut);
    await truncate(cut, Math.floor((await stat(cut)).size * share));
    assert.equal(await byEnds(cut), null);
    await assert.rejects(probeFile(launcher, cut), { code: "source_damaged" });
    assert.ok((await byEnds(path))?.source.video.isReckoned, "it was the cut");
  });

const RAGGED = `${PICTURE},select='not(eq(mod(n,7),3))'`;
for (const [name, file] of [
  [
    "frames at uneven times",
    () => film({ picture: RAGGED, codecs: `${H264} -fps_mode passthrough -c:a flac` }),
  ],
  ["a sound that begins in the middle", () => withSound(20, 20)],
  ["one group", () => film({ codecs: `${H264} -g 900 -sc_threshold 0 -c:a flac` })],
] as const)
  test(`${name}: the whole is to be read`, async () => {
    const found = await byEnds(await file()).catch((thrown: Error) => thrown);
    const isDoubted = found instanceof Error && /do not tell what lies between/.test(found.message);
    assert.ok(found === null || isDoubted, String(found));
  });

test("a chunk that starts on a keyframe is entered there, be pictures reordered or not, and is what it is from the group before", async () => {
  for (const codecs of [`${H264} -bf 2`, `${H264} -bf 0`, `${H264} -bf 3 -x264-params open-gop=1`]) {
    const path = await film({ codecs: `${codecs} -c:a flac`, picture: PICTURE.replace("24000/1001", "24") });
    const { source } = (await byEnds(path))!;
    assert.equal(source.video.stepsBack, !codecs.endsWith("-bf 0"));
    const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
    const [, chunk] = plan.chunks;
    const { inputOptions } = chunkEntry(source, plan, chunkFrames(plan.timeline, chunk!));
    assert.ok(inputOptions.includes("-noaccurate_seek"), inputOptions.join(" "));
    const unaware = { ...source, video: { ...source.video, keyframeSeconds: [] } };
    assert.deepEqual(
      await shown(path, source, plan, chunk!),
      await shown(path, unaware, plan, chunk!),
      codecs,
    );
  }
});
