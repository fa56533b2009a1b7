import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rational } from "../../core/rational.ts";
import { checkSubtitleText, MOST_SUBTITLE_BYTES } from "../../core/subtitle-check.ts";
import {
  arrangeCues,
  type Cue,
  includeForced,
  segmentBordersMs,
  segmentsOf,
} from "../../core/subtitle-cues.ts";
import { safeMarkup } from "../../core/subtitle-markup.ts";
import { parseWebVtt } from "../../core/subtitle-parse.ts";
import { segmentTexts, wholeText } from "../../core/subtitle-write.ts";
import { buildTimeline } from "../../core/timeline.ts";
import { HOSTILE, harmIn } from "../rig/hostile-subtitles.ts";

const TIMES = { startMs: 0, endMs: 10_000, shiftMs: 0 };
const BORDERS = segmentBordersMs(buildTimeline(rational(24, 1), 24 * 13));

function cue(startMs: number, endMs: number, text = "x"): Cue {
  return { startMs, endMs, settings: "", text };
}

test("markup: what is known stays and is balanced, all else is text", () => {
  const table: [string, string][] = [
    ["plain", "plain"],
    ["<b>bold</b> <i>it</i> <u>un</u>", "<b>bold</b> <i>it</i> <u>un</u>"],
    ["<i>never closed", "<i>never closed</i>"],
    ["<b><i>crossed</b></i>", "<b><i>crossed</i></b>"],
    ["<c.yellow.evil>y</c> <c.evil>n</c>", "<c.yellow>y</c> n"],
    ["<v Roger Bingham>We are", "<v Roger Bingham>We are</v>"],
    ['<v Dwayne "The Rock" Johnson>"Go"', '<v Dwayne &quot;The Rock&quot; Johnson>"Go"</v>'],
    [`<v ${"n".repeat(99)} cut here>x`, `<v ${"n".repeat(99)}>x</v>`],
    ["<lang en-GB>colour</lang>", "<lang en-GB>colour</lang>"],
    ["<ruby>漢<rt>kan</rt></ruby><rt>x</rt>", "<ruby>漢<rt>kan</rt></ruby>x"],
    ["a<00:00:05.000>b<00:59:00.000>c", "a<00:00:05.000>bc"],
    ["Tom & Jerry < 3 > 2", "Tom &amp; Jerry &lt; 3 &gt; 2"],
    ["&amp;&lt;&gt;&quot;&#233;&nonsense;", '&amp;&lt;&gt;"é&amp;nonsense;'],
    ["a\n\n  b  \n\n", "a\nb"],
    ["عربي، &rlm;٣&lt;", "عربي، \u200f٣&lt;"],
  ];
  for (const [from, to] of table) assert.equal(safeMarkup(from, TIMES), to, from);
});

test("parsing: times, settings, identifiers and what is passed over", () => {
  const text = [
    "\ufeffWEBVTT - a title\r",
    "Kind: captions\r",
    "\r",
    "STYLE\r",
    "::cue { color: red }\r",
    "\r",
    "NOTE never shown\r",
    "\r",
    "intro\r",
    "00:01.500 --> 00:03.000 line:0,start position:10% align:start region:x size:101%\r",
    "- One\r",
    "- Two\r",
    "\r",
    "100:00:00.000 --> 100:00:01.000\r",
    "far\r",
    "\r",
    "00:09.000 --> 00:08.000\r",
    "backwards\r",
    "\r",
    "00:61.000 --> 00:62.000\r",
    "no time\r",
  ].join("\n");
  assert.deepEqual(parseWebVtt(text, -1_000), [
    { startMs: 500, endMs: 2_000, settings: "line:0,start position:10% align:start", text: "- One\n- Two" },
    { startMs: 359_999_000, endMs: 360_000_000, settings: "", text: "far" },
  ]);
});

test("arranging: sorted, clipped to the film, each once, none that is never seen", () => {
  const cues = [
    cue(12_000, 90_000, "end"),
    cue(5_000, 7_000),
    cue(-500, 500, "start"),
    cue(5_000, 7_000),
    cue(14_000, 15_000, "beyond"),
    cue(-900, -100, "before"),
  ];
  assert.deepEqual(arrangeCues(cues, BORDERS), [
    cue(0, 500, "start"),
    cue(5_000, 7_000),
    cue(12_000, 13_000, "end"),
  ]);
});

test("a forced line goes into the regular track once", () => {
  const regular = [cue(0, 1_000, "<i>EXIT</i>"), cue(2_000, 3_000, "talk")];
  const forced = [cue(500, 1_500, "EXIT"), cue(5_000, 6_000, "EXIT"), cue(7_000, 8_000, "MENU")];
  assert.deepEqual(includeForced(regular, forced).slice(2), [forced[1], forced[2]]);
});

test("segments: a cue stands in each that shows it, borders belong to the later one", () => {
  const cues = [cue(0, 6_000, "a"), cue(5_999, 6_001, "b"), cue(6_000, 13_000, "c")];
  const texts = segmentTexts(cues, BORDERS);
  const shown = texts.map((text) => [...text.matchAll(/^[a-z]$/gm)].map(([one]) => one).join(""));
  assert.deepEqual(shown, ["ab", "bc", "c"]);
  assert.ok(
    texts.every((text) => text.startsWith("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n")),
  );
});

const anyCue = fc
  .record({
    startMs: fc.integer({ min: -5_000, max: 3_000_000 }),
    lengthMs: fc.integer({ min: -100, max: 20_000 }),
    text: fc.string({ unit: "binary", maxLength: 40 }),
  })
  .map(({ startMs, lengthMs, text }) => ({
    startMs,
    endMs: startMs + lengthMs,
    settings: "",
    text: safeMarkup(text, TIMES),
  }));
const anyBorders = fc
  .tuple(
    fc.constantFrom(rational(24, 1), rational(30_000, 1001), rational(179, 6)),
    fc.integer({ min: 1, max: 40_000 }),
  )
  .map(([rate, frames]) => segmentBordersMs(buildTimeline(rate, frames)));

test("what is written reads back the same, and any instant shows the same in segments and whole", () => {
  fc.assert(
    fc.property(
      fc.array(anyCue, { maxLength: 30 }),
      anyBorders,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (cues, borders, at) => {
        const arranged = arrangeCues(cues, borders);
        assert.deepEqual(parseWebVtt(wholeText(arranged)), arranged);
        assert.deepEqual(arrangeCues(arranged, borders), arranged);
        const ms = Math.floor(at * borders.at(-1)!);
        const shownAt = (list: readonly Cue[]) =>
          list.filter(({ startMs, endMs }) => startMs <= ms && ms < endMs);
        const segment = borders.findIndex(
          (border, index) => border <= ms && ms < (borders[index + 1] ?? Infinity),
        );
        const text = segmentTexts(arranged, borders)[Math.min(segment, borders.length - 2)]!;
        assert.deepEqual(shownAt(parseWebVtt(text)), shownAt(arranged));
        for (const one of arranged) {
          const { first, last } = segmentsOf(one, borders);
          assert.ok(borders[first]! <= one.startMs && one.startMs < borders[first + 1]!);
          assert.ok(borders[last]! < one.endMs && one.endMs <= borders[last + 1]! + 1);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("any payload comes out harmless, and the same when it goes through again", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "<",
      ">",
      "&",
      "<b>",
      "</b>",
      "<i",
      "<script>",
      "</",
      "-->",
      "\n",
      "&#60;",
      "&lt;",
      "<v ",
      "<c.red>",
      "<00:00:01.000>",
      '"',
      // A name that is too long is cut, at a space as well.
      "a long name ".repeat(9),
    ),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }).map((parts) => parts.join("")),
      (payload) => {
        const safe = safeMarkup(payload, TIMES);
        assert.deepEqual(
          harmIn(`WEBVTT\n\n00:00:00.000 --> 00:00:10.000\n${safe}\n`),
          [],
          JSON.stringify(safe),
        );
        assert.equal(safeMarkup(safe, TIMES), safe);
      },
    ),
    { numRuns: 3_000 },
  );
});

test("T10: nothing of 34 hostile WebVTT files comes out as more than text", () => {
  const texts = HOSTILE.filter(({ format }) => format === "vtt");
  assert.equal(texts.length, 34);
  for (const { name, text } of texts) {
    const cues = arrangeCues(parseWebVtt(text), BORDERS);
    for (const out of [wholeText(cues), ...segmentTexts(cues, BORDERS)]) {
      assert.deepEqual(harmIn(out), [], name);
      assert.ok(out.length < 8 * 2 ** 20, `${name}: ${out.length}`);
    }
  }
});

test("a text that no track can be made of is refused", () => {
  const one = { vtt: "WEBVTT\n\n00:01.000 --> 00:02.000\nx", srt: "1\n00:00:01,000 --> 00:00:02,000\nx" };
  checkSubtitleText(one.vtt, "vtt");
  checkSubtitleText(`\ufeff${one.srt}`, "srt");
  checkSubtitleText("[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,,,,,x", "ass");
  const codeOf = (text: string, format: "vtt" | "srt" | "ass"): unknown => {
    try {
      checkSubtitleText(text, format);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return "taken";
  };
  for (const [text, format] of [
    [one.srt, "vtt"],
    [one.vtt, "ass"],
    ["", "srt"],
    ["WEBVTT\n\n", "vtt"],
    ["<tt xmlns='http://www.w3.org/ns/ttml'/>", "srt"],
  ] as const)
    assert.equal(codeOf(text, format), "subtitle_invalid", text);
  assert.equal(codeOf(one.vtt + "é".repeat(MOST_SUBTITLE_BYTES / 2), "vtt"), "subtitle_too_large");
});
