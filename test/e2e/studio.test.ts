import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Browser, Page, Response } from "playwright-core";
import { eventually } from "../rig/processes.ts";
import { callerOf } from "../rig/product.ts";
import { launchBrowser, openContext, type PlayingWindow, shoot } from "./browser.ts";
import { film, type StartedProduct, startWholeProduct } from "./product.ts";

const MAKING_MS = 300_000;
const WAY = ["waiting", "queued", "probing", "encoding", "ready"];

/** What the page's observer saw of the first card. */
interface SeenWindow {
  seen: { states: string[]; percents: number[] };
}

let product: StartedProduct;
let browser: Browser;

before(async () => {
  [product, browser] = await Promise.all([startWholeProduct(), launchBrowser()]);
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

test("a dropped film goes its way in view, gets a name, is published and watched", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.studio);
  await page.waitForSelector(".drop");
  await page.click(".drop .fold summary");
  await page.getByRole("radio", { name: /^Balanced/ }).check();
  await page.getByRole("radio", { name: /^Rungs of its own/ }).check();
  assert.match(await page.innerText(".drop .fold summary"), /Encoding\s+Balanced · Rungs of its own/);
  await shoot(page, "encoding");
  await observe(page);
  await drop(page, "first film.mp4", await readFile(await film()));
  await page.waitForSelector(".cards .chip[data-state=ready]", { timeout: MAKING_MS });
  const { states, percents } = await page.evaluate(() => (window as unknown as SeenWindow).seen);
  const places = states.map((state) => WAY.indexOf(state));
  assert.deepEqual(places, [...new Set(places)].sort(), `in order, each once: ${states}`);
  for (const state of ["waiting", "encoding", "ready"]) assert.ok(states.includes(state), `${states}`);
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
    "progress never goes back",
  );
  assert.ok(percents.length >= 3, `it moves: ${percents}`);

  const made = (await callerOf(product.api, product.tokens.editor)("GET", "/v1/assets")).body.data[0]!;
  assert.deepEqual(made.encoding, { codecs: ["h264"], speed: "balanced", ladder: "title" });

  await page.waitForSelector(".cards .card-picture img");
  const before = await page.getAttribute(".cards .card-picture img", "src");
  await page.click(".cards .card");
  await page.waitForFunction(() =>
    [...document.querySelectorAll<HTMLImageElement>(".posters img")].every((image) => image.naturalWidth > 0),
  );
  const other = page.locator(".posters button[aria-pressed=false]").last();
  const chosen = await other.getAttribute("data-poster");
  await other.click();
  await page.waitForSelector(`.posters [data-poster="${chosen}"][aria-pressed=true]`);
  assert.equal(await page.locator(".posters [aria-pressed=true]").count(), 1);
  const after = await page.getAttribute(".cards .card-picture img", "src");
  assert.notEqual(after, before);
  assert.match(after ?? "", new RegExp(`/images/${chosen}\\.jpg$`), "the card shows it too");
  await page.click(".title-details summary");
  await page.fill("#title-synopsis", "It was the first.");
  await page.fill("#title-name", "The First Film");
  await page.click(".drawer button.publish");
  const watch = page.locator(".drawer a.watch");
  await watch.waitFor();
  assert.match((await page.textContent(".drawer .table-frame")) ?? "", /854×480[\s\S]*avc1/);
  const worst = page.locator(".quality .moment").filter({ hasNotText: "0:00" }).first();
  const [minutes, seconds] = (await worst.innerText()).split(":").map(Number);
  await worst.click();
  await page.waitForFunction(
    (wantedSeconds) => {
      const { currentTime = 0, played } = document.querySelector<HTMLVideoElement>(".drawer video") ?? {};
      // Led there, and not come there by playing.
      const fromSeconds = played?.length ? played.start(played.length - 1) : 0;
      return fromSeconds > wantedSeconds - 0.1 && currentTime > wantedSeconds + 0.3;
    },
    minutes! * 60 + seconds!,
  );
  await shoot(page, "worst-segment");

  await page.setInputFiles("#subtitle-file", {
    name: "german.srt",
    mimeType: "application/x-subrip",
    buffer: Buffer.from("1\n00:00:00,000 --> 00:00:29,000\nGröße\n", "latin1"),
  });
  await page.fill("#subtitle-language", "de");
  await page.click(".subtitle-form button[type=submit]");
  await page.waitForSelector(".tracks li");
  const isMade = () =>
    /Deutsch subtitle/.test(document.querySelector(".drawer .table-frame")?.textContent ?? "");
  await page.waitForFunction(isMade, undefined, { timeout: MAKING_MS });

  const opened = context.waitForEvent("page");
  await watch.click();
  const player = await opened;
  await player.waitForFunction(() => {
    const { matinee } = window as unknown as Partial<PlayingWindow>;
    return (matinee?.video.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 12;
  });
  assert.equal(await player.textContent("media-controller h1"), "The First Film");
  await player.click("button.back");
  await player.click(".hero a.secondary");
  await player.waitForSelector("dialog >> text=It was the first.");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a preview that breaks off can be tried again, and its session ends with it and with the drawer", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  const opening = () => page.waitForResponse((response) => response.url().endsWith("/preview"));
  const ending = () =>
    page.waitForResponse(
      (response) => response.request().method() === "DELETE" && response.url().includes("/v1/playback/"),
    );
  // Which one it was is looked at afterwards: what it ends may not have been read here before.
  const endedIn = async (ended: Promise<Response>, opened: Promise<Response>) => {
    const { sessionId } = await (await opened).json();
    const answer = await ended;
    assert.deepEqual([answer.status(), answer.url().split("/").at(-1)], [204, sessionId]);
  };
  await page.goto(product.studio);
  await page.locator(".cards .card", { hasText: "first film.mp4" }).click();
  await page.route(/\.m4s(\?|$)/, (route) => route.fulfill({ status: 404 }));
  const [opened, ended] = [opening(), ending()];
  await page.click(".drawer button.preview");
  await page.waitForSelector(".preview-frame [role=status]:has-text('stopped coming through')");
  await endedIn(ended, opened);
  await page.unrouteAll({ behavior: "wait" });
  const openedAgain = opening();
  await page.click(".preview-frame button.again");
  await page.waitForFunction(
    () => (document.querySelector<HTMLVideoElement>(".drawer video")?.currentTime ?? 0) > 0.5,
  );
  assert.equal(await page.locator(".preview-frame button").count(), 0);
  const endedToo = ending();
  await page.keyboard.press("Escape");
  await endedIn(endedToo, openedAgain);
  await context.close();
});

test("Back and Escape close a film's drawer and leave the studio open; its address leads to it", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.studio);
  const desk = page.url();
  const drawer = page.locator(".drawer[open]");
  const card = page.locator(".cards .card", { hasText: "first film.mp4" });
  await card.click();
  await drawer.waitFor();
  const address = page.url();
  assert.match(address, /\/studio\/#asset=as_/);

  await page.goBack();
  await drawer.waitFor({ state: "detached" });
  await page.waitForURL(desk);
  await page.goForward();
  await drawer.waitFor();
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "detached" });
  await page.waitForURL(desk);
  assert.ok(await card.evaluate((one) => one === document.activeElement), "the focus is where it was");

  // Told to somebody, who is elsewhere: there is no desk behind it.
  await page.goto("about:blank");
  await page.goto(address);
  await drawer.waitFor();
  assert.match((await drawer.locator("h2").first().textContent()) ?? "", /first film/);
  await drawer.locator(".close").click();
  await drawer.waitFor({ state: "detached" });
  // The address follows with the dialog's event, a task later.
  await page.waitForURL(desk);
  await page.goto(`${desk}#asset=as_none`);
  await page.waitForURL(desk);
  assert.equal(await drawer.count(), 0);
  assert.deepEqual(
    complaints.filter((one) => !/as_none|404/.test(one)),
    [],
  );
  await context.close();
});

test("which episode a film is can be said; of a movie nobody is asked", async () => {
  const call = callerOf(product.api, product.tokens.editor);
  const { id: assetId } = (await call("GET", "/v1/assets?state=ready")).body.data[0]!;
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  const number = page.locator("#title-number");
  await page.goto(product.studio);
  await page.waitForSelector(".cards .card");
  const desk = page.url();
  const openDetails = async () => {
    await page.goto("about:blank");
    await page.goto(`${desk}#asset=${assetId}`);
    await page.click(".title-details summary");
    await page.locator("#title-year").waitFor();
  };
  await openDetails();
  await page.locator(".drawer a.watch").waitFor();
  assert.equal(await number.isVisible(), false);
  const made = await call("POST", "/v1/titles", { name: "An episode", type: "episode", number: 3, assetId });
  await openDetails();
  await number.waitFor();
  assert.equal(await number.inputValue(), "3");
  await number.fill("4");
  await page.click(".title-form button[type=submit]");
  const present = async () => (await call("GET", `/v1/titles/${made.body.id}`)).body.number;
  await eventually("the number", 30, async () => (await present()) === 4 || null);
  assert.deepEqual(complaints, []);
  await context.close();
  await call("DELETE", `/v1/titles/${made.body.id}`);
});

test("a file that is no film fails in the reader's words, with what to do", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.studio);
  await page.waitForSelector(".drop");
  await drop(page, "letter.mp4", Buffer.from("not a film"));
  await page.click(".cards li:has(.chip[data-state=failed]) .card", { timeout: MAKING_MS });
  assert.match(
    (await page.textContent(".drawer [role=alert]")) ?? "",
    /Export it as MP4[\s\S]*unsupported_container/,
  );
  assert.equal(await page.locator(".drawer [role=alert] [lang]").count(), 0, "it is English already");
  await readInGerman(page.url());
  await page.click(".removal .danger");
  await page.click(".removal .secondary.danger");
  await page.waitForSelector(".drawer", { state: "detached" });
  assert.equal(await page.locator(".cards li:has-text('letter.mp4')").count(), 0);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("an operator is shown what is to be done, by a page that forgets the token in its address", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(`${product.api}/admin/queues#token=${product.tokens.admin}`);
  await page.waitForSelector(".work-tables section");
  assert.equal(page.url(), `${product.api}/studio/queues.html`);
  assert.match(
    (await page.textContent(".work-tables")) ?? "",
    /Usual lane.*workers that listen.*Films on their way.*encoding/s,
  );
  await shoot(page, "queues");
  await page.goto(product.studio);
  await page.goto(`${product.api}/admin/queues`);
  assert.match((await page.textContent("[role=alert]")) ?? "", /administrator of the installation/);
  assert.deepEqual(
    complaints.filter((one) => !one.startsWith("403 ") && !one.startsWith("console:")),
    [],
  );
  await context.close();
});

test("the studio and the page of queues fit the narrowest phone, in the longer language too", async () => {
  const narrow = { viewport: { width: 320, height: 640 }, isMobile: true, locale: "de-DE" };
  const { context } = await openContext(browser, narrow);
  const page = await context.newPage();
  const fits = async (what: string) => {
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, narrow.viewport.width, what);
  };
  await page.goto(product.studio);
  await page.waitForSelector(".cards .card");
  await page.click(".drop .fold summary");
  await fits("the films");
  await page
    .locator(".cards .card", { has: page.locator("[data-state=ready]") })
    .first()
    .click();
  await page.waitForSelector(".drawer[open] .table-frame");
  await page.click(".drawer .fold summary");
  await fits("a film");
  const facts = await page.locator(".drawer[open]").innerText();
  assert.match(facts, /\d,\d [KM]iB/, "numbers in the page's language");
  assert.match(facts, /Ton\t/, "what is no picture too");
  assert.doesNotMatch(facts, /\d\.\d+ ([KM]iB|[kM]bit)/);
  await page.goto(`${product.api}/studio/queues.html#token=${product.tokens.admin}`);
  await page.waitForSelector(".work-tables section");
  await fits("the queues");
  await context.close();
});

test("a package that its viewers fare worse with is told, and one click shows the one before again", async () => {
  const call = callerOf(product.api, product.tokens.editor);
  const { id, titleId, generation: first } = (await call("GET", "/v1/assets?state=ready")).body.data[0]!;
  await watchedBy(40, titleId!, { type: "startup", startupSeconds: 0.8 });
  const track = { kind: "subtitle", language: "fr", vtt: "WEBVTT\n\n00:00.000 --> 00:01.000\nUn\n" };
  await call("POST", `/v1/assets/${id}/tracks`, track);
  const second = await eventually("another package", MAKING_MS / 1000, async () => {
    const { state, generation } = (await call("GET", `/v1/assets/${id}`)).body;
    return state === "ready" && generation !== first ? generation : null;
  });
  await watchedBy(40, titleId!, { type: "error", code: "bufferAppendError", fatal: true });
  await eventually("the verdict", 120, async () => {
    const [newest] = (await call("GET", `/v1/assets/${id}/generations`)).body.data;
    return newest?.generation === second && newest?.health?.verdict === "worse" ? newest : null;
  });
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.studio);
  await page.click(".cards .card:has-text('first film.mp4')");
  const worse = page.locator(".generations [data-state=published][data-verdict=worse]");
  assert.match((await worse.textContent()) ?? "", /Viewers fare worse[\s\S]*0.0 % before, 100.0 % now/);
  // Read by a request of its own.
  await page.waitForSelector(".viewing-chart rect", { state: "attached" });
  await worse.locator("button.primary").click();
  await page.waitForSelector(`.generations [data-state=published]:has-text("${first}")`);
  assert.equal((await call("GET", `/v1/assets/${id}`)).body.published?.generation, first);
  assert.deepEqual(complaints, []);
  await context.close();
});

/** The same failure on a German's screen, with what the API said of it below; and so a file that it refuses. */
async function readInGerman(address: string): Promise<void> {
  const { context, complaints } = await openContext(browser, { locale: "de-DE" });
  const page = await context.newPage();
  await page.goto(product.studio);
  await page.goto(address);
  const failure = page.locator(".drawer [role=alert]");
  await failure.waitFor();
  assert.match(await failure.innerText(), /^Diese Art von Datei wird nicht angenommen\.[\s\S]*Als MP4/);
  assert.match(await failure.locator("small[lang=en]").innerText(), /^This is not a video file [\s\S]*MP4/);
  assert.match(await page.locator(".cards li:has-text('letter.mp4') .facts").innerText(), /^Diese Art/);
  await shoot(page, "failure-in-german");
  await page.goto(product.studio);
  await page.click(".cards .card:has-text('first film.mp4')");
  await page.setInputFiles("#subtitle-file", {
    name: "empty.srt",
    mimeType: "application/x-subrip",
    buffer: Buffer.from("no times"),
  });
  await page.click(".subtitle-form button[type=submit]");
  const refusal = page.locator("[role=status]", { hasText: "Das sind keine Untertitel" });
  assert.match(await refusal.locator("small[lang=en]").innerText(), /^The text is no /);
  await refusal.scrollIntoViewIfNeeded();
  await shoot(page, "refusal-in-german");
  assert.deepEqual(
    complaints.filter((one) => !/422/.test(one)),
    [],
  );
  await context.close();
}

/** So many viewers, one after the other, of each of whom the player tells one thing. */
async function watchedBy(viewers: number, titleId: string, told: object): Promise<void> {
  const call = callerOf(product.api, product.tokens.viewer);
  for (let index = 0; index < viewers; index++) {
    const { sessionId } = (await call("POST", "/v1/playback", { titleId })).body;
    const events = [{ ...told, seq: 0, at: new Date().toISOString(), positionSeconds: 0 }];
    assert.equal((await call("POST", `/v1/playback/${sessionId}/beacons`, { events })).status, 202);
    await call("DELETE", `/v1/playback/${sessionId}`);
  }
}

/** Keeps every state and percentage that the first card shows from now on. */
async function observe(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: SeenWindow["seen"] = { states: [], percents: [] };
    (window as unknown as SeenWindow).seen = seen;
    const look = () => {
      const state = document.querySelector<HTMLElement>(".cards .chip")?.dataset.state;
      if (state !== undefined && seen.states.at(-1) !== state) seen.states.push(state);
      const percent = document.querySelector(".cards .progress")?.getAttribute("aria-valuenow") ?? null;
      const isMaking = state === "probing" || state === "encoding";
      if (isMaking && percent !== null && seen.percents.at(-1) !== Number(percent))
        seen.percents.push(Number(percent));
    };
    const options = { subtree: true, childList: true, attributes: true };
    new MutationObserver(look).observe(document.body, options);
  });
}

/** A real drop event with a real file. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  await page.evaluate(
    ([filename, base64]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], filename));
      const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
      document.querySelector(".drop")?.dispatchEvent(event);
    },
    [name, bytes.toString("base64")] as const,
  );
}
