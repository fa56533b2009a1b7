import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { BIG_BUCK_BUNNY_480, made } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { callerOf } from "../rig/product.ts";
import { launchBrowser, openContext, type PlayingWindow, shoot } from "./browser.ts";
import {
  PLAYING_MS,
  pauseFrom,
  seek,
  shownFrames,
  standAt,
  waitForFrames,
  waitForPosition,
  withSettings,
} from "./playing.ts";
import { ingest, type StartedProduct, startWholeProduct } from "./product.ts";

const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  locale: "de-DE",
};
const FILM_SECONDS = 54;
const CHAPTERS = [
  { startSeconds: 0, name: { en: "Opening", de: "Vorspann" }, kind: "intro" },
  { startSeconds: 9, name: { en: "The meadow & the stream", de: "Die Wiese & der Bach" } },
  { startSeconds: 36, name: { en: "The tree", de: "Der Baum" } },
];

let product: StartedProduct;
let browser: Browser;
/** Titles of the one film: two episodes of a series. */
let episodes: string[];
let series: string;
let assetId: string;

before(async () => {
  // Few frames, and small, for they are paid for; sizes enough for two rungs; a second sound.
  const film = await made("mp4", [
    ...["-stream_loop", "1", "-i", BIG_BUCK_BUNNY_480, "-f", "lavfi", "-i", "sine=frequency=330"],
    ...["-map", "0:v", "-map", "0:a", "-map", "1:a", "-t", String(FILM_SECONDS), "-r", "12", "-s", "640x360"],
    ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-ac", "2", "{out}"],
  ]);
  [product, browser] = await Promise.all([startWholeProduct(), launchBrowser()]);
  const { code, said } = await ingest(product, film, "--title", "Big Buck Bunny", "--publish");
  assert.equal(code, 0, said);
  assetId = /as asset (as_\w+)/.exec(said)?.[1] ?? "";
  const call = callerOf(product.api, product.tokens.editor);
  const shelf = async (body: object): Promise<string> => {
    const { id } = (await call("POST", "/v1/titles", body)).body;
    assert.equal((await call("POST", `/v1/titles/${id}/publish`, {})).status, 200);
    return id;
  };
  series = await shelf({
    type: "series",
    name: { en: "Bunny days", de: "Hasentage" },
    synopsis: {
      en: "A rabbit has had enough of three rodents.",
      de: "Ein Hase hat genug von drei Nagetieren.",
    },
    genres: ["Animation"],
    maturity: "6",
  });
  const season = await shelf({ type: "season", name: "1", parentId: series });
  episodes = [];
  for (const name of ["The butterflies", "The revenge"]) {
    const episode = { type: "episode", name, parentId: season, assetId, chapters: CHAPTERS };
    episodes.push(await shelf(episode));
  }
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

/** Opens the player's page at a title. */
async function watch(page: Page, titleId: string, more = ""): Promise<void> {
  await page.goto(`${product.player}&title=${titleId}${more}`);
  await waitForFrames(page, 1);
  // Where it was left, a picture is shown before it plays; and a key stops only what the controls know to play.
  await until(page, ({ video }) => !video.paused);
  await page.waitForSelector("media-controller:not([mediapaused])");
}

/** Lets hls.js keep little ahead, so that what happens to the line is felt within seconds. */
function keepLittle(page: Page): Promise<void> {
  return withSettings(page, { maxBufferLength: 6, maxMaxBufferLength: 6, errorPenaltyExpireMs: 1_000 });
}

/** Resolves once `holds` does for what plays. It runs in the page and sees nothing of this file. */
async function until(page: Page, holds: (playing: PlayingWindow["matinee"]) => boolean): Promise<void> {
  // Asked from outside: the page's own policy lets no text become code.
  const script = `window.matinee !== undefined && (${holds})(window.matinee)`;
  await eventually(String(holds), PLAYING_MS / 1000, async () => (await page.evaluate(script)) || null);
}

/** Resolves once the controls, too, know that the film is there: keys jump from where these think that it is. */
async function untilShown(page: Page, seconds: number): Promise<void> {
  await eventually(`the controls at ${seconds} s`, PLAYING_MS / 1000, async () => {
    const shown = await page.getAttribute("media-controller", "mediacurrenttime");
    return Math.abs(Number(shown) - seconds) < 1 || null;
  });
}

test("a line that gets slow is felt for one segment; once it is good again, so is the picture", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await keepLittle(page);
  const asked: string[] = [];
  page.on("request", (request) => {
    const [, rung] = /\/video\/([^/]+)\/\d+\.m4s(?:\?|$)/.exec(request.url()) ?? [];
    if (rung !== undefined) asked.push(rung);
  });
  await watch(page, episodes[0]!);
  const isTop = ({ hls }: PlayingWindow["matinee"]) => hls.currentLevel === hls.levels.length - 1;
  await until(page, isTop);
  const { low, high, uri } = await page.evaluate(() => {
    const { levels } = (window as unknown as PlayingWindow).matinee.hls;
    const rates = levels.map(({ averageBitrate }) => averageBitrate);
    return { low: Math.min(...rates), high: Math.max(...rates), uri: levels.at(-1)!.uri };
  });
  // What was asked for last need not be it: where others keep the machine busy another one may be on its way.
  const [, top] = /\/video\/([^/]+)\//.exec(uri)!;
  const line = await context.newCDPSession(page);
  const asFastAs = (bitsPerSecond: number) =>
    line.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: bitsPerSecond === -1 ? -1 : bitsPerSecond / 8,
      uploadThroughput: -1,
    });
  asked.length = 0;
  await asFastAs(low + (high - low) / 4);
  await until(page, ({ hls }) => hls.currentLevel < hls.levels.length - 1);
  const before = asked.findIndex((rung) => rung !== top);
  assert.ok(before >= 0 && before <= 1, `asked for ${asked} after ${top}`);
  await asFastAs(-1);
  await until(page, isTop);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("without a connection the film waits, says so, and goes on from there by itself", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  await keepLittle(page);
  await watch(page, episodes[0]!, "&from=3");
  await context.setOffline(true);
  await page.waitForSelector(".notice");
  await until(page, ({ video }) => video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA);
  const stoppedAt = await page.evaluate(() => (window as unknown as PlayingWindow).matinee.video.currentTime);
  await shoot(page, "offline");
  await context.setOffline(false);
  await page.waitForSelector(".notice", { state: "detached", timeout: PLAYING_MS });
  assert.match((await page.textContent(".layer [role=status]")) ?? "", /back/);
  await pauseFrom(page, stoppedAt + 1);
  const at = await page.evaluate(() => (window as unknown as PlayingWindow).matinee.video.currentTime);
  assert.ok(at < stoppedAt + 10, `from ${stoppedAt} to ${at} s`);
  assert.equal(await page.locator("[role=alert]").count(), 0);
  await context.close();
});

test("an edge that is gone is asked again, and its failures do not pin the quality", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  await keepLittle(page);
  await watch(page, episodes[0]!, "&from=0");
  await until(page, ({ hls }) => hls.currentLevel === hls.levels.length - 1);
  let failures = 1;
  await page.route(/\/video\/.+\.m4s(\?|$)/, (route) => (failures-- > 0 ? route.abort() : route.continue()));
  await until(page, ({ hls }) => hls.currentLevel < hls.levels.length - 1);
  await until(page, ({ hls }) => hls.autoLevelEnabled && hls.currentLevel === hls.levels.length - 1);
  failures = Number.POSITIVE_INFINITY;
  await page.click(".notice button", { timeout: PLAYING_MS });
  failures = 0;
  await page.waitForSelector(".notice", { state: "detached", timeout: PLAYING_MS });
  const frames = await shownFrames(page);
  await waitForFrames(page, frames + 12);
  assert.equal(await page.locator("[role=alert]").count(), 0);
  await context.close();
});

test("a grant that is refused while nobody answers for a new one is waited for", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  await keepLittle(page);
  await watch(page, episodes[0]!, "&from=3");
  await page.route(/\/renew$/, (route) => route.abort());
  const headers = { "Access-Control-Allow-Origin": "*" };
  await page.route(/\.m4s(\?|$)/, (route) => route.fulfill({ status: 403, headers }));
  await page.waitForSelector(".notice", { timeout: PLAYING_MS });
  const stoppedAt = await page.evaluate(() => (window as unknown as PlayingWindow).matinee.video.currentTime);
  await page.unrouteAll({ behavior: "wait" });
  await page.waitForSelector(".notice", { state: "detached", timeout: PLAYING_MS });
  await waitForPosition(page, stoppedAt + 10);
  assert.equal(await page.locator("[role=alert]").count(), 0);
  await context.close();
});

test("the keyboard does it all, and a list says how", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await watch(page, episodes[0]!, "&from=0");
  await page.keyboard.press("k");
  await until(page, ({ video }) => video.paused);
  await page.keyboard.press("5");
  await untilShown(page, 27);
  await page.keyboard.press("l");
  await untilShown(page, 37);
  await page.keyboard.press("ArrowLeft");
  await untilShown(page, 27);
  await page.keyboard.press("m");
  await until(page, ({ video }) => video.muted);
  await page.keyboard.press("m");
  await page.keyboard.press("i");
  const stats = (await page.textContent(".stats")) ?? "";
  for (const fact of ["Quality", "Throughput", "Buffer", "dropped", "Stalls", "Edge", "Grant"])
    assert.ok(stats.includes(fact), `${fact} in ${stats}`);
  await page.keyboard.press("?");
  await page.waitForSelector("dialog.help");
  await page.keyboard.press("k");
  await shoot(page, "keys");
  assert.ok(await page.evaluate(() => (window as unknown as PlayingWindow).matinee.video.paused));
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.help", { state: "detached" });
  // Also where nothing has the focus.
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press("Space");
  await until(page, ({ video }) => !video.paused);
  await page.keyboard.press("f");
  await until(page, () => document.fullscreenElement?.id === "app");
  await page.keyboard.press("Shift+N");
  await page.waitForURL((url) => url.hash.includes(episodes[1]!));
  // The address changes before the page does.
  await page.waitForSelector('.top-chrome h1:has-text("The revenge")');
  await waitForFrames(page, 1);
  assert.equal(await page.textContent(".top-chrome h1"), "The revengeBunny days  ·  1");
  assert.equal(await page.evaluate(() => document.fullscreenElement?.id), "app", "still in full screen");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("chapters divide the film: on the seek bar, in a menu, and the intro can be skipped", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await watch(page, episodes[0]!, "&from=0");
  await standAt(page, 0);
  await page.click(".watch-card.skip button");
  await until(page, ({ video }) => video.currentTime >= 9 && video.currentTime < 15);
  await page.waitForSelector(".watch-card.skip", { state: "detached" });
  await page.waitForFunction(() => {
    const bar = document.querySelector("media-time-range")?.shadowRoot;
    return bar?.querySelectorAll("#segments-clipping rect").length === 3;
  });
  await page.mouse.move(600, 300);
  await page.click("media-settings-menu-button");
  await page.click("media-settings-menu-item:has(.chapters)");
  const current = page.locator('.chapters [role=menuitemradio][aria-checked="true"]');
  assert.match((await current.textContent()) ?? "", /The meadow & the stream\s*0:09/);
  await shoot(page, "chapters");
  await page.click('.chapters [role=menuitemradio]:has-text("The tree")');
  await waitForPosition(page, 36);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  const bar = await page.locator("media-time-range").boundingBox();
  assert.ok(bar);
  await page.mouse.move(bar.x + bar.width / 3, bar.y + bar.height / 2);
  await page.mouse.move(bar.x + bar.width / 3 + 3, bar.y + bar.height / 2);
  await page.waitForFunction(() => {
    const shown = document.querySelector("media-time-range")?.shadowRoot;
    return shown?.querySelector("media-preview-chapter-display")?.getAttribute("aria-valuetext");
  });
  await shoot(page, "seek-bar");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a film goes on where it was left, or starts over", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await watch(page, episodes[0]!);
  await seek(page, 20);
  await waitForPosition(page, 20.5);
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.click("button.back");
  await ended;
  await page.goto(`${product.player}&about=${episodes[0]}`);
  assert.equal(await page.textContent("dialog .part-of"), "From Bunny days  ·  1");
  await page.click("dialog a.play:has-text('Continue')");
  // The card goes with the tenth second.
  await pauseFrom(page, 20);
  assert.match((await page.textContent(".watch-card.resume")) ?? "", /Continuing from 0:2\d/);
  await shoot(page, "resume");
  await page.click("text=Start over");
  await until(page, ({ video }) => !video.seeking && video.currentTime < 10);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the next episode is announced, can be declined, and else comes by itself", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await watch(page, episodes[0]!, "&from=0");
  await standAt(page, FILM_SECONDS - 8);
  await page.waitForSelector(".watch-card.next");
  assert.match((await page.textContent(".watch-card.next")) ?? "", /The revengeStarts in \d+ s/);
  assert.match((await page.textContent(".layer [role=status]")) ?? "", /The revenge/);
  await shoot(page, "next");
  await page.click(".watch-card.next >> text=Cancel");
  await seek(page, FILM_SECONDS - 1);
  await until(page, ({ video }) => video.ended);
  assert.equal(await page.locator(".watch-card.next").count(), 0);
  await seek(page, 5);
  await waitForPosition(page, 5);
  await standAt(page, FILM_SECONDS - 2);
  await page.waitForSelector(".watch-card.next");
  await seek(page, FILM_SECONDS - 2);
  await page.waitForURL((url) => url.hash.includes(episodes[1]!), { timeout: PLAYING_MS });
  await waitForFrames(page, 1);
  assert.equal(await page.locator("button.go-on").count(), 0, "nothing comes behind the last");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("what a person chose stays: speed, and the sound of their ears", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  const isGerman = ({ hls }: PlayingWindow["matinee"]) => hls.audioTracks[hls.audioTrack]?.lang === "de";
  await watch(page, episodes[0]!, "&from=0");
  await until(page, ({ hls }) => hls.audioTracks[hls.audioTrack]?.lang === "en");
  const choose = async (menu: string, choice: string) => {
    await page.mouse.move(600, 300);
    await page.click("media-settings-menu-button");
    await page.click(`media-settings-menu-item:has(${menu})`);
    await page.click(`${menu} [role=menuitemradio]${choice}`);
    // Leaves the submenu, then the menu.
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
  };
  await choose("media-audio-track-menu", " >> nth=1");
  await until(page, isGerman);
  await choose("media-playback-rate-menu", ':has-text("1.25")');
  await until(page, ({ video }) => video.playbackRate === 1.25);
  await page.goto("about:blank");
  await watch(page, episodes[1]!, "&from=0");
  await until(page, ({ video }) => video.playbackRate === 1.25);
  await until(page, isGerman);
  await context.close();
});

test("a link to this moment is made by keyboard, is in the clipboard, and opens there", async () => {
  const permissions = ["clipboard-read", "clipboard-write"];
  const { context, complaints } = await openContext(browser, { permissions });
  const page = await context.newPage();
  await watch(page, episodes[0]!, "&from=15");
  await page.keyboard.press("k");
  await until(page, ({ video }) => video.paused);
  await standAt(page, 15);
  await page.focus("button.share-film");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog.share");
  for (const key of ["Tab", "Space", "Tab", "Enter"]) await page.keyboard.press(key);
  await page.waitForSelector("dialog.share [role=status]:has-text('copied')");
  await shoot(page, "share");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(await page.inputValue("#share-link"), link);
  await page.keyboard.press("Escape");
  await seek(page, 40);
  await waitForPosition(page, 40);
  await page.goto(link);
  await until(page, ({ video }) => !video.seeking && video.currentTime >= 15 && video.currentTime < 35);
  assert.match(new URL(page.url()).hash, new RegExp(`^#title=${episodes[0]}&from=15$`));
  assert.deepEqual(complaints, []);
  await context.close();
});

test("what goes wrong is said in words, with the way on that it leaves", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  const asked: { takeover?: boolean }[] = [];
  await page.route("**/v1/playback", async (route) => {
    const { takeover, ...body } = route.request().postDataJSON();
    asked.push({ takeover });
    if (takeover) return route.continue({ postData: body });
    const streams = [
      { sessionId: "ps_1", titleId: "ti_1", title: "Night Train", startedAt: "2026-01-01T20:15:00Z" },
    ];
    const json = { status: 409, code: "too_many_streams", title: "Conflict", detail: "", streams };
    return route.fulfill({ status: 409, contentType: "application/problem+json", json });
  });
  await page.goto(`${product.player}&title=${episodes[0]}`);
  assert.match((await page.textContent("[role=alert]")) ?? "", /as many screens as it may/);
  assert.match((await page.textContent("[role=alert] li")) ?? "", /^Night Train, since \d/);
  await shoot(page, "too-many");
  await page.click("text=Watch here instead");
  await waitForFrames(page, 1);
  assert.deepEqual(asked, [{ takeover: undefined }, { takeover: true }]);
  await page.unrouteAll({ behavior: "wait" });

  await page.route(/\/main[^/]*\.m3u8(\?|$)/, async (route) => {
    const response = await route.fetch();
    return route.fulfill({ response, body: (await response.text()).replaceAll("avc1.", "none.") });
  });
  await page.goto("about:blank");
  await page.goto(`${product.player}&title=${episodes[0]}`);
  assert.match((await page.textContent("[role=alert]")) ?? "", /cannot decode/);
  await page.unrouteAll({ behavior: "wait" });

  await page.route(/\.m4s(\?|$)/, (route) => route.fulfill({ status: 404 }));
  await page.click("text=Try again");
  assert.match(
    (await page.textContent("[role=alert]:has-text('available')", { timeout: PLAYING_MS })) ?? "",
    /not available any more/,
  );
  await page.unrouteAll({ behavior: "wait" });

  const old = await context.newPage();
  await old.addInitScript(() => {
    for (const name of ["MediaSource", "ManagedMediaSource"]) Reflect.deleteProperty(window, name);
  });
  const ended = old.waitForRequest(
    (request) => request.method() === "DELETE" && request.url().includes("/v1/playback/"),
  );
  await old.goto(`${product.player}&title=${episodes[0]}`);
  assert.match((await old.textContent("[role=alert]")) ?? "", /cannot play streamed video/);
  await ended;
  await context.close();
});

test("the pages hold to the rules of accessibility, in two languages and on a phone", async () => {
  const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const faultsOf = async (page: Page): Promise<string[]> => {
    // What is half faded in has less contrast than it will have.
    await page.evaluate(() => {
      for (const animation of document.getAnimations())
        if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
    });
    await page.evaluate(axe);
    return page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
        // Still an experiment of axe's, and media-chrome's clock, a button that shows the time, is none to it.
        rules: { "label-content-name-mismatch": { enabled: false } },
      });
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
    });
  };
  for (const [name, options, back] of [
    ["desktop", {}, "Back to the settings"],
    ["phone", PHONE, "Zurück zu den Einstellungen"],
  ] as const) {
    const { context, complaints } = await openContext(browser, options);
    const page = await context.newPage();
    await page.goto(product.player);
    await page.waitForSelector("main:not(.skeleton)");
    await shoot(page, `${name}-home`);
    assert.deepEqual(await faultsOf(page), [], `${name}: home`);
    await page.goto(`${product.player}&about=${series}`);
    await page.waitForSelector("dialog .card");
    await shoot(page, `${name}-series`);
    assert.deepEqual(await faultsOf(page), [], `${name}: series`);
    await watch(page, episodes[0]!, "&from=20");
    await page.keyboard.press("k");
    await page.waitForSelector(".player[mediapaused]");
    await page.keyboard.press("i");
    await shoot(page, `${name}-player`);
    assert.deepEqual(await faultsOf(page), [], `${name}: player`);
    const buttons = page.locator("media-settings-menu [slot=submenu] button[part~=back]");
    const said = await buttons.evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
    assert.deepEqual([...new Set(said)], [back], name);
    await page.click("button.share-film");
    await page.waitForSelector("dialog.share");
    await page.click("dialog.share .primary");
    await page.waitForSelector("#share-link");
    await shoot(page, `${name}-share`);
    assert.deepEqual(await faultsOf(page), [], `${name}: share`);
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog.share", { state: "detached" });
    await page.keyboard.press("?");
    await page.waitForSelector("dialog.help");
    await shoot(page, `${name}-help`);
    assert.deepEqual(await faultsOf(page), [], `${name}: help`);
    // A phone's `innerWidth` grows with what is too wide for it.
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, page.viewportSize()?.width, name);
    assert.deepEqual(complaints, []);
    await context.close();
  }
});
