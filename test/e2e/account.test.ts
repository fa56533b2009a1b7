import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { flashAndBeep } from "../rig/media.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { launchBrowser, openContext } from "./browser.ts";
import { waitForFrames } from "./playing.ts";

/** What a player does for an account that watches elsewhere too. */

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
  const film = await flashAndBeep({ seconds: 30 });
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

async function watch(page: Page, titleId: string): Promise<void> {
  await page.goto(`${product.apiUrl}/player/#token=${product.tokens.viewer}&title=${titleId}`);
  await waitForFrames(page, 1);
}

test("where one may watch one film at once, the next episode and a reload take the tab's own place, and no other's", async () => {
  const { context, complaints } = await openContext(browser);
  const page = await context.newPage();
  // The place is given up only after the next one was asked for, as where the line is slow.
  const isAsked = Promise.withResolvers<void>();
  await page.route("**/v1/playback/*", async (route) => {
    if (route.request().method() === "DELETE") await isAsked.promise;
    await route.continue();
  });
  await watch(page, episodes[0]!);
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
  await elsewhere.goto(`${product.apiUrl}/player/#token=${product.tokens.viewer}&title=${episodes[1]}`);
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
