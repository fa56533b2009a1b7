import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { PRESETS, type Speed } from "../../core/encoding.ts";
import { buildLadder, type Ladder } from "../../core/ladder.ts";
import { rational } from "../../core/rational.ts";
import { buildTimeline } from "../../core/timeline.ts";
import { encoderOptions } from "../../transcoder/encoders.ts";

const run = promisify(execFile);

/** What x264 itself says, in the stream, that it was told: names that it does not know are not there. */
async function toldOf(speed: Speed): Promise<string> {
  const rungs = buildLadder(320, 180);
  const ladder: Ladder = { id: "h264", codec: "h264", range: "SDR", rungs };
  const coding = { timeline: buildTimeline(rational(25, 1), 50), speed, preset: PRESETS[speed].h264 };
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-frames:v", "2"];
  const options = encoderOptions(coding, ladder, rungs[0]!);
  const args = ["-v", "error", "-nostdin", ...picture, "-pix_fmt", "yuv420p", ...options, "-f", "h264", "-"];
  const { stdout } = await run("ffmpeg", args, { encoding: "latin1" });
  return /options: (.*?)\0/.exec(stdout)?.[1] ?? "";
}

test("x264 works at each speed as it is priced: bits by what they are worth, none for grain's own sake", async () => {
  const all = ["keyint=50", "scenecut=0", "threads=1", "ref=1"];
  const table: [Speed, string][] = [
    ["fast", "crf=25.0 subme=2 trellis=1 bframes=3 b_adapt=1 rc_lookahead=20 aq=1:1.00"],
    ["balanced", "crf=26.0 subme=7 trellis=1 b_adapt=1 rc_lookahead=40 psy=0 aq=2:0.80"],
    ["small", "crf=25.5 subme=10 trellis=2 bframes=5 b_adapt=2 rc_lookahead=40 psy=0 aq=2:0.80"],
  ];
  for (const [speed, own] of table) {
    const told = (await toldOf(speed)).split(" ");
    for (const option of [...all, ...own.split(" ")])
      assert.ok(told.includes(option), `${speed}: ${option} in ${told}`);
  }
});
