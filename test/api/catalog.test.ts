import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Filter, FindOptions } from "mongodb";
import { type Catalog, openCatalog } from "../../api/catalog.ts";
import { openContents } from "../../api/catalog-contents.ts";
import { type CatalogEntry, entryOf } from "../../api/catalog-entry.ts";
import { inOrderAgain, NEWEST_FIRST } from "../../api/catalog-order.ts";
import { openShelf } from "../../api/catalog-shelf.ts";
import { openView } from "../../api/catalog-view.ts";
import { warmCatalogs } from "../../api/warm-catalogs.ts";
import { isAvailable } from "../../core/availability.ts";
import type { TitleRecord } from "../../core/records/title.ts";
import type { Library } from "../../stores/library/connect.ts";
import { openTestApi, publishedMovie } from "./api-for-test.ts";

const HOUR_MS = 3_600_000;

function titleOf(index: number, more: Partial<TitleRecord> = {}): TitleRecord {
  const at = new Date(1_000_000 * index);
  return {
    ...{ _id: `ti_${index}`, tenant: "alpha", state: "published", version: 1, type: "series" },
    ...{
      name: { en: `Title ${index}` },
      synopsis: {},
      genres: [],
      cast: [],
      releaseYear: null,
      maturity: null,
    },
    ...{ artwork: { posterUrl: null }, assetId: null, parentId: null, regions: null },
    ...{ availableFrom: null, availableUntil: null, createdAt: at, updatedAt: at, publishedAt: at },
    ...more,
  } as TitleRecord;
}

const entry = (index: number, more: Partial<TitleRecord> = {}): CatalogEntry =>
  entryOf(titleOf(index, more), null)!;
const idsOf = (entries: readonly CatalogEntry[]): string[] => entries.map(({ title }) => title._id);
const nothing = () => new Map<CatalogEntry, number>();

/** The library, with one answer about titles kept back once it was read. */
function heldTitles(library: Library) {
  const read = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let isHolding = false;
  const readings = { now: 0, most: 0 };
  const find = (filter: Filter<TitleRecord>, options: FindOptions) => ({
    async toArray() {
      readings.now += 1;
      readings.most = Math.max(readings.most, readings.now);
      const found = await library.titles.find(filter, options).toArray();
      if (isHolding) {
        isHolding = false;
        read.resolve();
        await gate.promise;
      }
      readings.now -= 1;
      return found;
    },
  });
  const titles = new Proxy(library.titles, {
    get: (target, name) => (name === "find" ? find : Reflect.get(target, name)),
  });
  const hold = (): void => {
    isHolding = true;
  };
  return {
    library: { ...library, titles },
    readings,
    hold,
    hasRead: read.promise,
    release: () => gate.resolve(),
  };
}

describe("the catalog of a tenant", () => {
  test("T35: what it shows is what may be watched, whatever the state and the window", async () => {
    const { library } = (await openTestApi("windows")).deps;
    const now = library.serverNow().getTime();
    const moments = [null, new Date(now - 3_600_000), new Date(now + 3_600_000)];
    const titles = (["draft", "scheduled", "published", "unpublished"] as const).flatMap((state) =>
      moments.flatMap((availableFrom) =>
        moments.map((availableUntil) => ({ state, availableFrom, availableUntil })),
      ),
    );
    const records = titles.map((one, index) => titleOf(index, one));
    await library.titles.insertMany(records);
    const found = idsOf((await openCatalog(library).view("alpha", null)).entries);
    const wanted = records.filter((one) => isAvailable(one, new Date(now), null)).map(({ _id }) => _id);
    assert.ok(wanted.length > 0);
    assert.deepEqual(found.sort(), wanted.sort());
  });

  test("has no end: the oldest of thousands is listed and found", async () => {
    const api = await openTestApi("thousands");
    const count = 6_000;
    await api.deps.library.titles.insertMany(Array.from({ length: count }, (_, index) => titleOf(index)));
    const viewer = api.as("alpha", "viewer");
    const view = await api.deps.catalog.view("alpha", null);
    assert.deepEqual([view.entries.length, view.entries.at(-1)?.title._id], [count, "ti_0"]);
    const { body } = await viewer("GET", "/v1/catalog/search?q=title%200");
    assert.equal(body.data[0].id, "ti_0");
    const tens = await viewer("GET", "/v1/catalog/search?q=title%201");
    const first = await viewer("GET", "/v1/catalog/search?q=title%201&limit=7");
    const { nextCursor } = first.body;
    const second = await viewer("GET", `/v1/catalog/search?q=title%201&limit=13&cursor=${nextCursor}`);
    assert.deepEqual([...first.body.data, ...second.body.data], tens.body.data, "page by page");
    const { status } = await viewer("GET", `/v1/catalog/search?q=other&cursor=${nextCursor}`);
    assert.equal(status, 400, "a cursor of another search");
    assert.equal(
      (await viewer("GET", "/v1/catalog/titles?limit=1&q=title%200&type=series")).body.data.length,
      1,
    );
  });

  test("shows what another process changed: titles that come, change, end and go, and what becomes of their assets", async () => {
    const api = await openTestApi("two-apis");
    const editor = api.as("alpha");
    const other = openCatalog(api.deps.library);
    const seen = async () => {
      other.forget("alpha");
      return other.view("alpha", null);
    };
    const films = [await publishedMovie(api, "alpha"), await publishedMovie(api, "alpha")];
    const [first, second] = films.map(({ titleId }) => titleId) as [string, string];
    assert.deepEqual(idsOf((await seen()).entries), [second, first]);
    const third = (await publishedMovie(api, "alpha", { name: { en: "Later" } })).titleId;
    assert.deepEqual(idsOf((await seen()).search(["later"])), [third]);
    await editor("PATCH", `/v1/titles/${third}`, { name: { en: "Sooner" } }, { "If-Match": "*" });
    const renamed = await seen();
    assert.deepEqual([renamed.search(["later"]), idsOf(renamed.search(["sooner"]))], [[], [third]]);
    await editor("POST", `/v1/titles/${third}/unpublish`);
    assert.equal((await seen()).get(third), null);
    await editor("POST", `/v1/titles/${third}/publish`, {});
    assert.notEqual((await seen()).get(third), null);
    assert.equal((await editor("DELETE", `/v1/titles/${third}`)).status, 204);
    assert.equal((await seen()).get(third), null);
    await editor("DELETE", `/v1/assets/${films[0]!.asset._id}`);
    assert.deepEqual(idsOf((await seen()).entries), [second]);
  });

  test("hears of a title that went between two looks at it", async () => {
    const api = await openTestApi("gone");
    const { library } = api.deps;
    const { titleId } = await publishedMovie(api, "alpha");
    const other = openCatalog(library);
    assert.notEqual((await other.view("alpha", null)).get(titleId), null);
    // By the time the other looks nothing says any more that it was taken down before.
    await api.as("alpha")("DELETE", `/v1/titles/${titleId}`);
    assert.equal(await library.titles.findOne({ _id: titleId }), null);
    other.forget("alpha");
    assert.equal((await other.view("alpha", null)).get(titleId), null);
  });

  test("who looks after a change sees it, though somebody else began to look before", async () => {
    const api = await openTestApi("in-between");
    const { catalog } = api.deps;
    const { titleId } = await publishedMovie(api, "alpha");
    for (let round = 0; round < 5; round++) {
      catalog.forget("alpha");
      const before = catalog.view("alpha", null);
      await api.as("alpha")("POST", `/v1/titles/${titleId}/${round % 2 === 0 ? "unpublish" : "publish"}`, {});
      const after = await catalog.view("alpha", null);
      assert.equal(after.get(titleId) !== null, round % 2 === 1, `round ${round}`);
      await before;
      assert.equal((await catalog.view("alpha", null)).get(titleId) !== null, round % 2 === 1);
    }
  });

  test("what did not change stays the same thing, so that what was made of it is good", async () => {
    const api = await openTestApi("unchanged");
    const { catalog } = api.deps;
    const { titleId } = await publishedMovie(api, "alpha");
    const before = await catalog.view("alpha", null);
    catalog.forget("alpha");
    assert.equal(await catalog.view("alpha", null), before, "nothing changed");
    await publishedMovie(api, "alpha");
    const after = await catalog.view("alpha", null);
    assert.notEqual(after, before);
    assert.equal(after.get(titleId), before.get(titleId));
  });

  test("nobody is given a reading that began before their change, nor is it overtaken by it", async () => {
    const { library } = (await openTestApi("held")).deps;
    await library.titles.insertMany([titleOf(1), titleOf(2)]);
    const held = heldTitles(library);
    const shelf = openShelf(held.library, "alpha");
    assert.equal((await shelf.present()).entries().length, 2);
    shelf.forget();
    held.hold();
    const before = shelf.present();
    await held.hasRead;
    const down = { state: "unpublished" as const, version: 2, updatedAt: library.serverNow() };
    await library.titles.updateOne({ _id: "ti_1" }, { $set: down });
    shelf.forget();
    const after = shelf.present();
    held.release();
    assert.equal(held.readings.most, 1);
    assert.deepEqual(idsOf((await after).entries()), ["ti_2"]);
    assert.deepEqual(idsOf((await before).entries()), ["ti_2"]);
  });

  test("is read before anybody looks, of all who show something", async () => {
    const { library, log } = (await openTestApi("warm")).deps;
    await library.titles.insertMany([
      titleOf(1),
      titleOf(2, { tenant: "beta", state: "scheduled" }),
      titleOf(3, { tenant: "gamma", state: "draft" }),
    ]);
    const read: string[] = [];
    const catalog: Catalog = {
      ...openCatalog(library),
      async view(tenant) {
        read.push(tenant);
        return openView([], nothing, { now: new Date(), country: null, before: null });
      },
    };
    await warmCatalogs({ library, catalog, log });
    assert.deepEqual(read.sort(), ["alpha", "beta"]);
    // One that is never done keeps nobody waiting for longer than it may, nor does a library that is away.
    const endless = { ...catalog, view: () => new Promise<never>(() => undefined) };
    await warmCatalogs({ library, catalog: endless, log }, 1);
    await library.close();
    await warmCatalogs({ library, catalog, log });
  });

  test("comes to show what nothing told of, for all of it is read again now and then", async () => {
    const { library } = (await openTestApi("by-hand")).deps;
    await library.titles.insertMany([titleOf(1), titleOf(2)]);
    const shelf = openShelf(library, "alpha", 0);
    const shown = async () => {
      shelf.forget();
      return (await shelf.present()).entries().map(({ title }) => `${title._id} ${title.name.en}`);
    };
    assert.deepEqual(await shown(), ["ti_2 Title 2", "ti_1 Title 1"]);
    await library.titles.deleteOne({ _id: "ti_2" });
    await library.titles.updateOne({ _id: "ti_1" }, { $set: { "name.en": "By hand", version: 7 } });
    let now = await shown();
    while (now.length > 1) now = await shown();
    assert.deepEqual(now, ["ti_1 By hand"]);
  });

  test("a reading of everything brings nothing back, and takes nothing away that came meanwhile", () => {
    const contents = openContents();
    const ids = () => idsOf(contents.entries());
    const [began, since] = [new Date(2 * HOUR_MS), new Date(HOUR_MS)];
    const apply = (...titles: TitleRecord[]) => contents.apply({ titles, removedTitleIds: [], assets: [] });
    apply(titleOf(1), titleOf(2), titleOf(3));
    // Read, and on its way, while one is renamed and one is new.
    const all = [titleOf(1), titleOf(2)];
    apply(titleOf(1, { version: 2, name: { en: "Newer" } }), titleOf(4, { updatedAt: began }));
    contents.replace({ titles: all, assets: [] }, since);
    assert.deepEqual(ids(), ["ti_4", "ti_2", "ti_1"], "the third has been gone for long");
    assert.equal(contents.entries().at(-1)?.title.name.en, "Newer");
    contents.apply({ titles: [], removedTitleIds: ["ti_4"], assets: [] });
    assert.deepEqual(ids(), ["ti_2", "ti_1"]);
  });
});

describe("what viewers of one country are shown", () => {
  const now = new Date(10 * HOUR_MS);
  const later = new Date(11 * HOUR_MS);

  test("is good until a title comes or goes", () => {
    const all = [
      entry(1),
      entry(2, { availableFrom: later, state: "scheduled" }),
      entry(3, { availableUntil: later }),
    ];
    const at = (moment: Date) => openView(all, nothing, { now: moment, country: null, before: null });
    assert.deepEqual(idsOf(at(now).entries), ["ti_1", "ti_3"]);
    assert.deepEqual(at(now).until, later);
    assert.deepEqual([idsOf(at(later).entries), at(later).until], [["ti_1", "ti_2"], null]);
  });

  test("a series has the face of its first episode that they may see", () => {
    const assetOf = (id: string) =>
      ({
        _id: id,
        tenant: "alpha",
        version: 1,
        state: "ready",
        published: {},
        renditions: [],
        posterAtSeconds: null,
      }) as never;
    const episode = (index: number, more: Partial<TitleRecord>) =>
      entryOf(titleOf(index, { type: "episode", assetId: `as_${index}`, ...more }), assetOf(`as_${index}`))!;
    const all = [
      episode(5, { parentId: "ti_2" }),
      episode(4, { parentId: "ti_2" }),
      episode(3, { parentId: "ti_2", regions: ["DE"] }),
      entry(2, { type: "season", parentId: "ti_1" }),
      entry(1),
    ];
    const faceIn = (country: string) => {
      const view = openView(all, nothing, { now, country, before: null });
      return [view.faceOf(view.get("ti_1")!)?._id, view.faceOf(view.get("ti_2")!)?._id];
    };
    assert.deepEqual(
      [faceIn("DE"), faceIn("FR")],
      [
        ["as_3", "as_3"],
        ["as_4", "as_4"],
      ],
    );
  });

  test("an order that goes on from the one before is the order made anew", () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 30 });
    const entries = Array.from({ length: 61 }, (_, index) =>
      entry(index, { publishedAt: new Date(index % 7) }),
    );
    fc.assert(
      fc.property(numbers, numbers, (before, after) => {
        const compare = NEWEST_FIRST.comparer();
        const sorted = before.map((index) => entries[index]!).sort(compare);
        const wanted = after.map((index) => entries[index]!);
        assert.deepEqual(idsOf(inOrderAgain(sorted, wanted, compare)), idsOf([...wanted].sort(compare)));
      }),
    );
  });
});
