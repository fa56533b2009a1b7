import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { type ServerType, serve } from "@hono/node-server";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Finding } from "../../core/records/asset.ts";
import { madeAsset, openTestApi, publishedMovie, tokenOf } from "../api/api-for-test.ts";
import { launchBrowser, openContext, shoot } from "./browser.ts";

/** What the studio shows of a film and lets be done with it, against an API of its own: no film is made for it. */

const api = await openTestApi("drawer");
const call = api.as("alpha");
let server: ServerType;
let browser: Browser;

before(async () => {
  server = serve({ fetch: api.app.fetch, hostname: "127.0.0.1", port: 0 });
  [browser] = await Promise.all([launchBrowser(), once(server, "listening")]);
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** A film's drawer on a screen of its own; `close` tells what the page complained of beside pictures, which nobody serves here. */
async function drawerOf(assetId: string, options: BrowserContextOptions = {}) {
  const { context, complaints } = await openContext(browser, options);
  const page = await context.newPage();
  const { port } = server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/studio/#token=${tokenOf("alpha", "editor")}`);
  await page.waitForSelector(".cards .card");
  await page.goto(`${page.url()}#asset=${assetId}`);
  const close = async (): Promise<string[]> => {
    await context.close();
    return complaints.filter((one) => !/delivery\.test|ERR_NAME_NOT_RESOLVED/.test(one));
  };
  return { page, close };
}

/** The title that is chosen among those of a film. */
const chosenOf = (page: Page, group: string) =>
  page.getByRole("group", { name: group }).getByRole("radio", { checked: true });

test("each title that shows a film can be chosen, by keys too, and another one made", async () => {
  const { asset, titleId: first } = await publishedMovie(api, "alpha", { name: { en: "The First Film" } });
  const { page, close } = await drawerOf(asset._id);
  const name = page.locator("#title-name");
  const watch = page.locator(".drawer a.watch");
  const choices = page.locator(".titles label");
  await watch.waitFor();
  assert.equal(await page.locator(".titles").isVisible(), false, "of one there is nothing to choose");

  await page.getByRole("button", { name: "Another title" }).click();
  assert.ok(await name.evaluate((one) => one === document.activeElement));
  await name.fill("The Second Cut");
  await name.press("Enter");
  await choices.filter({ hasText: "The Second Cut" }).filter({ hasText: "Draft" }).waitFor();
  const [{ id: second }, ...others] = (await call("GET", `/v1/titles?assetId=${asset._id}`)).body.data;
  assert.deepEqual(
    others.map(({ id }: { id: string }) => id),
    [first],
  );

  await name.fill("The Second Cut, longer");
  const chosen = chosenOf(page, "Titles that show this film");
  await chosen.focus();
  await page.keyboard.press("ArrowDown");
  await watch.waitFor();
  assert.equal(await name.inputValue(), "The First Film");
  assert.ok((await watch.getAttribute("href"))?.endsWith(first));
  await page.getByRole("button", { name: "Take down" }).click();
  await page.getByRole("button", { name: "Publish" }).waitFor();
  await chosen.focus();
  await page.keyboard.press("ArrowUp");
  assert.equal(await name.inputValue(), "The Second Cut, longer", "what was typed is kept");
  await page.getByRole("button", { name: "Publish" }).click();
  await watch.waitFor();
  const states = [first, second].map(async (id) => (await call("GET", `/v1/titles/${id}`)).body.state);
  assert.deepEqual(await Promise.all(states), ["unpublished", "published"]);
  const shown = (await choices.allInnerTexts()).join();
  assert.match(shown, /longer\s+Published[\s\S]*First Film\s+Taken down/);
  await shoot(page, "titles");
  assert.deepEqual(await close(), []);
});

test("of several titles a narrow German screen says name, state and time", async () => {
  const { asset, titleId } = await publishedMovie(api, "alpha", { name: { en: "Now", de: "Jetzt" } });
  const { body } = await call("POST", "/v1/titles", { name: "Later", assetId: asset._id });
  const times = { availableFrom: "2031-05-04T12:00:00Z", availableUntil: "2032-05-04T12:00:00Z" };
  await call("POST", `/v1/titles/${body.id}/publish`, times);
  const screen = { locale: "de-DE", timezoneId: "UTC", viewport: { width: 320, height: 640 } };
  const { page, close } = await drawerOf(asset._id, screen);
  const group = page.getByRole("group", { name: "Titel, die diesen Film zeigen" });
  assert.match(
    await group.innerText(),
    /Later\s+ab 04\.05\.2031, 12:00 bis 04\.05\.2032, 12:00\s+Geplant\s+Jetzt\s+Veröffentlicht/,
  );
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  await shoot(page, "titles-in-german");
  await chosenOf(page, "Titel, die diesen Film zeigen").press("ArrowDown");
  await page.locator(`.drawer a.watch[href$="${titleId}"]`).waitFor();
  assert.equal(await page.locator("#title-name").inputValue(), "Jetzt");
  assert.deepEqual(await close(), []);
});

test("a film is made again as chosen; what is not asked for here stays as it was", async () => {
  const { _id } = await madeAsset(api, "alpha", "ready");
  const { assets } = api.deps.library;
  await assets.updateOne({ _id }, { $set: { encoding: { codecs: ["h264"], remux: "never" } } });
  const { page, close } = await drawerOf(_id);
  const summary = page.locator(".drawer .fold summary");
  assert.match(await summary.innerText(), /Make again…\s+After everything else/, "it is on air");
  await summary.press("Enter");
  const speed = page.getByRole("group", { name: "What CPU time is worth" });
  await speed.getByRole("radio", { name: /^Fast/, checked: true }).press("ArrowDown");
  assert.ok(await speed.getByRole("radio", { name: /^Balanced/ }).isChecked());
  const encrypted = page.locator(".drawer").getByRole("checkbox", { name: /^Encrypted/ });
  const av1 = page.locator(".drawer").getByRole("checkbox", { name: /^AV1/ });
  await av1.press("Space");
  assert.ok(await encrypted.isDisabled());
  await av1.press("Space");
  await encrypted.press("Space");
  assert.ok(await av1.isDisabled());
  await encrypted.press("Space");
  await shoot(page, "make-again");
  await page.getByRole("button", { name: "Make it again" }).press("Enter");
  await page.getByText("It is being made again.").waitFor();
  assert.match(await summary.innerText(), /Balanced · After everything else/);
  assert.ok(await summary.evaluate((one) => one === document.activeElement));
  const { state, encoding } = (await call("GET", `/v1/assets/${_id}`)).body;
  assert.deepEqual(encoding, { codecs: ["h264"], speed: "balanced", remux: "never" });
  assert.equal(state, "queued");
  assert.deepEqual(await close(), []);
});

test("how each rung came out is told by both metrics, and what is not known as such", async () => {
  const { _id, plan, renditions } = await madeAsset(api, "alpha", "ready");
  const { id } = plan!.ladders[0]!.rungs[0]!;
  const worst = { segment: 2, value: 0.95141 };
  const quality = { metric: "ssim" as const, mean: 0.9871, p5: 0.9604, worst, frames: 720 };
  const scored = renditions.map((one) => (one.kind === "video" ? { ...one, id, quality } : one));
  await api.deps.library.assets.updateOne({ _id }, { $set: { renditions: scored } });
  const { page, close } = await drawerOf(_id, { locale: "de-DE" });
  const rung = page.locator(".quality tbody", {
    has: page.getByRole("rowheader", { name: id, exact: true }),
  });
  const rows = await rung.locator("tr").allInnerTexts();
  const [ssim, vmaf] = rows.map((row) => row.split(/\s+/));
  assert.deepEqual(ssim?.slice(0, 6), [id, "SSIM", "0,987", "0,960", "0,951", "0:12"]);
  assert.match(ssim?.slice(6).join(" ") ?? "", /^−?[\d,]+ [KMG]iB \(−?\d+ %\)$/);
  assert.deepEqual(vmaf, ["VMAF", "–", "–", "–"]);
  const moment = rung.getByRole("button", { name: `${id}, SSIM: die Stelle bei 0:12` });
  await moment.scrollIntoViewIfNeeded();
  await shoot(page, "scores-in-german");
  assert.deepEqual(await close(), []);
});

test("what was found in a film is said in German, and what the API says beyond it below, as English", async () => {
  const { _id } = await madeAsset(api, "alpha", "ready");
  const silence = "The sound in en is silent for 7.2 s.";
  const findings: Finding[] = [
    { code: "silence", severity: "warning", message: silence, startSeconds: 10, endSeconds: 17.2 },
    { code: "missing_audio", severity: "warning", message: "The file has no sound." },
  ];
  await api.deps.library.assets.updateOne({ _id }, { $set: { findings } });
  const { page, close } = await drawerOf(_id, { locale: "de-DE" });
  const items = page.locator(".findings li");
  await items.nth(1).waitFor();
  assert.match(await items.nth(0).innerText(), /Die Datei hat keinen Ton\./);
  assert.equal(await items.nth(0).locator("[lang]").count(), 0);
  assert.match(await items.nth(1).innerText(), /Ein Ton ist still\./);
  assert.equal(await items.nth(1).locator("[lang=en]").innerText(), silence);
  // Of a later release than the page.
  const unknown = { code: "of_tomorrow", severity: "info", message: "Something new." } as unknown as Finding;
  await api.deps.library.assets.updateOne({ _id }, { $set: { findings: [unknown] } });
  await page.reload();
  assert.equal(await page.locator(".findings [lang=en]").innerText(), "Something new.");
  assert.deepEqual(await close(), []);
});
