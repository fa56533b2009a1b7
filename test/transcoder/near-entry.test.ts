import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { PinnedSource, Source } from "../../core/source.ts";
import type { FrameRange } from "../../core/timeline.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { chunkEntry } from "../../transcoder/chunk-entry.ts";
import { describeMaster } from "../../transcoder/describe-master.ts";
import { entrySpan } from "../../transcoder/entry-place.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { withNearEntry } from "../../transcoder/near-entry.ts";
import { openScratch, type Scratch } from "../../transcoder/scratch.ts";
import { pictureWindow, type Wanted, withSourceWindow } from "../../transcoder/source-window.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";

/** A few seconds in the middle of a chunk of a transport stream: entered shortly before, where the plan knows no such place. */

const run = promisify(execFile);
const blobs = openBlobs(s3ForTest("near"));
const { signal } = new AbortController();
let launcher: Launcher;
let folder: string;
let scratch: Scratch;
before(async () => {
  await blobs.ensureBuckets({ corsOrigins: [] });
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-near-test-"));
  scratch = await openScratch({ directory: folder, limitBytes: 2 ** 30, workerId: "w" }, blobs);
});
after(async () => {
  await scratch.close();
  await rm(folder, { recursive: true, force: true });
  blobs.close();
});

/** Ninety seconds without sound, a keyframe every so many frames. */
const film = (group: number) =>
  made("ts", [
    ...["-f", "lavfi", "-i", "testsrc2=size=320x192:rate=25:duration=90,noise=alls=60:allf=t+u"],
    ...[
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-b:v",
      "4M",
      "-g",
      String(group),
      "-bf",
      "2",
      "-sc_threshold",
      "0",
      "{out}",
    ],
  ]);

async function shown(path: string, source: Source, frames: FrameRange, plan: ReturnType<typeof planOf>) {
  const { inputOptions, filters } = chunkEntry(source, plan, frames);
  const picture = ["-vf", filters.join(","), "-frames:v", String(frames.frameCount), "-f", "framemd5", "-"];
  const { stdout } = await run("ffmpeg", ["-v", "quiet", ...inputOptions, "-i", path, ...picture]);
  return stdout.split("\n").flatMap((line) => (/^\d/.test(line) ? [line.split(",").at(-1)!.trim()] : []));
}
const planOf = (source: Source) => buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);

const context = () => ({ launcher, scratch, signal, note: () => undefined });

async function stored(bytes: Buffer, key: string): Promise<PinnedSource> {
  const { etag } = await blobs.put("sources", key, bytes, { contentType: "video/mp2t" });
  return { key, etag, sizeBytes: bytes.length, sha256: null };
}

/** At each of these seconds: which group is entered, and that its pictures are those of a whole reading. */
async function entersNear(
  path: string,
  pinned: PinnedSource,
  source: Source,
  seconds: readonly (readonly [second: number, entered: number])[],
): Promise<void> {
  const [plan, whole] = [planOf(source), await probeFile(launcher, path)];
  for (const [second, entered] of seconds) {
    const frames = { firstFrame: Math.round(second * 25), frameCount: 50 };
    const near = await withNearEntry(context(), pinned, source, plan, frames);
    const { entry } = entrySpan(near, plan, frames)!;
    assert.ok(
      Math.abs(entry!.seconds - near.video.startSeconds - entered) < 0.1,
      `${second}: ${entry?.seconds}`,
    );
    const made = await withSourceWindow(
      { ...context(), log: { info: () => undefined }, task: { _id: "task" } },
      pinned,
      pictureWindow(near, plan, frames),
      async (part) => ({ made: { part, seen: await shown(part, near, frames, plan) }, log: "" }),
    );
    assert.match(made.part, /cut\.ts$/, "a stretch was enough");
    assert.equal(made.seen.length, 50);
    assert.deepEqual(made.seen, await shown(path, whole, frames, planOf(whole)), `${second}`);
  }
}

test("who is at a few seconds enters the group that they begin in, and has the pictures of a whole reading", async () => {
  const path = await film(200);
  const pinned = await stored(await readFile(path), "t/up_near/source");
  const source = await describeMaster(context(), pinned);
  assert.ok(source.video.entries?.leadAt, "it was read whole");
  await entersNear(path, pinned, source, [
    [26, 24],
    [55.9, 48],
    [56, 56],
  ]);
  const begin = { firstFrame: 25, frameCount: 50 };
  const near = await withNearEntry(context(), pinned, source, planOf(source), begin);
  assert.equal(near, source, "near enough as it is");
});

/** Four and a half minutes, a keyframe every two seconds: of these a sketch is made first. */
const longFilm = async () => {
  const once = await film(50);
  return made("ts", ["-stream_loop", "2", "-i", once, "-c", "copy", "{out}"]);
};

test("of a film of which only the ends have been seen the middle is entered as near", async () => {
  const path = await longFilm();
  const pinned = await stored(await readFile(path), "t/up_sketch/source");
  const source = await describeMaster(context(), pinned, "sketch");
  assert.equal(source.isSketch, true);
  const [before, behind] = source.video.keyframeSeconds.slice(-2) as [number, number];
  assert.ok(behind - before > 200, "nobody has looked between");
  await entersNear(path, pinned, source, [
    [41, 40],
    [60, 60],
  ]);
});

test("where such a film is damaged the whole is not fetched for a few seconds of it", async () => {
  const bytes = await readFile(await longFilm());
  const middle = Math.floor(bytes.length / 2);
  bytes.fill(0, middle, middle + 2 ** 20);
  const pinned = await stored(bytes, "t/up_torn/source");
  const source = await describeMaster(context(), pinned, "sketch");
  assert.equal(source.isSketch, true);
  const plan = planOf(source);
  const frames = { firstFrame: Math.floor(source.video.frameCount / 2), frameCount: 100 };
  const wanted: Wanted = { ...pictureWindow(source, plan, frames), isPartOnly: true };
  const reading = { ...context(), log: { info: () => undefined }, task: { _id: "task" } };
  const read = withSourceWindow(reading, pinned, wanted, async () => ({ made: true, log: "" }));
  await assert.rejects(read, { code: "preview_not_ready", failureClass: "transient" });
});
