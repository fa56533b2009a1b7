import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Browser, Page, Response } from "playwright-core";
import { made } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { callerOf, upload } from "../rig/product.ts";
import { launchBrowser, openContext, type PlayingWindow } from "./browser.ts";
import { PLAYING_MS, seek, shownFrames, waitForFrames, waitForHeight, waitForPosition } from "./playing.ts";
import { film, ingest, type StartedProduct, startWholeProduct } from "./product.ts";

let product: StartedProduct;
let browser: Browser;

before(async () => {
  [product, browser] = await Promise.all([startWholeProduct(), launchBrowser()]);
  const wishes = ["--codecs", "av1", "--ladder", "title", "--lane", "backfill"];
  const publication = ["--title", "Big Buck Bunny", "--publish"];
  const { code, said } = await ingest(product, await film(), ...publication, ...wishes);
  assert.equal(code, 0, said);
  const [asset] = (await callerOf(product.api, product.tokens.editor)("GET", "/v1/assets")).body.data;
  assert.deepEqual(asset?.encoding, { codecs: ["h264", "av1"], ladder: "title", lane: "backfill" });
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

test("a published film plays: found, decoded, sought, switched down and up, seen to its end", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.player);
  assert.ok(!page.url().includes("token"), "the address forgets the token");
  await page.click(".hero a.play");
  await waitForFrames(page, 24);

  const durationSeconds = await page.evaluate(
    () => (window as unknown as PlayingWindow).matinee.video.duration,
  );
  assert.ok(Math.abs(durationSeconds - 30) < 0.6, `${durationSeconds} s`);
  await seek(page, durationSeconds / 2);
  await waitForPosition(page, durationSeconds / 2 + 0.5);

  const heights = await page.evaluate(() =>
    (window as unknown as PlayingWindow).matinee.hls.levels.map(({ height }) => height),
  );
  const [lowest, highest] = [Math.min(...heights), Math.max(...heights)];
  assert.ok(lowest < highest, `levels ${heights}`);
  assert.equal(new Set(heights).size, heights.length, `each height once, of the two codecs: ${heights}`);
  for (const height of [lowest, highest, lowest]) {
    await chooseQuality(page, height);
    await seek(page, 1);
    await page.waitForFunction(
      (wanted) => {
        const { video } = (window as unknown as PlayingWindow).matinee;
        return video.videoHeight === wanted && video.currentTime > 1.2;
      },
      height,
      { timeout: PLAYING_MS },
    );
  }

  await seek(page, durationSeconds - 2);
  await page.waitForFunction(() => (window as unknown as PlayingWindow).matinee.video.ended, undefined, {
    timeout: PLAYING_MS,
  });
  assert.deepEqual(complaints, []);
  await context.close();
});

test("who leaves comes back to where they were, and a link opens the film itself", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.player);
  await page.click(".hero a.play");
  await waitForFrames(page, 1);
  await seek(page, 12);
  await waitForPosition(page, 12.5);
  const link = page.url();
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.click("button.back");
  await ended;
  await page.waitForSelector(".cards");
  await page.goto(link);
  await waitForPosition(page, 12);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the grant is renewed before it ends, and at once where delivery refuses it", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  const granted: string[] = [];
  page.on("request", (request) => {
    const [, grant] = /\/v\/([^/]+)\/.+\.(?:m3u8|mp4|m4s)(?:\?|$)/.exec(request.url()) ?? [];
    if (grant !== undefined) granted.push(grant);
  });
  // The player is told of an early end: the server's own grants outlast this test.
  await page.route("**/v1/playback", async (route) => {
    const response = await route.fetch();
    const expiresAt = new Date(Date.now() + 8_000).toISOString();
    await route.fulfill({ response, json: { ...(await response.json()), expiresAt } });
  });
  const isRenewal = (response: Response) => /\/renew$/.test(response.url()) && response.ok();
  const renewed = page.waitForResponse(isRenewal);
  await page.goto(product.player);
  await page.click(".hero a.play");
  await waitForFrames(page, 1);
  await renewed;
  const [first] = granted;
  await chooseQuality(page, 234);
  await seek(page, 1);
  await waitForHeight(page, 234);
  await eventually("media under the new grant", PLAYING_MS / 1000, () => granted.at(-1) !== first || null);
  assert.deepEqual(complaints, []);

  const headers = { "Access-Control-Allow-Origin": "*" };
  let refusals = 2;
  await page.route(/\/v\/.+\.m4s(\?|$)/, (route) =>
    refusals-- > 0 ? route.fulfill({ status: 403, headers }) : route.continue(),
  );
  const renewedAgain = page.waitForResponse(isRenewal);
  await page.evaluate(() => {
    const { hls } = (window as unknown as PlayingWindow).matinee;
    // At once: what is buffered goes, so that segments are asked for.
    hls.currentLevel = hls.levels.findIndex(({ height }) => height === 360);
  });
  await renewedAgain;
  const frames = await shownFrames(page);
  await seek(page, 20);
  await waitForFrames(page, frames + 24);
  assert.equal(await page.locator("[role=alert]").count(), 0);
  await context.close();
});

test("a title is found despite a slip, tells of itself, and Back leads from the film to its page", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.player);
  await page.fill("input[type=search]", "bny");
  await page.waitForSelector(".found:not(:has(.card))");
  await page.fill("input[type=search]", "buny");
  await page.click(".found .card");
  assert.equal(await page.textContent("dialog h2"), "Big Buck Bunny");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.click(".found .card");
  await page.click("dialog a.play");
  await waitForFrames(page, 1);
  assert.equal(await page.locator("dialog").count(), 0);
  await page.goBack();
  await page.waitForSelector("dialog a.play");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("playing goes on while the film is published anew, back and forth", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.player);
  await page.click(".hero a.play");
  await waitForFrames(page, 24);
  const call = callerOf(product.api, product.tokens.editor);
  const asset = (await call("GET", "/v1/assets?state=ready")).body.data[0]!;
  const sound = await made("wav", ["-f", "lavfi", "-i", "sine=frequency=330:duration=2", "{out}"]);
  const track = { assetId: asset.id, kind: "audio", language: "de", label: "Zweiter Ton" };
  await upload(call, await readFile(sound), { filename: "ton.wav", track });
  const next = await eventually("the next generation", 300, async () => {
    const { state, generation } = (await call("GET", `/v1/assets/${asset.id}`)).body;
    return state === "ready" && generation !== asset.generation ? generation : null;
  });
  for (let flip = 0; flip < 10; flip++) {
    const generation = flip % 2 === 0 ? asset.generation : next;
    assert.equal((await call("POST", `/v1/assets/${asset.id}/rollback`, { generation })).status, 202);
    const frames = await shownFrames(page);
    await seek(page, (flip * 11) % 28);
    await waitForFrames(page, frames + 12);
  }
  assert.equal(await page.locator("[role=alert]").count(), 0);
  assert.deepEqual(complaints, []);
  const fresh = await context.newPage();
  await fresh.goto(product.player);
  await fresh.click(".hero a.play");
  await waitForFrames(fresh, 1);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a film that is not there is said in words, with a way on", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${product.player}&title=ti_none`);
  assert.match((await page.textContent("[role=alert]")) ?? "", /not available/);
  await page.click("text=Back to the films");
  await page.waitForSelector(".hero");
  await context.close();
});

test("the seek bar shows small pictures of the film, also after the grant they were told of is over", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.player);
  await page.click(".hero a.play");
  await page.waitForFunction(
    (seconds) => {
      const tracks = (window as unknown as Partial<PlayingWindow>).matinee?.video.textTracks;
      return [...(tracks ?? [])].find(({ label }) => label === "thumbnails")?.cues?.length === seconds;
    },
    30,
    { timeout: PLAYING_MS },
  );
  // Whoever comes later with the old grant gets nothing: the pictures must be there already.
  await page.route(/\/v\/.+\/images\//, (route) => route.abort());
  const shown = [await hoverSeekBar(page, 0.25), await hoverSeekBar(page, 0.75)];
  for (const colour of shown) assert.ok(Math.max(...colour) > 24, `not black: ${colour}`);
  assert.notDeepEqual(shown[0], shown[1], "another moment, another picture");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("how a film was watched reaches the studio: start-up, a stall, rungs, and what the edge was told", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  const call = callerOf(product.api, product.tokens.editor);
  const title = (await call("GET", "/v1/titles")).body.data[0]!;
  await forgetPosition(title.id);
  // The third segment of the picture comes only after the film has stood still for want of it.
  const isFed = Promise.withResolvers<void>();
  await page.route(/\/video\/[^/]+\/0000[2-9]\.m4s(\?|$)/, async (route) => {
    await isFed.promise;
    await route.continue();
  });
  const said = page.waitForRequest(/\/video\/[^/]+\/00001\.m4s\?CMCD=.*sid/);
  await page.goto(product.player);
  await page.click(".hero a.play");
  await said;
  await waitForFrames(page, 1);
  await seek(page, 10);
  await page.waitForFunction(
    () => {
      const { video } = (window as unknown as PlayingWindow).matinee;
      const own = window as unknown as { stands?: { atSeconds: number; sinceMs: number } };
      const now = performance.now();
      // Less than a tenth of a second is no stall to the player.
      if (own.stands?.atSeconds !== video.currentTime)
        own.stands = { atSeconds: video.currentTime, sinceMs: now };
      const isDry = !video.seeking && video.currentTime > 10.5 && video.readyState < video.HAVE_FUTURE_DATA;
      return isDry && now - own.stands.sinceMs > 500;
    },
    undefined,
    { timeout: PLAYING_MS },
  );
  const told = page.waitForRequest(
    (request) => request.url().endsWith("/beacons") && (request.postData() ?? "").includes('"hide"'),
  );
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
  const { events } = (await told).postDataJSON() as { events: { type: string }[] };
  assert.ok(
    events.some(({ type }) => type === "stall"),
    "who goes now has waited",
  );
  isFed.resolve();
  await waitForPosition(page, 12.5);
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.click("button.back");
  await ended;
  const figures = async (by: string) => (await call("GET", `/v1/analytics/titles/${title.id}?by=${by}`)).body;
  const { total } = await eventually("the figures", 120, async () => {
    const seen = await figures("generation");
    return seen.total.stalls > 0 && seen.total.line !== null ? seen : null;
  });
  assert.ok(
    total.plays >= 1 && total.startup!.p50Seconds > 0 && total.watchSeconds > 1,
    JSON.stringify(total),
  );
  assert.ok(total.stallSeconds > 0.1 && total.rebufferRatio! > 0 && total.line!.requests > 0);
  const { renditions } = (await call("GET", `/v1/assets/${title.assetId}`)).body;
  const known = renditions.map(({ id }) => id);
  const rungs = (await figures("rung")).rows.map(({ key }) => key);
  assert.ok(rungs.length > 0 && rungs.every((rung) => known.includes(rung)), `${rungs} of ${known}`);
  assert.deepEqual(complaints, []);
  await context.close();
});

/** As if the viewer had gone back to the beginning on another screen. */
async function forgetPosition(titleId: string): Promise<void> {
  const viewer = callerOf(product.api, product.tokens.viewer);
  const { sessionId } = (await viewer("POST", "/v1/playback", { titleId })).body;
  const events = [{ type: "seek", at: new Date().toISOString(), positionSeconds: 0 }];
  assert.equal((await viewer("POST", `/v1/playback/${sessionId}/beacons`, { events })).status, 202);
}

/** Points at a place of the seek bar; the mean colour of the small picture that then stands above it. */
async function hoverSeekBar(page: Page, ratio: number): Promise<number[]> {
  const bar = await page.locator("media-time-range").boundingBox();
  assert.ok(bar);
  await page.mouse.move(bar.x + bar.width * ratio, bar.y + bar.height / 2);
  await page.mouse.move(bar.x + bar.width * ratio + 2, bar.y + bar.height / 2);
  const thumbnail = page.locator("media-preview-thumbnail");
  await page.waitForFunction(
    () => {
      const range = document.querySelector("media-time-range");
      const image = range?.shadowRoot
        ?.querySelector("media-preview-thumbnail")
        ?.shadowRoot?.querySelector("img");
      return image?.complete && image.naturalWidth > 0 && image.getBoundingClientRect().width > 0;
    },
    undefined,
    { timeout: PLAYING_MS },
  );
  await thumbnail.waitFor();
  const png = await thumbnail.screenshot();
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas?.drawImage(bitmap, 0, 0, 1, 1);
    return [...(canvas?.getImageData(0, 0, 1, 1).data.slice(0, 3) ?? [])];
  }, png.toString("base64"));
}

/** By the player's own menu, as a person does it. */
async function chooseQuality(page: Page, height: number): Promise<void> {
  await page.mouse.move(600, 300);
  await page.click("media-settings-menu-button");
  await page.click("media-settings-menu-item:has(media-rendition-menu)");
  await page.click(`media-rendition-menu [role=menuitemradio]:has-text("${height}p"):not(:has-text("Auto"))`);
  const isAuto = await page.evaluate(() => (window as unknown as PlayingWindow).matinee.hls.autoLevelEnabled);
  assert.equal(isAuto, false);
  // Leaves the submenu, then the menu.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
}
