import assert from "node:assert/strict";
import { test } from "node:test";
import { Settings } from "../../core/settings.ts";

type Read = (settings: Settings) => unknown;

const taken: [string, Record<string, string>, Read, unknown][] = [
  ["text, trimmed", { A: " a b " }, (s) => s.text("A"), "a b"],
  ["a fallback where it is absent", {}, (s) => s.text("A", "b"), "b"],
  ["a fallback where it is empty", { A: " " }, (s) => s.text("A", "b"), "b"],
  ["nothing where it may be absent", { A: "" }, (s) => s.given("A"), null],
  ["a whole number", { A: "12" }, (s) => s.whole("A", 1, 1, 12), 12],
  ["the number that stands for none", { A: "" }, (s) => s.whole("A", 7, 1), 7],
  ["one of its words", { A: "on" }, (s) => s.oneOf("A", ["off", "on"]), "on"],
  ["the first of its words", {}, (s) => s.oneOf("A", ["off", "on"]), "off"],
  ["a base without its slashes", { A: "https://a.test/b//" }, (s) => s.url("A"), "https://a.test/b"],
  ["no base", {}, (s) => s.optionalUrl("A"), null],
  ["a page with its slash", { A: "https://a.test/b/" }, (s) => s.pageUrl("A"), "https://a.test/b/"],
  ["a page without one", { A: "https://a.test/b" }, (s) => s.pageUrl("A"), "https://a.test/b"],
  ["a page with a query", { A: "https://a.test/?b=c/" }, (s) => s.pageUrl("A"), "https://a.test/?b=c/"],
  ["a header's name", { A: "X-Country" }, (s) => s.headerName("A"), "x-country"],
  ["what is parsed", { A: "[1]" }, (s) => s.parsed("A", JSON.parse, []), [1]],
  ["what stands for none", {}, (s) => s.optional("A", JSON.parse, [0]), [0]],
  ["two that go together", { A: "a", B: "b" }, (s) => s.pair("A", "B", String), ["a", "b"]],
  ["neither of two", { A: "" }, (s) => s.pair("A", "B", String), null],
];

for (const [what, record, read, value] of taken)
  test(`settings are read: ${what}`, () => {
    const settings = new Settings(record);
    assert.deepEqual(read(settings), value);
    settings.refuseFaults("a test");
  });

const refused: [Record<string, string>, Read, string][] = [
  [{}, (s) => s.text("A"), "A is missing"],
  [{ A: "" }, (s) => s.url("A"), "A is missing"],
  [{ A: "13" }, (s) => s.whole("A", 1, 1, 12), "A: is not a whole number from 1 to 12"],
  [{ A: "0" }, (s) => s.whole("A", 1, 1), "A: is not a whole number of at least 1"],
  [{ A: "1e3" }, (s) => s.whole("A", 1, 1), "A: is not a whole number of at least 1"],
  [{ A: "yes" }, (s) => s.oneOf("A", ["off", "on"]), "A: is none of off, on"],
  [{ A: "ftp://a.test" }, (s) => s.optionalUrl("A"), "A: is not an http(s) URL"],
  [{ A: "/watch" }, (s) => s.pageUrl("A"), "A: is not an http(s) URL"],
  [{ A: "https://a.test/#b" }, (s) => s.pageUrl("A"), "A: has a #, behind which we put what is to be shown"],
  [{ A: "x: y" }, (s) => s.headerName("A"), "A: is not the name of a header"],
  [{ A: "{secret" }, (s) => s.parsed("A", JSON.parse, null), "A: is not JSON"],
  [{ B: "b" }, (s) => s.pair("A", "B", String), "A and B go together"],
];

for (const [record, read, fault] of refused)
  test(`settings are refused: ${fault} (${JSON.stringify(record)})`, () => {
    const settings = new Settings(record);
    read(settings);
    assert.throws(() => settings.refuseFaults("a test"), {
      message: `The settings of a test are not right:\n- ${fault}`,
    });
  });

test("all faults are told at once", () => {
  const settings = new Settings({ B: "x" });
  settings.text("A");
  settings.whole("B", 1, 1);
  assert.throws(() => settings.refuseFaults("a test"), /A is missing\n- B: is not a whole number/);
});
