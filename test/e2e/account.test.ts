import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { flashAndBeep, kept, made } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { subRip } from "../rig/text-media.ts";
import { launchBrowser, openContext, type PlayingWindow, shoot } from "./browser.ts";
import { pauseFrom, shownFrames, waitForFrames, waitForPosition, withSettings } from "./playing.ts";

/** What a player does for an account that watches elsewhere too. */

const FILM_SECONDS = 30;
const GRANT_MS = 8_000;
const MINUTE_MS = 60_000;

let product: Product;
let browser: Browser;
/** Titles of the one film: two episodes of a series. */
let episodes: string[];

before(async () => {
  const pages = process.env.MATINEE_PAGES_DIR ?? "dist/pages";
  [product, browser] = await Promise.all([
    startProduct({ environment: { MATINEE_PAGES_DIR: pages, MATINEE_STREAMS_PER_ACCOUNT: "1" } }),
    launchBrowser(),
  ]);
  const film = await bilingualFilm();
  const { _id: assetId } = await product.until(
    await product.uploadFile(film),
    ({ state }) => state === "ready",
    300,
  );
  const shelf = async (body: object): Promise<string> => {
    const { id } = (await product.call("POST", "/v1/titles", body)).body;
    assert.equal((await product.call("POST", `/v1/titles/${id}/publish`, {})).status, 200);
    return id;
  };
  const series = await shelf({ type: "series", name: "Flashes" });
  const season = await shelf({ type: "season", name: "1", parentId: series });
  episodes = [];
  for (const name of ["The first", "The second"])
    episodes.push(await shelf({ type: "episode", name, parentId: season, assetId }));
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

/** Half a minute with an English and a German sound, and a German text. */
async function bilingualFilm(): Promise<string> {
  const text = await kept("srt", subRip([[0, FILM_SECONDS, "Blitz!"]]));
  return made("mkv", [
    ...["-i", await flashAndBeep({ seconds: FILM_SECONDS })],
    ...["-f", "lavfi", "-i", `sine=frequency=330:duration=${FILM_SECONDS}`, "-i", text],
    ...["-map", "0:v", "-map", "0:a", "-map", "1:a", "-map", "2:s", "-disposition:s", "0"],
    ...[
      "-metadata:s:a:0",
      "language=eng",
      "-metadata:s:a:1",
      "language=deu",
      "-metadata:s:s",
      "language=deu",
    ],
    ...["-c:v", "copy", "-c:a", "aac", "-ac", "2", "-c:s", "srt", "{out}"],
  ]);
}

/** The token of an account that nobody else has, or of `subject`. */
async function newToken(subject = `viewer-${randomBytes(4).toString("hex")}`): Promise<string> {
  const token = `mk_${randomBytes(32).toString("hex")}`;
  const key = { tenant: "default", subject, role: "viewer", createdAt: new Date(), revokedAt: null } as const;
  await product.library.apiKeys.insertOne({ _id: hashOf(token), ...key });
  return token;
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function playerUrl(token: string, titleId: string): string {
  return `${product.apiUrl}/player/#token=${token}&title=${titleId}`;
}

/** The player is told of an early end each time: the server's own grants outlast these tests. */
async function shortenGrants(page: Page): Promise<void> {
  for (const pattern of ["**/v1/playback", "**/renew"]) {
    await page.route(pattern, async (route) => {
      const response = await route.fetch();
      const expiresAt = new Date(Date.now() + GRANT_MS).toISOString();
      const json = response.ok() ? { ...(await response.json()), expiresAt } : await response.json();
      await route.fulfill({ response, json });
    });
  }
}

test("where one may watch one film at once, the next episode and a reload take the tab's own place, and no other's", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  const token = await newToken();
  // The place is given up only after the next one was asked for, as where the line is slow.
  const isAsked = Promise.withResolvers<void>();
  await page.route("**/v1/playback/*", async (route) => {
    if (route.request().method() === "DELETE") await isAsked.promise;
    await route.continue();
  });
  await page.goto(playerUrl(token, episodes[0]!));
  await waitForFrames(page, 1);
  const answered = page.waitForResponse((response) => response.url().endsWith("/v1/playback"));
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.keyboard.press("Shift+N");
  assert.equal((await answered).status(), 201, "the next episode");
  isAsked.resolve();
  assert.equal((await ended).status(), 204);
  await page.waitForSelector('.top-chrome h1:has-text("The second")');
  await waitForFrames(page, 1);
  await page.reload();
  await waitForFrames(page, 1);
  // Quicker than the answers are.
  await page.evaluate(
    (ids) => {
      for (const id of ids) location.replace(`#title=${id}`);
    },
    [episodes[0]!, episodes[1]!, episodes[0]!],
  );
  await page.waitForSelector('.top-chrome h1:has-text("The first")');
  await waitForFrames(page, 1);
  assert.deepEqual(complaints, []);

  const other = (await openContext(browser)).context;
  const elsewhere = await other.newPage();
  await elsewhere.goto(playerUrl(token, episodes[1]!));
  assert.match((await elsewhere.textContent("[role=alert]")) ?? "", /as many screens as it may/);
  assert.match((await elsewhere.textContent("[role=alert] li")) ?? "", /^The first, since/);
  await elsewhere.click("text=Watch here instead");
  await waitForFrames(elsewhere, 1);
  // Its place is another screen's now: it is asked for, and not taken.
  await page.reload();
  assert.match((await page.textContent("[role=alert] li")) ?? "", /^The second, since/);
  await other.close();
  await context.close();
});

test("a tab that is duplicated leaves the first one its session", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(playerUrl(await newToken(), episodes[0]!));
  await waitForFrames(page, 1);
  const opened = context.waitForEvent("page");
  const answered = context.waitForEvent("response", (response) => response.url().endsWith("/v1/playback"));
  // As a browser duplicates a tab: with a copy of what the tab keeps.
  await page.evaluate(() => void window.open(location.href));
  const copy = await opened;
  assert.equal((await answered).status(), 409);
  assert.match((await copy.textContent("[role=alert] li")) ?? "", /^The first, since/);
  const renewed = await page.evaluate(async () => {
    const [token, session] = ["matinee.token", "matinee.session"].map((name) => sessionStorage.getItem(name));
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    return (await fetch(`/v1/playback/${session}/renew`, { method: "POST", headers, body: "{}" })).status;
  });
  assert.equal(renewed, 200, "the first one's session goes on");
  await page.close();
  // Now the place is nobody's, and the one that is known to have had it may have it.
  await copy.reload();
  await waitForFrames(copy, 1);
  await context.close();
});

test("an answer that never comes keeps no film of the tab from starting", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  const token = await newToken();
  const account = { audio: ["fr"], subtitles: ["de"] };
  assert.ok((await product.call("PUT", "/v1/me/preferences", account, token)).status < 300);
  // Nobody answers these.
  await page.route("**/v1/me/preferences", () => undefined);
  await page.route("**/v1/playback", () => undefined, { times: 1 });
  await page.goto(playerUrl(token, episodes[0]!));
  await page.waitForSelector(".loading");
  await page.evaluate((id) => location.replace(`#title=${id}`), episodes[0]!.concat("&from=1"));
  await pauseFrom(page, 1);
  await waitForTracks(page, "en", null);
  await choose(page, "media-audio-track-menu", "Deutsch");
  const asked = page.waitForRequest((request) => request.url().endsWith("/v1/playback"));
  await page.keyboard.press("Shift+N");
  const { preferences = null } = (await asked).postDataJSON() as { preferences?: unknown };
  assert.equal(preferences, null, "where nobody knows what the account wants, nothing stands for all of it");
  await page.waitForSelector('.top-chrome h1:has-text("The second")');
  await waitForFrames(page, 1);
  await context.close();
});

/** Has the page's clock run minutes ahead, or behind. */
async function moveClock(page: Page, minutes: number): Promise<void> {
  await page.addInitScript((offMs) => {
    window.Date = new Proxy(Date, {
      construct: (own, given) =>
        given.length === 0 ? new own(own.now() + offMs) : Reflect.construct(own, given),
      get: (own, name) => (name === "now" ? () => own.now() + offMs : Reflect.get(own, name)),
    });
  }, minutes * MINUTE_MS);
}

test("a viewer's clock that is minutes off neither keeps a good grant from being used nor one that ends from being renewed", async () => {
  for (const minutes of [10, -15]) {
    const { context, complaints } = await openContext(browser);
    const page = await context.newPage();
    await moveClock(page, minutes);
    const isBehind = minutes < 0;
    if (isBehind) await shortenGrants(page);
    let renewals = 0;
    const renewed = new Promise<void>((resolve) =>
      page.on("request", (request) => {
        if (!request.url().endsWith("/renew")) return;
        renewals += 1;
        resolve();
      }),
    );
    const told = page.waitForRequest((request) => request.url().endsWith("/beacons"));
    await page.goto(playerUrl(await newToken(), episodes[0]!));
    await waitForPosition(page, 2);
    if (isBehind) await renewed;
    else assert.equal(renewals, 0, "no grant is half over yet");
    const { events } = (await told).postDataJSON() as { events: { at: string }[] };
    const offMs = Math.abs(Date.parse(events[0]!.at) - Date.now());
    assert.ok(offMs < 5 * MINUTE_MS, `places are told by the server's time: ${offMs} ms off`);
    assert.deepEqual(complaints, []);
    await context.close();
  }
});

/** Ends a token, as an identity provider's ends by itself. */
async function endToken(token: string): Promise<void> {
  await product.library.apiKeys.updateOne({ _id: hashOf(token) }, { $set: { revokedAt: new Date() } });
}

test("a token that ends in mid-film is asked for over the film, which keeps its place and goes on with the new one", async () => {
  const { context } = await openContext(browser);
  const page = await context.newPage();
  await withSettings(page, { maxBufferLength: 6, maxMaxBufferLength: 6 });
  await shortenGrants(page);
  const opened: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/v1/playback")) opened.push(request.url());
  });
  const [subject, other] = ["viewer-over", "viewer-other"];
  const [token, next, last] = [await newToken(subject), await newToken(subject), await newToken(other)];
  await page.goto(playerUrl(token, episodes[0]!));
  await waitForFrames(page, 1);
  await endToken(token);
  await page.waitForSelector(".notice:has-text('Come in again')");
  assert.match((await page.textContent(".layer [role=status]")) ?? "", /no longer valid/);
  const frames = await shownFrames(page);
  await waitForFrames(page, frames + 12);
  await page.waitForFunction(() => {
    const { video } = (window as unknown as PlayingWindow).matinee;
    return !video.paused && video.readyState < video.HAVE_FUTURE_DATA;
  });
  const standsAt = await page.evaluate(() => (window as unknown as PlayingWindow).matinee.video.currentTime);
  await page.click(".notice button");
  // Nobody answers at first: that the token is no good is found out later.
  await page.route("**/renew", (route) => route.abort(), { times: 1 });
  await page.fill("dialog.sign-in input", `${next}x`);
  await page.keyboard.press("Enter");
  assert.match((await page.textContent("dialog.sign-in [role=alert]")) ?? "", /not valid/);
  await shoot(page, "sign-in");
  await page.fill("dialog.sign-in input", next);
  const renewed = page.waitForResponse((response) => /\/renew$/.test(response.url()) && response.ok());
  await page.keyboard.press("Enter");
  await renewed;
  await page.waitForSelector("dialog.sign-in", { state: "detached" });
  await waitForPosition(page, standsAt + 1);
  assert.equal(await page.locator(".notice").count(), 0);
  assert.equal(opened.length, 1, "the session is the same");

  await pauseFrom(page, standsAt + 1);
  await endToken(next);
  await page.click(".notice button");
  await page.fill("dialog.sign-in input", last);
  const openedAnew = page.waitForResponse((response) => response.url().endsWith("/v1/playback"));
  await page.keyboard.press("Enter");
  await openedAnew;
  await waitForPosition(page, standsAt + 1);
  assert.equal(opened.length, 2, "another account goes on from there in a session of its own");

  await pauseFrom(page, standsAt + 1);
  await endToken(last);
  await page.waitForSelector(".notice button");
  await page.keyboard.press("Shift+N");
  const fresh = await newToken(other);
  await page.fill("form.panel input", fresh);
  await page.keyboard.press("Enter");
  await page.waitForSelector('.top-chrome h1:has-text("The second")');
  await waitForFrames(page, 1);
  await page.reload();
  await waitForFrames(page, 1);
  await context.close();
});

/** Languages of the sound that is heard and of the text that is shown, once they are these. */
async function waitForTracks(page: Page, sound: string, text: string | null): Promise<void> {
  await page.waitForFunction(
    ([heard, shown]) => {
      const { matinee } = window as unknown as Partial<PlayingWindow>;
      if (matinee === undefined) return false;
      const { hls, video } = matinee;
      const showing = [...video.textTracks].find(
        ({ mode, kind }) => mode === "showing" && kind !== "metadata",
      );
      return hls.audioTracks[hls.audioTrack]?.lang === heard && (showing?.language ?? null) === shown;
    },
    [sound, text] as const,
  );
}

async function choose(page: Page, menu: string, choice: string): Promise<void> {
  await page.mouse.move(600, 300);
  await page.click("media-settings-menu-button");
  await page.click(`media-settings-menu-item:has(${menu})`);
  await page.click(`${menu} [role=menuitemradio]:has-text("${choice}")`);
  // Leaves the submenu, then the menu.
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
}

test("what is chosen to hear and read on one device is what the next film and another device begin with", async () => {
  const token = await newToken();
  const wanted = async (): Promise<unknown> =>
    (await product.call("GET", "/v1/me/preferences", undefined, token)).body;
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(playerUrl(token, episodes[0]!));
  await pauseFrom(page, 0);
  await waitForTracks(page, "en", null);
  await choose(page, "media-audio-track-menu", "Deutsch");
  await choose(page, "media-captions-menu", "Deutsch");
  await waitForTracks(page, "de", "de");
  const chosen = JSON.stringify({ audio: ["de"], subtitles: ["de"] });
  await eventually("the account's record", 60, async () => JSON.stringify(await wanted()) === chosen || null);
  const ended = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.click("button.back");
  await ended;

  const other = await openContext(browser);
  const elsewhere = await other.context.newPage();
  await elsewhere.goto(playerUrl(token, episodes[0]!));
  await pauseFrom(elsewhere, 0);
  await waitForTracks(elsewhere, "de", "de");
  // The next film begins before this is on record, and where nothing comes of that.
  await elsewhere.route("**/v1/me/preferences", (route) =>
    route.request().method() === "PUT" ? route.abort() : route.continue(),
  );
  await choose(elsewhere, "media-audio-track-menu", "English");
  await choose(elsewhere, "media-captions-menu", "Off");
  await waitForTracks(elsewhere, "en", null);
  await elsewhere.keyboard.press("Shift+N");
  await elsewhere.waitForSelector('.top-chrome h1:has-text("The second")');
  await pauseFrom(elsewhere, 0);
  await waitForTracks(elsewhere, "en", null);
  assert.equal(await elsewhere.locator("[role=alert]").count(), 0);
  assert.equal(JSON.stringify(await wanted()), chosen);
  await elsewhere.unrouteAll({ behavior: "wait" });
  await elsewhere.reload();
  await eventually("what was chosen last", 60, async () => {
    const { audio, subtitles, forcedOnly } = (await wanted()) as {
      audio: string[];
      subtitles: string[];
      forcedOnly?: boolean;
    };
    return (audio[0] === "en" && subtitles[0] === "de" && forcedOnly === true) || null;
  });
  await other.context.close();
  assert.deepEqual(complaints, []);
  await context.close();
});
