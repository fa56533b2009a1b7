import assert from "node:assert/strict";
import { test } from "node:test";
import { soundAtStart, textAtStart, withChoice } from "../../player-demo/track-choice.ts";

test("a choice goes before what was wanted until then, each language once", () => {
  const wanted = { audio: ["en", "fr"], subtitles: ["de"], forcedOnly: true };
  for (const [choice, after] of [
    [{ sound: "fr" }, { audio: ["fr", "en"], subtitles: ["de"], forcedOnly: true }],
    [{ sound: "EN" }, { audio: ["EN", "fr"], subtitles: ["de"], forcedOnly: true }],
    [{ text: "en" }, { audio: ["en", "fr"], subtitles: ["en", "de"] }],
    [
      { sound: "de", text: "de" },
      { audio: ["de", "en", "fr"], subtitles: ["de"] },
    ],
    [{ text: null }, wanted],
    [{}, wanted],
  ] as const) {
    assert.deepEqual(withChoice(wanted, choice), after, JSON.stringify(choice));
  }
  const nothing = { audio: [], subtitles: [] };
  assert.deepEqual(withChoice(nothing, { text: null }), { ...nothing, forcedOnly: true });
  const many = Array.from({ length: 20 }, (_, index) => `en-X${index}a`);
  const { audio } = withChoice({ ...nothing, audio: many }, { sound: "de" });
  assert.deepEqual([audio.length, audio[0]], [20, "de"], "as many as the API takes");
});

const TRACKS = [
  { id: "a-en", language: "en" },
  { id: "a-de", language: "de" },
  { id: "t-en", language: "en", role: "captions" },
  { id: "t-forced", language: "de", role: "forced" },
];
const GERMAN = { lang: "de", characteristics: "public.easy-to-read" };
const NOBODY = [null, { audio: [], subtitles: [] }];

test("where the account says nothing, what was chosen here is what a film begins with", () => {
  const film = { tracks: TRACKS, selected: { audioId: "a-en", subtitleId: "t-forced" } };
  for (const preferences of NOBODY) {
    for (const remembered of [null, GERMAN]) {
      assert.deepEqual(soundAtStart(film, preferences, remembered), remembered);
      assert.deepEqual(textAtStart(film, preferences, remembered), remembered);
    }
  }
});

test("what the account says goes before it, and of the account's language the kind that was chosen here", () => {
  const film = { tracks: TRACKS, selected: { audioId: "a-de", subtitleId: "t-en" } };
  const preferences = { audio: ["de"], subtitles: ["en"] };
  assert.deepEqual(soundAtStart(film, preferences, GERMAN), GERMAN);
  assert.equal(soundAtStart(film, preferences, { lang: "en" }), null, "the film's default is the account's");
  assert.deepEqual(textAtStart(film, preferences, GERMAN), { lang: "en" });
  const spoken = { lang: "en", characteristics: "public.accessibility.transcribes-spoken-dialog" };
  assert.deepEqual(textAtStart(film, preferences, spoken), spoken);
});

test("forced lines are what there is where the account wants no others, or there are none of its languages", () => {
  for (const subtitleId of [null, "t-forced"]) {
    const film = { tracks: TRACKS, selected: { audioId: null, subtitleId } };
    for (const wanted of [
      { audio: [], subtitles: ["fr"] },
      { audio: [], subtitles: [], forcedOnly: true },
    ])
      assert.equal(textAtStart(film, wanted, { lang: "en" }), null);
  }
});
