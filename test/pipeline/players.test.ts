import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { thisMachine } from "../../infra/start/install.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { flashAndBeep } from "../rig/media.ts";
import { type Product, startProduct } from "../rig/product.ts";
import type { ScriptedWindow } from "../rig/scripted-window.ts";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const machine = thisMachine(process.env);
const SECONDS = 8;
/** VLC does not run as root. */
const asNobody = machine.isRoot
  ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
  : [];

let product: Product;
let browser: Browser;
let hlsUrl: string;
let dashUrl: string;
let heights: number[];
before(async () => {
  product = await startProduct();
  browser = await launchBrowser();
  const source = await flashAndBeep({ seconds: SECONDS, size: "480x360" });
  const asset = await product.until(await product.uploadFile(source), ({ state }) => state === "ready", 300);
  const { body } = await product.call("POST", `/v1/assets/${asset._id}/preview`, {});
  hlsUrl = body.manifestUrl;
  dashUrl = body.dashUrl!;
  heights = asset.renditions.flatMap(({ kind, height }) => (kind === "video" && height ? [height] : []));
});
after(async () => {
  await browser.close();
  await product.stop();
});

/** A page of an origin that the edge admits, with a player's script and a picture to play in. */
async function pageWith(script: string): Promise<Page> {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${product.apiUrl}/healthz`);
  await page.setContent("<video muted></video>");
  await page.addScriptTag({ path: require.resolve(script) });
  return page;
}

/** What a page hands back of each rung that was played: its height as shown, and frames that were really decoded. */
interface Shown {
  height: number;
  frames: number;
}

/** Every rung was shown in its own size and moved. */
function assertAllShown(shown: Shown[]): void {
  assert.deepEqual(
    shown.map(({ height }) => height).sort((a, b) => b - a),
    [...heights].sort((a, b) => b - a),
  );
  for (const { height, frames } of shown) assert.ok(frames > 5, `${height}: ${frames} frames`);
}

test("hls.js plays every rung", { timeout: 240_000 }, async () => {
  const page = await pageWith("hls.js/dist/hls.js");
  const shown = await page.evaluate(async (url) => {
    const video = document.querySelector("video")!;
    const { Hls } = window as unknown as ScriptedWindow;
    const played: Shown[] = [];
    const levels = await new Promise<number>((resolve, reject) => {
      const hls = new Hls();
      hls.on(Hls.Events.MANIFEST_PARSED, () => resolve(hls.levels.length));
      hls.on(Hls.Events.ERROR, (_: unknown, { details }: { details: string }) => reject(new Error(details)));
      hls.loadSource(url);
    });
    for (let level = 0; level < levels; level++) {
      const hls = new Hls({ startLevel: level, autoStartLoad: true });
      const failed = new Promise<never>((_, reject) =>
        hls.on(Hls.Events.ERROR, (_: unknown, error: { fatal: boolean; details: string }) => {
          if (error.fatal) reject(new Error(error.details));
        }),
      );
      hls.on(Hls.Events.MANIFEST_PARSED, () => {
        hls.currentLevel = level;
      });
      const moved = new Promise<void>((resolve) =>
        video.addEventListener("timeupdate", function watch() {
          if (video.currentTime < 1) return;
          video.removeEventListener("timeupdate", watch);
          resolve();
        }),
      );
      hls.loadSource(url);
      hls.attachMedia(video);
      await video.play();
      await Promise.race([moved, failed]);
      played.push({ height: video.videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames });
      hls.destroy();
    }
    return played;
  }, hlsUrl);
  assertAllShown(shown);
});

for (const [name, address] of [
  ["HLS", () => hlsUrl],
  ["DASH", () => dashUrl],
] as const) {
  test(`Shaka Player plays every rung by ${name}`, { timeout: 240_000 }, async () => {
    const page = await pageWith("shaka-player/dist/shaka-player.compiled.js");
    const shown = await page.evaluate(async (url) => {
      const video = document.querySelector("video")!;
      const { shaka } = window as unknown as ScriptedWindow;
      shaka.polyfill.installAll();
      const played: Shown[] = [];
      const player = new shaka.Player();
      const failed = new Promise<never>((_, reject) =>
        player.addEventListener("error", ({ detail }: { detail: { code: number } }) =>
          reject(new Error(`shaka ${detail.code}`)),
        ),
      );
      player.configure({ abr: { enabled: false } });
      await player.attach(video);
      await player.load(url);
      const ids: number[] = player.getVariantTracks().map(({ id }) => id);
      for (const id of ids) {
        const wanted = player.getVariantTracks().find((one) => one.id === id)!;
        const before = video.getVideoPlaybackQuality().totalVideoFrames;
        player.selectVariantTrack(wanted, true);
        video.currentTime = 0;
        await video.play();
        await Promise.race([
          failed,
          new Promise<void>((resolve) =>
            video.addEventListener("timeupdate", function watch() {
              if (video.currentTime < 1 || video.videoHeight !== wanted.height) return;
              video.removeEventListener("timeupdate", watch);
              resolve();
            }),
          ),
        ]);
        played.push({
          height: video.videoHeight,
          frames: video.getVideoPlaybackQuality().totalVideoFrames - before,
        });
      }
      await player.destroy();
      return played;
    }, address());
    assertAllShown(shown);
  });

  test(`ffmpeg opens it by ${name} and decodes every frame and sample`, async () => {
    // One after the other: its DASH reader stops at the end of the shorter one and loses the frames that wait to be shown.
    const count = async (map: string): Promise<number> => {
      const args = [
        "-v",
        "error",
        "-i",
        address(),
        "-map",
        map,
        "-fps_mode",
        "passthrough",
        "-f",
        "framecrc",
        "-",
      ];
      const { stdout, stderr } = await run("ffmpeg", args);
      assert.equal(stderr, "");
      return stdout.match(/^0,/gm)?.length ?? 0;
    };
    assert.equal(await count("0:v:0"), SECONDS * 25);
    assert.equal(await count("0:a:0"), Math.ceil((SECONDS * 48_000) / 1024));
  });

  for (const [player, program, args, sign] of [
    [
      "mpv",
      "mpv",
      (url: string) => ["--no-config", "--vo=null", "--ao=null", "--frames=50", url],
      /VO: \[null\] \d+x\d+/,
    ],
    ["GStreamer", "gst-discoverer-1.0", (url: string) => ["-t", "120", url], /Duration: 0:00:0[78]/],
    [
      "VLC",
      "cvlc",
      (url: string) => [
        ...["-I", "dummy", "--vout", "dummy", "--aout", "dummy", "-vv"],
        ...["--run-time", "2", "--play-and-exit", url],
      ],
      /Received first picture/,
    ],
  ] as const) {
    const path = machine.find(program);
    test(`${player} opens it by ${name}`, {
      skip: path === null && `${program} is not on this machine`,
    }, async () => {
      const [file = "", ...rest] = [...asNobody, path!, ...args(address())];
      const { stdout, stderr } = await run(file, rest, {
        env: { ...process.env, HOME: tmpdir() },
        timeout: 180_000,
        maxBuffer: 2 ** 26,
      });
      assert.match(stdout + stderr, sign);
    });
  }
}
