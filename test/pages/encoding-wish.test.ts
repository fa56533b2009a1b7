import assert from "node:assert/strict";
import { test } from "node:test";
import { encodingChoice } from "../../api/encoding-choice.ts";
import { PROTECTABLE } from "../../core/encoding.ts";
import {
  ENCODING_WORDS,
  type EncodingSettings,
  goesOnWith,
  USUAL_ENCODING,
  unprotectable,
  usualWhenAgain,
  wishFor,
} from "../../studio/encoding-wish.ts";

/** The pages and the command line know by HTTP alone what can be asked for: here their words meet the API's. */

test("the words are the API's, all of them", () => {
  const { shape } = encodingChoice;
  assert.deepEqual(Object.keys(ENCODING_WORDS).sort(), Object.keys(shape).sort());
  const { codecs, ...others } = ENCODING_WORDS;
  assert.deepEqual([...shape.codecs.unwrap().element.options], [...codecs]);
  for (const [name, words] of Object.entries(others))
    assert.deepEqual([...shape[name as keyof typeof others].unwrap().options].sort(), words.toSorted(), name);
  assert.deepEqual(
    unprotectable(codecs),
    codecs.filter((codec) => !PROTECTABLE.has(codec)),
  );
});

test("of all that is chosen only what would not come of itself is said", () => {
  const own: EncodingSettings = {
    ...USUAL_ENCODING,
    codecs: ["h264", "av1"],
    speed: "small",
    lane: "backfill",
  };
  for (const [settings, usual, wish] of [
    [USUAL_ENCODING, USUAL_ENCODING, {}],
    [own, USUAL_ENCODING, { codecs: ["h264", "av1"], speed: "small", lane: "backfill" }],
    [own, usualWhenAgain({}, true), { codecs: ["h264", "av1"], speed: "small" }],
    [USUAL_ENCODING, usualWhenAgain({}, true), { lane: "normal" }],
    [USUAL_ENCODING, usualWhenAgain({ protection: "clearkey" }, false), { protection: "none" }],
    [usualWhenAgain({ protection: "clearkey" }, true), usualWhenAgain({ protection: "clearkey" }, true), {}],
  ] as const) {
    assert.deepEqual(wishFor(settings, usual), wish);
  }
});

test("a file that is dropped again goes on as it was begun, unless something else is asked for now", () => {
  for (const [begun, asked, goesOn] of [
    [{ speed: "small" }, {}, true],
    [{ speed: "small" }, { speed: "small" }, true],
    [{}, { speed: "small" }, false],
    [{ speed: "small" }, { speed: "small", ladder: "title" }, false],
  ] as const)
    assert.equal(goesOnWith(begun, asked), goesOn, JSON.stringify([begun, asked]));
});
