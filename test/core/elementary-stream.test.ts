import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { elementaryFormat, elementaryStream } from "../../core/elementary-stream.ts";
import { readFragments } from "../../core/fragments.ts";
import { readInit, splitInit } from "../../core/init-segment.ts";
import { fragmentedVideo } from "../rig/fragmented.ts";

const run = promisify(execFile);

for (const [codec, encoder] of [
  ["h264", undefined],
  [
    "hevc",
    [
      "-c:v",
      "libx265",
      "-preset",
      "ultrafast",
      "-x265-params",
      "keyint=25:open-gop=0:log-level=error",
      "-tag:v",
      "hvc1",
    ],
  ],
  ["obu", ["-c:v", "libsvtav1", "-preset", "12", "-g", "25"]],
] as const) {
  test(`${codec}: a decoder that is given two runs in a row shows every frame of both and complains of nothing`, async () => {
    const { init, rest } = splitInit(await fragmentedVideo(encoder));
    assert.equal(elementaryFormat(readInit(init).sampleEntry), codec);
    const frames = readFragments(rest).reduce((sum, { samples }) => sum + samples.length, 0);
    const folder = await mkdtemp(join(tmpdir(), "matinee-stream-"));
    try {
      const file = join(folder, "stream");
      const stream = elementaryStream(init, rest);
      await writeFile(file, Buffer.concat([stream, stream]));
      const args = ["-v", "error", "-f", codec, "-show_entries", "frame=width", "-of", "csv=p=0", file];
      const { stdout, stderr } = await run("ffprobe", args);
      assert.equal(stderr, "");
      assert.equal(stdout.match(/^\d+/gm)?.length, 2 * frames);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test("a picture that is cut off is said to be, not passed on", async () => {
  const { init, rest } = splitInit(await fragmentedVideo());
  const [first] = readFragments(rest);
  const broken = Uint8Array.from(rest);
  new DataView(broken.buffer).setUint32(first!.samples[0]!.offset, 0x7fffffff);
  assert.throws(() => elementaryStream(init, broken), { failureClass: "ours", message: /cut off/ });
});
