import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { readFragments } from "../../core/fragments.ts";
import { splitInit } from "../../core/init-segment.ts";
import { joinTracks } from "../../core/join-tracks.ts";
import { fragmentedAudio, fragmentedVideo } from "../rig/fragmented.ts";
import { withPackageFolder } from "../rig/package.ts";

const run = promisify(execFile);

test("tracks that were joined are read as what each was alone: codec, frames and their times", async () => {
  const picture = ["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "keyint=25:scenecut=0"];
  const files = [
    await fragmentedVideo(),
    await fragmentedAudio(),
    await fragmentedVideo([...picture, "-vf", "scale=64:36"]),
  ];
  const lone = files.map((file) => {
    const { init, rest } = splitInit(file);
    const fragments = readFragments(rest).map(({ offset, bytes }) => rest.subarray(offset, offset + bytes));
    return { init, fragments };
  });
  await withPackageFolder(new Map(), async (folder) => {
    const joined = join(folder, "joined.mp4");
    await writeFile(joined, joinTracks(lone));
    for (const [index, { init, fragments }] of lone.entries()) {
      const alone = join(folder, "alone.mp4");
      await writeFile(alone, Buffer.concat([init, ...fragments]));
      const [ofJoined, ofAlone] = [await packets(joined, index), await packets(alone, 0)];
      assert.ok(ofAlone.length > 50);
      assert.deepEqual(ofJoined, ofAlone, `track ${index}`);
    }
  });
});

test("what is joined is left as it was, Buffers too", async () => {
  const { init, rest } = splitInit(Buffer.from(await fragmentedVideo()));
  const fragments = readFragments(rest).map(({ offset, bytes }) => rest.subarray(offset, offset + bytes));
  const before = Buffer.concat([init, ...fragments]);
  joinTracks([1, 2].map(() => ({ init, fragments })));
  assert.ok(before.equals(Buffer.concat([init, ...fragments])));
});

/** Each packet of a stream and what codes it, as ffprobe tells them. */
async function packets(file: string, stream: number): Promise<string[]> {
  const entries = "packet=pts,size,flags,data_hash:stream=codec_name,width,height,channels";
  const args = ["-v", "error", "-select_streams", String(stream), "-show_packets", "-show_data_hash", "md5"];
  const { stdout } = await run("ffprobe", [...args, "-show_entries", entries, "-of", "csv=p=0", file]);
  return stdout.trim().split("\n");
}
