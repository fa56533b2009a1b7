import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { resolvePath } from "../../core/conformance/package-view.ts";
import { parseMedia } from "../../core/conformance/parse-media.ts";
import { parseMultivariant } from "../../core/conformance/parse-multivariant.ts";
import type { ContentKey } from "../../core/content-key.ts";
import { readFragments } from "../../core/fragments.ts";
import { openTrack } from "../../core/protect-track.ts";
import { readProtection } from "../../core/track-protection.ts";
import { flashAndBeep } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { callerOf, type Product, upload } from "../rig/product.ts";
import type { ScriptedWindow } from "../rig/scripted-window.ts";
import { launchBrowser, openContext } from "./browser.ts";
import { PLAYING_MS, seek, waitForFrames, waitForPosition } from "./playing.ts";
import { type StartedProduct, startWholeProduct } from "./product.ts";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
/** Long enough for a preview of its own, small enough to cost little. */
const SECONDS = 25;

let product: StartedProduct;
let browser: Browser;
let editor: Product["call"];
let assetId: string;
let titleId: string;
before(async () => {
  [product, browser] = await Promise.all([startWholeProduct(), launchBrowser()]);
  editor = callerOf(product.api, product.tokens.editor);
  const film = await readFile(await flashAndBeep({ seconds: SECONDS }));
  assetId = await upload(editor, film, { encoding: { codecs: ["h264", "hevc"], protection: "clearkey" } });
  await eventually("a protected film", 600, async () => {
    const { state, error } = (await editor("GET", `/v1/assets/${assetId}`)).body;
    assert.notEqual(state, "failed", error?.message);
    return state === "ready" ? true : null;
  });
  const title = { type: "movie", name: { en: "The Vault" }, assetId };
  titleId = (await editor("POST", "/v1/titles", title)).body.id;
  await editor("POST", `/v1/titles/${titleId}/publish`, {});
});
after(async () => {
  await browser?.close();
  await product?.stop();
});

/** A viewer's session of the film, and its key as a browser gets it. */
async function watch() {
  const call = callerOf(product.api, product.tokens.viewer);
  const { body: playback } = await call("POST", "/v1/playback", { titleId });
  const { protection } = playback;
  assert.ok(protection, "it is protected");
  const keyId = protection.keyIds[0]!;
  const kids = [Buffer.from(keyId, "hex").toString("base64url")];
  const license = await call("POST", protection.licenseUrl, { kids, type: "temporary" });
  const { keys } = license.body as { keys: { k: string }[] };
  const contentKey: ContentKey = { keyId, key: Buffer.from(keys[0]!.k, "base64url") };
  const fetched = async (path: string): Promise<Uint8Array> => {
    const response = await fetch(new URL(path, playback.manifestUrl));
    assert.equal(response.status, 200, path);
    return new Uint8Array(await response.arrayBuffer());
  };
  const text = async (path: string): Promise<string> => Buffer.from(await fetched(path)).toString();
  return { playback, contentKey, fetched, text };
}

test("the package passes every rule and its proof of playback", async () => {
  const { body } = await editor("GET", `/v1/assets/${assetId}/conformance`);
  const verdicts = new Map<string, string>(body.results.map(({ rule, verdict }) => [rule, verdict]));
  for (const rule of [
    "13.7",
    "8216-session-key",
    "cmaf-protection",
    "cmaf-samples",
    "dash-protection",
    "6.10",
  ])
    assert.equal(verdicts.get(rule), "pass", rule);
  const failed = [
    ...body.results.filter(({ verdict, level }) => verdict === "fail" && level !== "SHOULD"),
    ...body.proof!.filter(({ verdict }) => verdict === "fail"),
  ];
  assert.deepEqual(failed, []);
});

test("every track is under the one key: whole with it, and without it nothing to look at", async () => {
  const { contentKey, fetched, text } = await watch();
  const main = parseMultivariant(await text("main.m3u8"));
  const preview = parseMultivariant(await text("preview/main.m3u8"));
  const playlists = [
    ...[...main.variants, ...main.iFrames].map(({ uri }) => uri),
    ...main.media.map((attributes) => attributes.get("URI")!),
    ...preview.variants.map(({ uri }) => `preview/${uri}`),
    ...preview.media.map((attributes) => `preview/${attributes.get("URI")}`),
  ];
  assert.ok(playlists.some((uri) => uri.includes("hevc")) && playlists.length >= 7, playlists.join());
  for (const path of new Set(playlists)) {
    const { segments } = parseMedia(await text(path));
    assert.ok(segments.every(({ key }) => key?.get("KEYID") === `0x${contentKey.keyId.toUpperCase()}`));
    const init = await fetched(resolvePath(path, segments[0]!.map!.uri));
    assert.equal(readProtection(init)?.keyId, contentKey.keyId, path);
    const track = openTrack(init, contentKey);
    // Of a preview only what was made unasked is there.
    const first = await fetched(resolvePath(path, segments[0]!.uri));
    const fragments = readFragments(first);
    const frames = fragments.reduce((sum, { samples }) => sum + samples.length, 0);
    const open = await decoded([track.init, track.open(first)]);
    assert.equal(open.length, frames, path);
    const blind = await decoded([init, first]);
    // Silence, and the white of a flash, take less than what is left as it is.
    const seen = blind.filter((frame) => open.includes(frame));
    if (path.includes("audio/")) assert.notDeepEqual(blind, open, path);
    else assert.ok(seen.length <= open.length / 5, `${path} shows ${seen.length} of ${open.length}`);
  }
});

test("each picture for seeking is one keyframe that stands alone, at its place in the encrypted bytes", async () => {
  const { contentKey, playback, fetched, text } = await watch();
  const { iFrames } = parseMultivariant(await text("main.m3u8"));
  for (const { uri } of iFrames) {
    const { segments } = parseMedia(await text(uri));
    const track = openTrack(await fetched(resolvePath(uri, segments[0]!.map!.uri)), contentKey);
    const { byteRange, uri: name } = segments.at(-1)!;
    const { offset, length } = byteRange!;
    const response = await fetch(new URL(resolvePath(uri, name), playback.manifestUrl), {
      headers: { range: `bytes=${offset}-${offset + length - 1}` },
    });
    assert.equal(response.status, 206);
    // The range ends with the keyframe; its boxes tell of those after it too.
    const bytes = new Uint8Array(await response.arrayBuffer());
    const whole = await fetched(resolvePath(uri, name));
    const fragment = readFragments(whole).find((one) => one.offset === offset)!;
    assert.deepEqual(bytes, whole.subarray(offset, offset + length));
    assert.equal(fragment.samples[0]!.offset + fragment.samples[0]!.sizeBytes, offset + length);
    assert.ok(fragment.samples[0]!.isSync);
    const opened = track.open(whole.subarray(offset, offset + fragment.bytes));
    assert.ok((await decoded([track.init, opened])).length >= 1, uri);
  }
});

test("T33, T44: the key lies nowhere but in the answer: not in the store, the queue, the records, a log", async () => {
  const { contentKey } = await watch();
  const key = Buffer.from(contentKey.key);
  const forms = [
    key,
    ...[key.toString("hex"), key.toString("hex").toUpperCase()].map((form) => Buffer.from(form)),
    ...[key.toString("base64").slice(0, 20), key.toString("base64url")].map((form) => Buffer.from(form)),
  ];
  const id = Buffer.from(contentKey.keyId);
  let seen = 0;
  for (const path of globSync(`${product.dataDirectory}/**/*`)) {
    const facts = await stat(path).catch(() => null);
    if (!facts?.isFile()) continue;
    // The parts that run may take away or rename what they wrote.
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return null;
    });
    if (bytes === null) continue;
    if (bytes.includes(id)) seen++;
    for (const form of forms) assert.ok(!bytes.includes(form), `${path} has it as ${form.length} bytes`);
  }
  // What is looked through is where it would be: the key's name, which is no secret, is there.
  assert.ok(seen > 0);
});

test("the player unlocks the film, asking once", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/license")) asked.push(request.method());
  });
  await page.goto(`${product.player}&title=${titleId}`);
  await waitForFrames(page, 24);
  await seek(page, 20);
  await waitForPosition(page, 20.5);
  assert.deepEqual(
    asked.filter((method) => method === "POST"),
    ["POST"],
  );
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a licence that is refused is said in words, with a way on", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  const viewer = callerOf(product.api, product.tokens.viewer);
  await page.route("**/license", async (route) => {
    // The session ends at another place just before.
    const session = route
      .request()
      .url()
      .replace(/\/license$/, "");
    if (route.request().method() === "POST") await viewer("DELETE", session);
    await route.continue();
  });
  await page.goto(`${product.player}&title=${titleId}`);
  await page.waitForSelector("[role=alert]", { timeout: PLAYING_MS });
  assert.match((await page.textContent("[role=alert]")) ?? "", /may not watch this film any more/);
  await page.unroute("**/license");
  await page.click("[role=alert] .primary");
  await waitForFrames(page, 24);
  await context.close();
});

test("Shaka Player plays it by DASH, from the session's licence address", async () => {
  const { playback } = await watch();
  const { context } = await openContext(browser, { bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${product.api}/healthz`);
  await page.setContent("<video muted></video>");
  await page.addScriptTag({ path: require.resolve("shaka-player/dist/shaka-player.compiled.js") });
  const frames = await page.evaluate(
    async ({ url, protection, token }) => {
      const video = document.querySelector("video")!;
      const { shaka } = window as unknown as ScriptedWindow;
      const player = new shaka.Player();
      const failed = new Promise<never>((_, reject) =>
        player.addEventListener("error", ({ detail }: { detail: { code: number } }) =>
          reject(new Error(`shaka ${detail.code}`)),
        ),
      );
      player.configure({ drm: { servers: { [protection.keySystem]: protection.licenseUrl } } });
      player.getNetworkingEngine().registerRequestFilter((type: number, request: { headers: object }) => {
        if (type === shaka.net.NetworkingEngine.RequestType.LICENSE)
          Object.assign(request.headers, { Authorization: `Bearer ${token}` });
      });
      await player.attach(video);
      await Promise.race([player.load(url), failed]);
      const moved = new Promise<void>((resolve) => {
        video.addEventListener("timeupdate", () => {
          if (video.currentTime > 1) resolve();
        });
      });
      await video.play();
      await Promise.race([moved, failed]);
      const { totalVideoFrames } = video.getVideoPlaybackQuality();
      await player.destroy();
      return totalVideoFrames;
    },
    { url: playback.dashUrl as string, protection: playback.protection!, token: product.tokens.viewer },
  );
  assert.ok(frames > 5, `${frames} frames`);
  await context.close();
});

/** What a decoder makes of these bytes: a digest of each frame or block of samples. */
async function decoded(parts: Uint8Array[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "matinee-protected-"));
  try {
    await writeFile(join(folder, "film.mp4"), Buffer.concat(parts));
    const args = [
      "-v",
      "quiet",
      "-i",
      join(folder, "film.mp4"),
      "-fps_mode",
      "passthrough",
      "-f",
      "framemd5",
      "-",
    ];
    const { stdout } = await run("ffmpeg", args).catch((thrown: { stdout: string }) => thrown);
    return stdout.split("\n").flatMap((line) => /^0,.*\s([0-9a-f]{32})$/.exec(line)?.[1] ?? []);
  } finally {
    await rm(folder, { recursive: true });
  }
}
