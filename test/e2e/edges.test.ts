import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { flashAndBeep } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";
import type { ScriptedWindow } from "../rig/scripted-window.ts";
import { launchBrowser, openContext, type PlayingWindow } from "./browser.ts";
import { pauseFrom, waitForFrames, withSettings } from "./playing.ts";

const require = createRequire(import.meta.url);
const HOSTS = ["127.0.0.1", "127.0.0.2"];
/** Long beside the buffer that the pages are left: most of the film is asked for after the edge is gone. */
const SECONDS = 48;
const BUFFER_SECONDS = 12;
const PLAYING_MS = 240_000;
const skip = process.platform === "linux" ? false : "this machine has one loopback address";

let product: Product;
let browser: Browser;
let titleId: string;

before(async () => {
  if (skip) return;
  const pages = process.env.MATINEE_PAGES_DIR ?? "dist/pages";
  [product, browser] = await Promise.all([
    startProduct({ edges: HOSTS.length, environment: { MATINEE_PAGES_DIR: pages } }),
    launchBrowser(),
  ]);
  const film = await flashAndBeep({ seconds: SECONDS, size: "320x180" });
  const { _id: assetId } = await product.until(
    await product.uploadFile(film),
    ({ state }) => state === "ready",
    300,
  );
  const title = await product.call("POST", "/v1/titles", { type: "movie", name: { en: "Flash" }, assetId });
  titleId = title.body.id;
  assert.equal((await product.call("POST", `/v1/titles/${titleId}/publish`, {})).status, 200);
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

/** What of a page's playing is watched from now on. */
interface WatchedWindow extends PlayingWindow {
  halts: string[];
}

/** Every request for media of the page: its host, its grant, and how it ended (0: not at all). */
interface MediaRequest {
  host: string;
  grant: string;
  status: number;
}

function mediaRequestsOf(page: Page): MediaRequest[] {
  const seen: MediaRequest[] = [];
  const note = (url: string, status: number) => {
    const { hostname, pathname } = new URL(url);
    const [, grant] = /^\/v\/([^/]+)\/.+\.m4s$/.exec(pathname) ?? [];
    if (grant !== undefined) seen.push({ host: hostname, grant, status });
  };
  page.on("response", (response) => note(response.url(), response.status()));
  page.on("requestfailed", (request) => note(request.url(), 0));
  return seen;
}

async function manifestHost(page: Page): Promise<string> {
  const response = await page.waitForResponse((one) => /\/main-[0-9a-f]{16}\.m3u8(\?|$)/.test(one.url()), {
    timeout: PLAYING_MS,
  });
  assert.match(await response.text(), /#EXT-X-CONTENT-STEERING/);
  return new URL(response.url()).hostname;
}

test("a player of the shelf reads the steering manifest by way of the edge, and plays from each edge", {
  skip,
}, async () => {
  const page = await pageWith("hls.js/dist/hls.js");
  const { body } = await product.call("POST", "/v1/playback", { titleId }, product.tokens.viewer);
  const requests = mediaRequestsOf(page);
  const own = new URL(body.manifestUrl).hostname;
  const other = HOSTS.find((host) => host !== own)!;
  const pathways = await page.evaluate(
    async ([url, elsewhere]) => {
      const video = document.querySelector("video")!;
      const { Hls } = window as unknown as ScriptedWindow;
      const hls = new Hls({ maxBufferLength: 6, maxMaxBufferLength: 6 });
      const steered = new Promise<void>((resolve) =>
        hls.on(Hls.Events.STEERING_MANIFEST_LOADED, () => resolve()),
      );
      hls.loadSource(url);
      hls.attachMedia(video);
      await video.play();
      await steered;
      const known = hls.pathwayPriority ?? [];
      hls.pathwayPriority = [elsewhere];
      return known;
    },
    [body.manifestUrl, other] as const,
  );
  assert.deepEqual(pathways, [".", other]);
  await eventually("segments from the other edge", 240, () => {
    const from = requests.filter(({ status }) => status === 200).map(({ host }) => host);
    return (from.includes(own) && from.includes(other)) || null;
  });
  await page.context().close();
});

/** A page of an origin that the edges admit, with a player's script and a picture to play in. */
async function pageWith(script: string): Promise<Page> {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${product.apiUrl}/healthz`);
  await page.setContent("<video muted></video>");
  await page.addScriptTag({ path: require.resolve(script) });
  return page;
}

/** A session whose first edge is this one: others are let go. */
async function sessionAt(host: string) {
  for (;;) {
    const { body } = await product.call("POST", "/v1/playback", { titleId }, product.tokens.viewer);
    if (new URL(body.manifestUrl).hostname === host) return body;
    await product.call("DELETE", `/v1/playback/${body.sessionId}`, undefined, product.tokens.viewer);
  }
}

/** Shaka plays the session's MPD; the page's video goes on by itself. */
async function playDash(host: string): Promise<{ page: Page; requests: MediaRequest[] }> {
  const { dashUrl } = await sessionAt(host);
  const page = await pageWith("shaka-player/dist/shaka-player.compiled.js");
  const requests = mediaRequestsOf(page);
  await page.evaluate(
    async ([url, seconds]) => {
      const video = document.querySelector("video")!;
      const { shaka } = window as unknown as ScriptedWindow;
      shaka.polyfill.installAll();
      const player = new shaka.Player();
      player.configure({ streaming: { bufferingGoal: seconds } });
      await player.attach(video);
      await player.load(url);
      await video.play();
    },
    [dashUrl!, BUFFER_SECONDS] as const,
  );
  return { page, requests };
}

// The last one: it kills an edge.
test("an edge killed in mid-film stops nobody, and grants go on being renewed at the other", {
  skip,
}, async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  const requests = mediaRequestsOf(page);
  // The player is told of an early end each time: the server's own grants outlast this test.
  for (const pattern of ["**/v1/playback", "**/renew"]) {
    await page.route(pattern, async (route) => {
      const response = await route.fetch();
      const expiresAt = new Date(Date.now() + 8_000).toISOString();
      await route.fulfill({ response, json: { ...(await response.json()), expiresAt } });
    });
  }
  // Else so small a film would lie in the buffer as a whole before anything happens.
  await withSettings(page, { maxBufferLength: BUFFER_SECONDS, maxMaxBufferLength: BUFFER_SECONDS });
  const host = manifestHost(page);
  await page.goto(`${product.apiUrl}/player/#token=${product.tokens.viewer}`);
  await page.click(".hero a.play");
  const own = await host;
  const other = HOSTS.find((one) => one !== own)!;
  await waitForFrames(page, 13);
  // It waits for the other one: most of either is to be asked for after the edge is gone.
  await pauseFrom(page, 0);
  const dash = await playDash(own);
  await page.evaluate(() => {
    const watched = window as unknown as WatchedWindow;
    const { video } = watched.matinee;
    watched.halts = [];
    const isFed = () =>
      Array.from({ length: video.buffered.length }, (_, index) => index).some(
        (index) =>
          video.buffered.start(index) <= video.currentTime &&
          video.buffered.end(index) > video.currentTime + 1,
      );
    const note = ({ type }: Event) => {
      // With bytes at hand it stands still for want of a processor: others keep the machine busy.
      if (!video.ended && !(type === "waiting" && isFed()))
        watched.halts.push(`${type} at ${video.currentTime}`);
    };
    for (const type of ["waiting", "pause", "error", "seeking"]) video.addEventListener(type, note);
    return video.play();
  });
  const [before, dashBefore] = [requests.length, dash.requests.length];
  assert.ok(dash.requests.every((one) => one.host === own && one.status === 200));
  product.edges[HOSTS.indexOf(own)]?.kill("SIGKILL");
  await page.waitForFunction(
    () => {
      const { matinee } = window as unknown as Partial<PlayingWindow>;
      return matinee === undefined || matinee.video.ended;
    },
    undefined,
    { timeout: PLAYING_MS },
  );
  assert.equal(
    await page.locator("[role=alert]").count(),
    0,
    `${await page.locator("body").innerText()} ${complaints.join("\n")}`,
  );
  const halts = await page.evaluate(() => (window as unknown as WatchedWindow).halts);
  assert.deepEqual(
    halts.filter((halt) => !halt.startsWith("pause at")),
    [],
    "it never stood still",
  );
  const after = requests.slice(before);
  assert.ok(
    after.some((one) => one.host === own && one.status === 0),
    "the dead edge was asked",
  );
  // What was under way when it was killed may have come.
  const sinceMoved = <One extends { host: string; status: number }>(all: readonly One[]): One[] => {
    const answered = all.filter(({ status }) => status === 200);
    const moved = answered.findIndex((one) => one.host === other);
    return moved < 0 ? [] : answered.slice(moved);
  };
  const answered = sinceMoved(after);
  assert.ok(answered.length > 0 && answered.every((one) => one.host === other));
  assert.ok(new Set(answered.map(({ grant }) => grant)).size > 1, "under more than one grant");
  assert.deepEqual(
    after.filter(({ status }) => status !== 200 && status !== 0),
    [],
  );
  await dash.page.waitForFunction(() => document.querySelector("video")!.ended, undefined, {
    timeout: PLAYING_MS,
  });
  const dashAfter = sinceMoved(dash.requests.slice(dashBefore));
  assert.ok(dashAfter.length > 0 && dashAfter.every((one) => one.host === other), "DASH went on there too");
  await dash.page.context().close();
  await eventually("who comes now is sent to the living edge", 240, async () => {
    const { body } = await product.call("POST", "/v1/playback", { titleId }, product.tokens.viewer);
    const shown = new URL(body.manifestUrl).hostname === other;
    const steering = await fetch(body.steeringUrl!);
    const { "PATHWAY-PRIORITY": order, TTL } = await steering.json();
    return (shown && order[0] === "." && TTL < 60) || null;
  });
  await context.close();
});
