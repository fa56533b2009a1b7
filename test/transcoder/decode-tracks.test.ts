import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readFragments } from "../../core/fragments.ts";
import { splitInit } from "../../core/init-segment.ts";
import { joinTracks, type LoneTrack } from "../../core/join-tracks.ts";
import { decodeTracks } from "../../transcoder/decode-tracks.ts";
import { fragmentedAudio, fragmentedVideo } from "../rig/fragmented.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";

function lone(file: Uint8Array): LoneTrack {
  const { init, rest } = splitInit(file);
  return {
    init,
    fragments: readFragments(rest).map(({ offset, bytes }) => rest.subarray(offset, offset + bytes)),
  };
}

/** A second of noise that is larger than what ffprobe looks at of a file unless it is told to look at more. */
async function largePicture(): Promise<Uint8Array> {
  const noise = "color=gray:size=640x360:rate=25:duration=1,noise=alls=60:allf=t";
  const coding = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p"];
  const boxes = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-use_editlist", "0"];
  return readFile(await made("mp4", ["-f", "lavfi", "-i", noise, ...coding, ...boxes, "{out}"]));
}

test("tracks behind a large one are known as they are: profile, level and every frame", async () => {
  const large = await largePicture();
  assert.ok(large.length > 5_000_000, `${large.length} bytes`);
  const directory = await mkdtemp(join(tmpdir(), "matinee-tracks-"));
  try {
    const bench = {
      ...{ launcher: await launcherForTest(), directory, signal: new AbortController().signal },
      ...{ read: async () => null, note: () => undefined },
    };
    const joined = joinTracks([large, await fragmentedVideo(), await fragmentedAudio()].map(lone));
    await writeFile(join(directory, "joined.mp4"), joined);
    const { tracks, complaints } = await decodeTracks(bench, "/out/joined.mp4");
    assert.deepEqual(complaints, []);
    assert.deepEqual(
      tracks.map(({ stream }) => `${stream?.codec} ${stream?.profile}`),
      ["h264 Constrained Baseline", "h264 High", "aac LC"],
    );
    assert.equal(tracks[1]?.frames.length, 75);
  } finally {
    await rm(directory, { recursive: true });
  }
});
