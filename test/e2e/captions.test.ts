import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { subRip, withTexts } from "../rig/text-media.ts";
import { launchBrowser, openContext, type PlayingWindow } from "./browser.ts";
import { PLAYING_MS, pauseFrom } from "./playing.ts";
import { ingest, type StartedProduct, startWholeProduct } from "./product.ts";

let product: StartedProduct;
let browser: Browser;
let folder: string;
let assetId: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-captions-"));
  const german = join(folder, "german.srt");
  await writeFile(german, Buffer.from(subRip([[0, 13, "Schöne Größe"]]), "latin1"));
  const film = await withTexts("mkv", [
    {
      file: { ending: "srt", text: subRip([[0, 13, "<b>Hello</b> & goodbye"]]) },
      codec: "srt",
      language: "eng",
    },
    {
      file: { ending: "srt", text: subRip([[0, 13, "EXIT"]]) },
      codec: "srt",
      language: "eng",
      disposition: "forced",
    },
  ]);
  [product, browser] = await Promise.all([startWholeProduct(), launchBrowser()]);
  const { code, said } = await ingest(product, film, "--publish", "--subtitles", `de=${german}`);
  assert.equal(code, 0, said);
  assert.match(said, /3 subtitle tracks/);
  assetId = /as asset (as_\w+)/.exec(said)?.[1] ?? "";
});

after(async () => {
  await browser?.close();
  // The whole products of a run may share a library: the next one begins without this film.
  const headers = { authorization: `Bearer ${product?.tokens.editor}` };
  await fetch(`${product?.api}/v1/assets/${assetId}`, { method: "DELETE", headers });
  await product?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Texts of the cues that the browser shows at this moment. */
function shownTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { video } = (window as unknown as PlayingWindow).matinee;
    return [...video.textTracks]
      .filter(({ mode }) => mode === "showing")
      .flatMap(({ activeCues }) => [...(activeCues ?? [])].map((cue) => (cue as VTTCue).text));
  });
}

async function waitForTexts(page: Page, wanted: readonly string[]): Promise<void> {
  await page.waitForFunction(
    (texts) => {
      const { matinee } = window as unknown as Partial<PlayingWindow>;
      const shown = [...(matinee?.video.textTracks ?? [])]
        .filter(({ mode }) => mode === "showing")
        .flatMap(({ activeCues }) => [...(activeCues ?? [])].map((cue) => (cue as VTTCue).text));
      return JSON.stringify(shown) === JSON.stringify(texts);
    },
    wanted,
    { timeout: PLAYING_MS },
  );
}

async function chooseCaptions(page: Page, name: string): Promise<void> {
  await page.mouse.move(600, 300);
  await page.click("media-settings-menu-button");
  await page.click("media-settings-menu-item:has(media-captions-menu)");
  await page.click(`media-captions-menu [role=menuitemradio]:has-text("${name}")`);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
}

test("captions: forced lines by themselves, any track by the menu, the choice is remembered", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  await page.goto(product.player);
  await page.click(".hero a.play");
  // It lasts for seconds: its lines are gone before a busy machine has opened a menu.
  await pauseFrom(page, 0);
  await waitForTexts(page, ["EXIT"]);
  await chooseCaptions(page, "English");
  await waitForTexts(page, ["<b>Hello</b> &amp; goodbye", "EXIT"]);
  await chooseCaptions(page, "Deutsch");
  await waitForTexts(page, ["Schöne Größe"]);
  const link = page.url();
  await page.goto("about:blank");
  await page.goto(link);
  await pauseFrom(page, 0);
  await waitForTexts(page, ["Schöne Größe"]);
  const shot = process.env.MATINEE_TEST_SHOTS;
  if (shot !== undefined) await page.screenshot({ path: join(shot, "captions.png") });
  await chooseCaptions(page, "Off");
  await waitForTexts(page, ["EXIT"]);
  assert.deepEqual(await shownTexts(page), ["EXIT"]);
  assert.deepEqual(complaints, []);
  await context.close();
});
