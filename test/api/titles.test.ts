import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { acceptedLanguages, inLanguage } from "../../api/title-view.ts";
import { titleStateAt } from "../../core/availability.ts";
import { madeAsset, openTestApi, publishedMovie } from "./api-for-test.ts";

const api = await openTestApi("titles");
const editor = api.as("alpha");
const viewer = api.as("alpha", "viewer");
const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();

async function draft(body: object = {}) {
  const asset = await madeAsset(api, "alpha", "ready");
  const made = await editor("POST", "/v1/titles", {
    name: { en: "Night Train", de: "Nachtzug" },
    assetId: asset._id,
    ...body,
  });
  assert.equal(made.status, 201);
  return made.body as { id: string; version: number; assetId: string };
}

const publish = (id: string, body: object = {}) => editor("POST", `/v1/titles/${id}/publish`, body);

describe("a title", () => {
  test("is a draft with everything that was said of it, and known by its ETag", async () => {
    const made = await editor("POST", "/v1/titles", { name: "Plain", genres: ["Drama"], releaseYear: 1999 });
    assert.equal(made.body.state, "draft");
    assert.deepEqual(made.body.name, { en: "Plain" });
    const read = await editor("GET", `/v1/titles/${made.body.id}`);
    assert.equal(read.headers.get("etag"), `"1"`);
    assert.deepEqual(read.body, made.body);
  });

  test("takes no text under what is no language, whatever it is called", async () => {
    // As text: in a literal of the language the last one would be another thing.
    const named = ['{"en!":"A"}', '{"en":"A","__proto__":"B"}', '{"__proto__":"B"}'];
    for (const texts of named) {
      for (const body of [`{"name":${texts}}`, `{"name":"A","synopsis":${texts}}`]) {
        const { status, body: problem } = await editor("POST", "/v1/titles", body);
        assert.deepEqual([status, problem.code], [400, "invalid_request"], body);
        assert.match(problem.errors[0].path, /^(name|synopsis)/, body);
      }
    }
  });

  test("changes only for who saw its present version", async () => {
    const { id } = await draft();
    const patch = (headers: Record<string, string>) =>
      editor("PATCH", `/v1/titles/${id}`, { maturity: "12" }, headers);
    assert.deepEqual([(await patch({})).status, (await patch({})).body.code], [428, "precondition_required"]);
    assert.deepEqual(
      [(await patch({ "If-Match": '"7"' })).status, (await patch({ "If-Match": '"7"' })).body.code],
      [412, "version_conflict"],
    );
    const writers = await Promise.all(Array.from({ length: 10 }, () => patch({ "If-Match": '"1"' })));
    assert.equal(writers.filter(({ status }) => status === 200).length, 1);
    assert.equal(writers.filter(({ status }) => status === 412).length, 9);
    const read = await editor("GET", `/v1/titles/${id}`);
    assert.deepEqual([read.body.maturity, read.body.version, read.headers.get("etag")], ["12", 2, '"2"']);
  });

  test("links only to an asset and a parent of its own tenant", async () => {
    const foreign = await madeAsset(api, "beta", "ready");
    const { id } = await draft();
    for (const body of [
      { assetId: foreign._id },
      { assetId: "as_none" },
      { parentId: id },
      { parentId: "ti_none" },
    ]) {
      const answer = await editor("POST", "/v1/titles", { name: "N", ...body });
      assert.deepEqual([answer.status, answer.body.errors[0].path], [400, Object.keys(body)[0]]);
    }
  });

  test("is a part of what can hold it, and never of itself", async () => {
    const made = async (type: string, parentId?: string) => {
      const { status, body } = await editor("POST", "/v1/titles", { type, name: "N", parentId });
      return status === 201 ? body.id : `${body.errors[0].path} ${body.errors[0].message}`;
    };
    const series = await made("series");
    const season = await made("season", series);
    for (const parent of [series, season]) assert.match(await made("episode", parent), /^ti_/);
    assert.equal(await made("movie", series), "parentId a movie is a part of nothing");
    assert.equal(await made("series", series), "parentId a series is a part of nothing");
    assert.equal(await made("season", season), "parentId is not a series");
    assert.equal(await made("episode", await made("movie")), "parentId is not a series or season");
    for (const id of [series, season]) {
      const headers = { "If-Match": "*" };
      const answer = await editor("PATCH", `/v1/titles/${id}`, { parentId: season }, headers);
      assert.deepEqual([answer.status, answer.body.errors?.[0].path], [400, "parentId"], id);
    }
  });

  test("walks draft → published → unpublished → scheduled → published", async () => {
    const { id } = await draft();
    const seen = async () => (await viewer("GET", `/v1/catalog/titles/${id}`)).status;
    const play = async () => (await viewer("POST", "/v1/playback", { titleId: id })).status;
    assert.equal((await editor("POST", `/v1/titles/${id}/unpublish`)).body.code, "title_not_published");
    assert.deepEqual([await seen(), await play()], [404, 404]);
    assert.equal((await publish(id)).body.state, "published");
    assert.deepEqual([await seen(), await play()], [200, 201]);
    assert.equal((await editor("POST", `/v1/titles/${id}/unpublish`)).body.state, "unpublished");
    assert.deepEqual([await seen(), await play()], [404, 404]);
    assert.equal((await publish(id, { availableFrom: inAnHour })).body.state, "scheduled");
    assert.deepEqual([await seen(), await play()], [404, 404]);
    // The hour passes.
    await api.deps.library.titles.updateOne({ _id: id }, { $set: { availableFrom: new Date(anHourAgo) } });
    assert.equal((await editor("GET", `/v1/titles/${id}`)).body.state, "published");
    assert.deepEqual([await seen(), await play()], [200, 201]);
    await api.deps.library.titles.updateOne({ _id: id }, { $set: { availableUntil: new Date(anHourAgo) } });
    assert.equal((await editor("GET", `/v1/titles/${id}`)).body.state, "unpublished");
    assert.deepEqual([await seen(), await play()], [404, 404]);
  });

  test("taken down once more is as it was, and what an editor read of it is still good", async () => {
    const { id } = await draft();
    const down = () => editor("POST", `/v1/titles/${id}/unpublish`);
    await publish(id);
    const first = await down();
    const again = await down();
    assert.deepEqual([again.status, again.body], [200, first.body]);
    assert.equal(again.headers.get("etag"), first.headers.get("etag"));
    await publish(id, { availableFrom: anHourAgo });
    await api.deps.library.titles.updateOne({ _id: id }, { $set: { availableUntil: new Date(anHourAgo) } });
    const over = await editor("GET", `/v1/titles/${id}`);
    assert.deepEqual([over.body.state, (await down()).body], ["unpublished", over.body], "its time is over");
  });

  test("cannot be published over nothing, nor for a time that is over", async () => {
    const empty = await editor("POST", "/v1/titles", { name: "Empty" });
    assert.equal((await publish(empty.body.id)).body.code, "title_incomplete");
    const { id } = await draft();
    assert.equal((await publish(id, { availableUntil: anHourAgo })).status, 400);
    assert.equal((await publish(id, { availableFrom: inAnHour, availableUntil: inAnHour })).status, 400);
  });

  test("published over an asset in the making shows when that is ready", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    const { body } = await editor("POST", "/v1/titles", { name: "Soon", assetId: asset._id });
    await publish(body.id);
    assert.equal((await viewer("GET", `/v1/catalog/titles/${body.id}`)).status, 404);
    assert.equal((await viewer("POST", "/v1/playback", { titleId: body.id })).status, 404);
  });

  test("a series that is shown has nothing of its own to play", async () => {
    const { body } = await editor("POST", "/v1/titles", { name: "Many", type: "series" });
    await publish(body.id);
    assert.equal((await viewer("GET", `/v1/catalog/titles/${body.id}`)).status, 200);
    const { status, body: problem } = await viewer("POST", "/v1/playback", { titleId: body.id });
    assert.deepEqual([status, problem.code], [409, "not_playable"]);
  });

  test("deleted is gone for everybody; its asset stays", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const named = async () => (await editor("GET", `/v1/assets/${asset._id}`)).body.titleId;
    const cut = await editor("POST", "/v1/titles", { name: "Its cut", assetId: asset._id });
    assert.equal(await named(), cut.body.id);
    assert.equal((await editor("DELETE", `/v1/titles/${cut.body.id}`)).status, 204);
    assert.equal(await named(), titleId, "the one that shows it still");
    assert.equal((await editor("DELETE", `/v1/titles/${titleId}`)).status, 204);
    assert.equal(await named(), undefined);
    assert.equal((await editor("DELETE", `/v1/titles/${titleId}`)).status, 404);
    assert.equal((await viewer("GET", `/v1/catalog/titles/${titleId}`)).status, 404);
    assert.equal((await editor("GET", `/v1/assets/${asset._id}`)).body.state, "ready");
  });

  test("is listed page by page, each once", async () => {
    const beta = api.as("beta");
    for (let n = 0; n < 5; n++) await beta("POST", "/v1/titles", { name: `T${n}` });
    const names: string[] = [];
    let cursor = "";
    for (;;) {
      const { body } = await beta("GET", `/v1/titles?limit=2${cursor}`);
      names.push(...body.data.map(({ name }: { name: { en: string } }) => name.en));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    assert.deepEqual(names.sort(), ["T0", "T1", "T2", "T3", "T4"]);
  });

  test("is listed with all that show its asset, each once, and no others", async () => {
    const first = await draft();
    const more: string[] = [];
    for (const type of ["episode", "movie"])
      more.push((await editor("POST", "/v1/titles", { name: "N", type, assetId: first.assetId })).body.id);
    await draft();
    const listed = async (query: string): Promise<string[]> => {
      const { body } = await editor("GET", `/v1/titles?assetId=${first.assetId}${query}`);
      const ids = body.data.map(({ id }: { id: string }) => id);
      return body.nextCursor === null
        ? ids
        : [...ids, ...(await listed(`&limit=1&cursor=${body.nextCursor}`))];
    };
    const ids = [first.id, ...more];
    assert.deepEqual((await listed("&limit=1")).sort(), ids.toSorted());
    assert.deepEqual(await listed("&type=episode"), [more[0]]);
    const { body } = await api.as("beta")("GET", `/v1/titles?assetId=${first.assetId}`);
    assert.deepEqual(body.data, []);
  });

  test("is listed on from where its own list was left, and from no other's place", async () => {
    for (let n = 0; n < 2; n++) await draft();
    const { nextCursor } = (await editor("GET", "/v1/assets?limit=1")).body;
    assert.equal((await editor("GET", `/v1/assets?limit=2&cursor=${nextCursor}`)).status, 200);
    for (const other of ["assets?state=ready", "titles?", "links?", "webhooks?"]) {
      const asked = other === "webhooks?" ? api.as("alpha", "admin") : editor;
      const { status, body } = await asked("GET", `/v1/${other}&cursor=${nextCursor}`);
      assert.deepEqual([status, body.errors?.[0].path], [400, "cursor"], other);
    }
    const titles = (await editor("GET", "/v1/titles?limit=1")).body.nextCursor;
    assert.equal((await editor("GET", `/v1/titles?cursor=${titles}`)).status, 200);
    assert.equal((await editor("GET", `/v1/titles?type=movie&cursor=${titles}`)).status, 400);
    assert.equal((await api.as("beta")("GET", `/v1/titles?cursor=${titles}`)).status, 400);
  });
});

describe("the catalog", () => {
  test("shows what is published at once, in the viewer's language, filtered and in order", async () => {
    const own = await openTestApi("catalog");
    const names = [
      {
        name: { en: "Amélie", de: "Die fabelhafte Welt der Amelie" },
        genres: ["Comedy"],
        releaseYear: 2001,
        maturity: "12",
      },
      { name: "Big Buck Bunny", genres: ["Animation", "Comedy", "comedy"], releaseYear: 2008, maturity: "0" },
      { name: "Citizen", genres: ["Drama"], releaseYear: 1941, maturity: "6" },
    ];
    for (const more of names) await publishedMovie(own, "alpha", more);
    await own.as("alpha")("POST", "/v1/titles", { name: "Hidden draft" });
    const get = async (query: string, headers = {}) =>
      (await own.as("alpha", "viewer")("GET", `/v1/catalog/${query}`, undefined, headers)).body;
    const namesOf = (page: { data: { name: string }[] }) => page.data.map(({ name }) => name);
    assert.deepEqual(namesOf(await get("titles?sort=name")), ["Amélie", "Big Buck Bunny", "Citizen"]);
    assert.deepEqual(namesOf(await get("titles?sort=year")), ["Big Buck Bunny", "Amélie", "Citizen"]);
    assert.deepEqual(namesOf(await get("titles?genre=Comedy&year=2001")), ["Amélie"]);
    assert.deepEqual(namesOf(await get("titles?type=series")), []);
    assert.deepEqual(namesOf(await get("titles?genre=dRAMA")), ["Citizen"]);
    for (const year of ["-5", "", "0", "abc", "1941.5"])
      assert.equal((await get(`titles?year=${year}`)).errors?.[0].path, "year", year);
    assert.deepEqual(
      namesOf(await get("titles?genre=Comedy&sort=name", { "Accept-Language": "fr;q=0.5, de-AT" })),
      ["Big Buck Bunny", "Die fabelhafte Welt der Amelie"],
    );
    const first = await get("titles?sort=name&limit=2");
    assert.deepEqual(namesOf(await get(`titles?sort=name&limit=2&cursor=${first.nextCursor}`)), ["Citizen"]);
    const { nextCursor } = first;
    assert.deepEqual(namesOf(await get(`titles?limit=3&sort=name&cursor=${nextCursor}`)), ["Citizen"]);
    for (const other of ["sort=year", "sort=name&genre=Comedy", "sort=name&language=de"]) {
      const problem = await get(`titles?${other}&limit=2&cursor=${nextCursor}`);
      assert.deepEqual([problem.code, problem.errors?.[0].path], ["invalid_request", "cursor"], other);
    }
    const inGerman = await get(`titles?sort=name&cursor=${nextCursor}`, { "Accept-Language": "de" });
    assert.equal(inGerman.status, 400, "by other names");
    for (const [q, found] of [
      ["amel", "Amélie"],
      ["BUNNY", "Big Buck Bunny"],
      ["bunyn", "Big Buck Bunny"],
      ["citizn", "Citizen"],
    ]) {
      assert.deepEqual(namesOf(await get(`search?q=${q}`)), [found], q);
    }
    assert.deepEqual(namesOf(await get("search?q=hidden")), []);
    const { rows } = await get("home");
    assert.deepEqual(
      rows.map(({ id }: { id: string }) => id),
      ["new", "genre-comedy", "genre-animation", "genre-drama"],
    );
    const rowNames = async (language: string): Promise<string[]> =>
      (await get("home", { "Accept-Language": language })).rows.map(({ name }: { name: string }) => name);
    assert.deepEqual(await rowNames("de-AT"), ["Neu", "Comedy", "Animation", "Drama"]);
    assert.deepEqual(await rowNames("fr"), ["New", "Comedy", "Animation", "Drama"]);
    const [card] = rows[0].titles;
    assert.equal(card.durationSeconds, 30);
    assert.match(
      card.posterUrl,
      /^http:\/\/delivery\.test\/v\/[^/]+\/as_\w+\/[0-9a-f]+\/images\/poster-0\.jpg$/,
    );
  });

  test("shows a series with its seasons and episodes", async () => {
    const series = await editor("POST", "/v1/titles", { type: "series", name: "Series" });
    await publish(series.body.id);
    const season = await editor("POST", "/v1/titles", {
      type: "season",
      name: "Season 1",
      parentId: series.body.id,
    });
    await publish(season.body.id);
    for (const name of ["One", "Two"])
      await publishedMovie(api, "alpha", { type: "episode", name, parentId: season.body.id });
    const { body } = await viewer("GET", `/v1/catalog/titles/${series.body.id}`);
    assert.deepEqual(
      body.seasons.map(({ name }: { name: string }) => name),
      ["Season 1"],
    );
    assert.deepEqual(
      body.seasons[0].episodes.map(({ name }: { name: string }) => name),
      ["One", "Two"],
    );
  });

  test("leads from an episode to the next, over the end of a season, and says how far one came", async () => {
    const own = await openTestApi("episodes");
    const [desk, seat] = [own.as("alpha"), own.as("alpha", "viewer")];
    const shelf = async (body: object): Promise<string> => {
      const made = await desk("POST", "/v1/titles", body);
      await desk("POST", `/v1/titles/${made.body.id}/publish`, {});
      return made.body.id;
    };
    const series = await shelf({ type: "series", name: { en: "Series", de: "Serie" } });
    const ids: string[] = [];
    for (const [season, names] of [
      ["S1", ["One", "Two"]],
      ["Empty", []],
      ["S2", ["Three"]],
    ] as const) {
      const parentId = await shelf({ type: "season", name: season, parentId: series });
      for (const name of names)
        ids.push((await publishedMovie(own, "alpha", { type: "episode", name, parentId })).titleId);
    }
    const page = async (id: string) =>
      (await seat("GET", `/v1/catalog/titles/${id}`, undefined, { "Accept-Language": "de" })).body;
    const pages = await Promise.all(ids.map(page));
    assert.deepEqual(
      pages.map(({ next }) => next?.name ?? null),
      ["Two", "Three", null],
    );
    assert.deepEqual(
      pages[2].parents.map(({ type, name }: { type: string; name: string }) => [type, name]),
      [
        ["series", "Serie"],
        ["season", "S2"],
      ],
    );
    const { body: session } = await seat("POST", "/v1/playback", { titleId: ids[1] });
    const event = { type: "progress", at: new Date().toISOString(), positionSeconds: 15 };
    await seat("POST", `/v1/playback/${session.sessionId}/beacons`, { events: [event] });
    const ratios = (await page(series)).seasons.map(({ episodes }: { episodes: object[] }) =>
      episodes.map((episode) => (episode as { progressRatio?: number }).progressRatio ?? null),
    );
    assert.deepEqual(ratios, [[null, 0.5], [], [null]]);
    assert.equal((await page(ids[0]!)).next.progressRatio, 0.5);
    const later = new Date(Date.now() + 1_000).toISOString();
    const end = { type: "progress", at: later, positionSeconds: 29 };
    await seat("POST", `/v1/playback/${session.sessionId}/beacons`, { events: [end] });
    assert.equal((await page(ids[0]!)).next.progressRatio, 1, "as good as seen");
    const { posterUrl } = await page(series);
    const pictureOf = (url: string) => url.replace(/\/v\/[^/]+/, "");
    assert.equal(pictureOf(posterUrl), pictureOf(pages[0].posterUrl), "that of its first episode");
    assert.equal((await page((await publishedMovie(own, "alpha")).titleId)).next, null);
  });

  test("has seasons and episodes by their numbers, however late they were made, and leads on by them", async () => {
    const own = await openTestApi("numbers");
    const [desk, seat] = [own.as("alpha"), own.as("alpha", "viewer")];
    const shelf = async (name: string, type: string, more: object = {}): Promise<string> => {
      const made = await desk("POST", "/v1/titles", { name, type, ...more });
      await desk("POST", `/v1/titles/${made.body.id}/publish`, {});
      return made.body.id;
    };
    const parentId = await shelf("Series", "series");
    const extras = await shelf("Extras", "season", { parentId });
    const second = await shelf("S2", "season", { parentId, number: 2 });
    const first = await shelf("S1", "season", { parentId, number: 1 });
    const episode = async (name: string, season: string, number?: number) =>
      (await publishedMovie(own, "alpha", { type: "episode", name, parentId: season, number })).titleId;
    await episode("Three", second, 1);
    const loose = await episode("Loose", first);
    await episode("Two", first, 10);
    const one = await episode("One", first, 9);
    const page = async (id: string) => (await seat("GET", `/v1/catalog/titles/${id}`)).body;
    const told = (cards: { name: string; number?: number }[]) =>
      cards.map(({ name, number }) => [name, number ?? null].join(" "));
    const { seasons } = await page(parentId);
    assert.deepEqual(told(seasons), ["S1 1", "S2 2", "Extras "]);
    assert.deepEqual(told(seasons[0].episodes), ["One 9", "Two 10", "Loose "]);
    const [afterOne, afterLoose] = [(await page(one)).next, (await page(loose)).next];
    assert.deepEqual(told([afterOne, afterLoose]), ["Two 10", "Three 1"]);
    const patch = (id: string, number: unknown) =>
      desk("PATCH", `/v1/titles/${id}`, { number }, { "If-Match": "*" });
    assert.deepEqual(
      [(await patch(first, null)).body.number, (await patch(extras, 3)).body.number],
      [null, 3],
    );
    assert.deepEqual(told((await page(parentId)).seasons), ["S2 2", "Extras 3", "S1 "]);
    for (const number of [0, 10_001, 1.5, "1"]) assert.equal((await patch(first, number)).status, 400);
    const ofSeries = await patch(parentId, 1);
    assert.deepEqual([ofSeries.status, ofSeries.body.errors[0].path], [400, "number"]);
    assert.equal((await desk("POST", "/v1/titles", { name: "M", number: 1 })).status, 400);
    assert.equal((await desk("GET", `/v1/titles/${parentId}`)).body.number, null);
  });

  test("tells the chapters of a film, in the viewer's language, as far as the film goes", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const chapters = [
      { startSeconds: 0, name: "Opening", kind: "intro" },
      { startSeconds: 12.5, name: { en: "The chase", de: "Die Jagd" } },
      { startSeconds: 31, name: "Behind the end" },
    ];
    const patch = (body: object) => editor("PATCH", `/v1/titles/${titleId}`, body, { "If-Match": "*" });
    assert.deepEqual((await editor("GET", `/v1/titles/${titleId}`)).body.chapters, []);
    await api.deps.library.assets.updateOne(
      { _id: asset._id },
      { $set: { "source.facts.chapters": [{ startSeconds: 2, name: "Of the master" }] } },
    );
    assert.deepEqual((await viewer("GET", `/v1/catalog/titles/${titleId}`)).body.chapters, [
      { startSeconds: 2, name: "Of the master", kind: null },
    ]);
    assert.equal((await patch({ chapters: [chapters[1], chapters[0]] })).status, 400);
    assert.equal((await patch({ chapters: [{ startSeconds: 0, name: "A", kind: "advert" }] })).status, 400);
    const changed = await patch({ chapters });
    assert.deepEqual(changed.body.chapters[1], { ...chapters[1], kind: null });
    const { body } = await viewer("GET", `/v1/catalog/titles/${titleId}`, undefined, {
      "Accept-Language": "de-CH",
    });
    assert.deepEqual(body.chapters, [
      { startSeconds: 0, name: "Opening", kind: "intro" },
      { startSeconds: 12.5, name: "Die Jagd", kind: null },
    ]);
  });

  test("goes on from what it has read while the library is away (F20)", async () => {
    const away = await openTestApi("away");
    await publishedMovie(away, "alpha");
    const browse = () => away.as("alpha", "viewer")("GET", "/v1/catalog/titles");
    assert.equal((await browse()).body.data.length, 1);
    away.deps.catalog.forget("alpha");
    await browse();
    await away.deps.library.close();
    away.deps.catalog.forget("alpha");
    const stale = await browse();
    assert.deepEqual([stale.status, stale.body.data.length], [200, 1]);
  });
});

describe("deciding", () => {
  test("the state of a title at a moment", () => {
    const now = new Date(1_000);
    const [before, after] = [new Date(999), new Date(1_001)];
    const rows = [
      ["draft", null, null, "draft"],
      ["published", null, null, "published"],
      ["scheduled", after, null, "scheduled"],
      ["scheduled", before, null, "published"],
      ["published", null, now, "unpublished"],
      ["scheduled", before, after, "published"],
      ["unpublished", before, after, "unpublished"],
    ] as const;
    for (const [state, availableFrom, availableUntil, shown] of rows) {
      assert.equal(titleStateAt({ state, availableFrom, availableUntil }, now), shown);
    }
  });

  test("the language of a text", () => {
    assert.deepEqual(acceptedLanguages("da, en-gb;q=0.8, en;q=0.7, *;q=0.1, xx;q=0"), ["da", "en-gb", "en"]);
    const texts = { "pt-BR": "p", en: "e", de: "d" };
    assert.equal(inLanguage(texts, ["pt"]), "p");
    assert.equal(inLanguage(texts, ["de-AT"]), "d");
    assert.equal(inLanguage(texts, ["fr"]), "e");
    assert.equal(inLanguage({ fr: "f" }, []), "f");
    assert.equal(inLanguage({}, ["en"]), "");
  });
});
