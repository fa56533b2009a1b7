import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { asFailure } from "../../core/errors.ts";
import type { Launcher, RunOutcome } from "../../transcoder/launcher.ts";
import { launcherForTest, probeByIndex, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { bars, blackPicture, pixelBomb } from "../rig/odd-media.ts";

let launcher: Launcher;
let folder: string;
before(async () => {
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-bombs-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** The code with which a file is refused (or `taken`), and what finding that out cost. */
async function cost(
  path: string,
  probe = probeFile,
): Promise<{ code: string; cpuSeconds: number; peakMemoryBytes: number }> {
  const runs: RunOutcome[] = [];
  const code = await probe(launcher, path, runs).then(
    () => "taken",
    (thrown: unknown) => asFailure(thrown).code,
  );
  return {
    code,
    cpuSeconds: runs.reduce((sum, run) => sum + run.cpuSeconds, 0),
    peakMemoryBytes: Math.max(...runs.map((run) => run.peakMemoryBytes ?? 0)),
  };
}

test("T06 six pixel bombs: refused, and none makes the probe hold 300 MB", async (context) => {
  const table: [string, Promise<string>, string][] = [
    ["png", pixelBomb("png"), "unsupported_codec"],
    ["hevc", pixelBomb("hevc"), "dimensions_refused"],
    [
      "mjpeg",
      blackPicture("avi", "16000x16000", "yuvj420p", ["-c:v", "mjpeg", "-q:v", "31"]),
      "dimensions_refused",
    ],
    ["ffv1", blackPicture("mkv", "16000x8000", "gray", ["-c:v", "ffv1"]), "dimensions_refused"],
    // Below the decoder's own limit, above what is taken.
    [
      "h264, 8K",
      blackPicture("mp4", "8192x4320", "yuv420p", ["-c:v", "libx264", "-preset", "ultrafast"]),
      "dimensions_refused",
    ],
    ["mpeg4", blackPicture("mp4", "8000x4000", "yuv420p", ["-c:v", "mpeg4"]), "dimensions_refused"],
  ];
  for (const [name, path, code] of table) {
    for (const probe of [probeFile, probeByIndex]) {
      const spent = await cost(await path, probe);
      assert.equal(spent.code, code, name);
      assert.ok(spent.peakMemoryBytes <= 300 * 10 ** 6, `${name}: ${spent.peakMemoryBytes} bytes`);
      const mebibytes = Math.round(spent.peakMemoryBytes / 2 ** 20);
      context.diagnostic(`${name}, ${probe.name}: ${spent.cpuSeconds.toFixed(2)} CPU s, ${mebibytes} MiB`);
    }
  }
});

test("T07 clocks that would make hours out of nothing: timeline_invalid, before anything is encoded", async (context) => {
  const retimed = (times: string, frames = 50): Promise<string> =>
    bars({
      audio: false,
      size: "64x64",
      seconds: frames / 25,
      filters: `settb=1/1000,setpts='${times}'`,
      output: ["-fps_mode", "passthrough", "-enc_time_base", "1:1000"],
      extension: "mkv",
    });
  const table: [string, Promise<string>][] = [
    ["one frame 10⁶ s after the others", retimed("if(eq(N,49),1000000/TB,N*40)")],
    ["every frame 20 s after the one before", retimed("N*20000")],
    ["a frame every nine seconds, for a quarter of an hour", retimed("N*9000", 100)],
    ["a hole of a day in the middle", retimed("N*40+gte(N,25)*86400000")],
    ["fifty frames, most of them at one instant", retimed("min(N,10)")],
  ];
  for (const [name, path] of table) {
    const spent = await cost(await path);
    assert.equal(spent.code, "timeline_invalid", name);
    assert.ok(spent.cpuSeconds <= 30, `${name}: ${spent.cpuSeconds} CPU seconds`);
    context.diagnostic(`${name}: ${spent.code}, ${spent.cpuSeconds.toFixed(2)} CPU s`);
  }
});

test("T08 too many streams: 65, 200 and 1000, of texts and of pictures", async (context) => {
  const cue = join(folder, "cue.srt");
  await writeFile(cue, "1\n00:00:00,000 --> 00:00:01,000\nx\n");
  const film = await bars({ audio: false, seconds: 1, size: "64x64" });
  const many = (kind: "0:v" | "1:s", count: number): Promise<string> => {
    const maps = Array.from({ length: count }, () => ["-map", kind]).flat();
    return made("mkv", [
      "-i",
      film,
      "-i",
      cue,
      "-map",
      "0:v",
      ...maps,
      "-c:v",
      "copy",
      "-c:s",
      "srt",
      "{out}",
    ]);
  };
  for (const [kind, count] of [
    ["1:s", 64],
    ["1:s", 999],
    ["0:v", 199],
  ] as const) {
    const spent = await cost(await many(kind, count));
    assert.equal(spent.code, "too_many_streams", `${count} of ${kind}`);
    context.diagnostic(`${count + 1} streams: ${spent.cpuSeconds.toFixed(2)} CPU s`);
  }
  assert.equal((await cost(await many("1:s", 63))).code, "taken", "64 are taken");
});
