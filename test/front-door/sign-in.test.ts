import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser, openContext } from "../e2e/browser.ts";
import { type StartedProduct, startWholeProduct } from "../e2e/product.ts";

let product: StartedProduct;
let browser: Browser;

before(async () => {
  [product, browser] = await Promise.all([startWholeProduct(), launchBrowser()]);
});

after(async () => {
  await browser?.close();
  await product?.stop();
});

test("a token that is no good leads to the form that says so, aloud too, and a good one from there in", async () => {
  for (const [locale, said] of [
    ["en-US", "This access token is not valid, or no longer. Come in with a new one."],
    ["de-DE", "Dieses Zugangs-Token gilt nicht oder nicht mehr. Tritt mit einem neuen ein."],
  ] as const) {
    const { context } = await openContext(browser, { locale });
    const page = await context.newPage();
    await page.goto(`${product.api}/player/`);
    assert.equal(await page.locator("#token").count(), 1);
    assert.equal(await page.getByRole("alert").count(), 0, "who has not tried has done nothing wrong");
    await page.fill("#token", "mk_no-longer");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    assert.equal(await page.getByRole("alert").textContent(), said);
    const field = page.locator("#token");
    const describedBy = await field.getAttribute("aria-describedby");
    assert.equal(await page.locator(`#${describedBy}`).textContent(), said);
    assert.equal(await field.evaluate((input) => input === document.activeElement), true);
    await page.fill("#token", product.tokens.viewer);
    await page.keyboard.press("Enter");
    await page.locator("header.site").waitFor();
    await context.close();
  }
});
