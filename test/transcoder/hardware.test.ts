import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { planOf } from "../../bench/simulated-plan.ts";
import type { EncodingChoice, HardwareFamily } from "../../core/encoding.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS, generationOf, hardwareFor } from "../../core/plan.ts";
import { previewOf } from "../../core/preview.ts";
import { findHardware, type Tried, tryEncoder } from "../../transcoder/hardware.ts";
import { DEVICES_OF } from "../../transcoder/hardware-recipe.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { videoRecipe } from "../../transcoder/video-recipe.ts";
import { SOURCE } from "../api/api-for-test.ts";
import { launcherForTest } from "../rig/launcher.ts";

let launcher: Launcher;
before(async () => {
  launcher = await launcherForTest();
});

const scratch = {
  async withDirectory<T>(use: (path: string) => Promise<T>): Promise<T> {
    const path = await mkdtemp(join(tmpdir(), "matinee-hardware-"));
    try {
      return await use(path);
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  },
};

test("what is not there is told with its reason, family by family", async () => {
  const none = { nvenc: ["/dev/no-nvidia"], qsv: ["/dev/no-intel"], vaapi: ["/dev/no-amd"] };
  assert.deepEqual(await findHardware(launcher, scratch, none), {
    family: null,
    detail:
      "nvenc: there is no /dev/no-nvidia; qsv: there is no /dev/no-intel; vaapi: there is no /dev/no-amd",
  });
});

test("a device file alone is not believed: the encoder is tried in the sandbox, and its own words are told", async () => {
  const fake = { nvenc: ["/dev/null"], qsv: ["/dev/no-intel"], vaapi: ["/dev/no-amd"] };
  const { family, detail } = await findHardware(launcher, scratch, fake);
  assert.equal(family, null);
  assert.match(detail, /^nvenc: .*(nvenc|cuda|libnvidia|encoder)/i);
});

test("one that works is taken, one with other keyframes or other bytes is not", async () => {
  const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-x264-params"];
  const tried = (params: string): Tried => ({
    ...{ globalOptions: [], filter: [], link: "[v0]" },
    options: [...x264, params],
  });
  const good = tried("keyint=24:min-keyint=24:scenecut=0:bframes=0");
  assert.equal(await tryEncoder(launcher, scratch, good, []), null);
  const late = tried("keyint=30:min-keyint=30:scenecut=0:bframes=0");
  assert.equal(await tryEncoder(launcher, scratch, late, []), "keyframes after 30, 18 frames");
  // Frames whose brightness the clock decides.
  const clock = "[v0]scale=64:36,geq=lum='mod(time(0)*1e6,200)':cb=128:cr=128[n]";
  const noisy: Tried = { ...good, filter: [clock], link: "[n]" };
  assert.match((await tryEncoder(launcher, scratch, noisy, [])) ?? "", /not the same/);
});

function planned(hardware: HardwareFamily | null, more: Partial<EncodingChoice>) {
  const encoding: EncodingChoice = { codecs: ["h264", "hevc"], ...more };
  return buildPlan(SOURCE, { ...DEFAULT_PLAN_SETTINGS, hardware, encoding }, "b");
}

test("only where a film allows it, and then its plan, its bytes' name and who may claim them say so", () => {
  const plain = planned(null, {});
  assert.ok(!("hardware" in plain), "plans without keep their shape");
  for (const other of [
    planned("qsv", {}),
    planned("qsv", { hardware: "never" }),
    planned(null, { hardware: "allow" }),
  ])
    assert.deepEqual(other, plain);
  assert.ok(!("hardware" in planned("qsv", { hardware: "allow", ladder: "title" })));
  const plan = planned("qsv", { hardware: "allow" });
  assert.notEqual(generationOf(plan, "m"), generationOf(plain, "m"));
  assert.deepEqual(
    { ...plan, hardware: null },
    { ...plain, hardware: null },
    "the grid, the ladders and the keys are the same",
  );
  const claims = (kind: string, part: string) => hardwareFor({ kind, part }, plan);
  assert.deepEqual(
    [
      claims("video", "h264"),
      claims("video", "hevc"),
      claims("audio", "a0"),
      hardwareFor({ kind: "video", part: "h264" }, plain),
    ],
    ["qsv", null, null, null],
  );
});

test("the preview of a film that is made in hardware is made without, by whichever worker is asked", () => {
  const preview = previewOf(planned("vaapi", { hardware: "allow" }), SOURCE);
  const unit = preview.plan.chunks[0]!;
  const recipe = videoRecipe(SOURCE, preview.plan, preview.ladder, unit);
  assert.match(recipe.outputs[0]!.options.join(" "), /-c:v libx264 -preset ultrafast /);
  assert.ok(!recipe.globalOptions.includes("-vaapi_device"));
  const plain = previewOf(planned(null, {}), SOURCE);
  assert.deepEqual(recipe, videoRecipe(SOURCE, plain.plan, plain.ladder, unit));
});

test("each family is given its pictures and the grid in its own way", () => {
  for (const [hardware, way] of [
    ["nvenc", /-c:v h264_nvenc .*-rc vbr -cq \d+ -b:v 0 -no-scenecut 1 -forced-idr 1/],
    ["qsv", /-c:v h264_qsv .*-idr_interval 0 -adaptive_i 0/],
    ["vaapi", /-c:v h264_vaapi .*-rc_mode QVBR/],
  ] as const) {
    const plan = { ...planOf(60, 1280, 720), hardware };
    const recipe = videoRecipe(SOURCE, plan, plan.ladders[0]!, plan.chunks[0]!);
    const options = recipe.outputs[0]!.options.join(" ");
    assert.match(options, way);
    assert.match(options, new RegExp(`-g ${plan.timeline.framesPerKeyframe} `));
    const uploads = hardware === "vaapi";
    assert.equal(options.includes("-map [h0]"), uploads);
    assert.equal(/\[v0\]format=nv12,hwupload\[h0\]/.test(recipe.filterGraph!), uploads);
    assert.equal(recipe.globalOptions.includes("-vaapi_device"), uploads);
    assert.ok(DEVICES_OF[hardware].length > 0);
  }
});
