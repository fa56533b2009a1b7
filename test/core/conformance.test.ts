import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { blockingFailures, checkPackage, RULES } from "../../core/conformance/check-package.ts";
import { describeMedia, type ObjectFacts } from "../../core/conformance/object-facts.ts";
import { viewPackage } from "../../core/conformance/package-view.ts";
import { parseMultivariant } from "../../core/conformance/parse-multivariant.ts";
import { deviceOf } from "../../core/device.ts";
import { masterFor } from "../../core/device-master.ts";
import { mpdFor } from "../../core/device-mpd.ts";
import { DASH_MANIFEST, MAIN_PLAYLIST } from "../../core/keys.ts";
import { describeStoredText, storedTransport } from "../../transcoder/gate.ts";
import { made } from "../rig/media.ts";
import { readPackage } from "../rig/package.ts";
import { startProduct } from "../rig/product.ts";
import { Bench, MUTATIONS } from "./conformance-mutations.ts";

/** The numbers of the rules that a package breaks. */
function broken(objects: ReadonlyMap<string, ObjectFacts>): string[] {
  return checkPackage(viewPackage(objects, MAIN_PLAYLIST, DASH_MANIFEST))
    .filter(({ verdict }) => verdict === "fail")
    .map(({ rule }) => rule);
}

/** 13 s in two languages, through the whole product: its package as facts, and as bytes. */
async function makePackage(): Promise<{ good: Map<string, ObjectFacts>; files: Map<string, Uint8Array> }> {
  const sine = (hertz: number): string[] => ["-f", "lavfi", "-i", `sine=${hertz}:duration=13`];
  const path = await made("mkv", [
    ...["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=24:duration=13", ...sine(440), ...sine(880)],
    ...[
      "-map",
      "0",
      "-map",
      "1",
      "-map",
      "2",
      "-c:v",
      "libx264",
      "-preset",
      "ultrafast",
      "-pix_fmt",
      "yuv420p",
    ],
    ...["-c:a", "aac", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu", "{out}"],
  ]);
  const product = await startProduct({ workers: 1, slots: 2 });
  try {
    const asset = await product.until(await product.uploadFile(path), ({ state }) => state === "ready");
    const files = await readPackage(product, asset);
    const good = new Map<string, ObjectFacts>();
    for (const [name, bytes] of files) {
      if (/\.(m3u8|mpd|vtt)$/.test(name))
        good.set(name, describeStoredText(name, Buffer.from(bytes).toString(), gzipSync(bytes)));
      else if (/\.(mp4|m4s)$/.test(name))
        good.set(name, describeMedia(name, bytes, storedTransport(name, null)));
    }
    return { good, files };
  } finally {
    await product.stop();
  }
}

describe("the gate", () => {
  let good: Map<string, ObjectFacts>;
  let files: Map<string, Uint8Array>;
  before(async () => {
    ({ good, files } = await makePackage());
  });

  test("a good package breaks no MUST, and only these SHOULDs", () => {
    const results = checkPackage(viewPackage(good, MAIN_PLAYLIST, DASH_MANIFEST));
    assert.deepEqual(blockingFailures(results), []);
    const mended = MUTATIONS.flatMap((one) => ("mend" in one ? one.rule : []));
    assert.deepEqual(broken(good).sort(), mended.sort());
  });

  test("what is cut down for a device breaks no MUST either, but that one size is not several", () => {
    for (const maxHeight of [2160, 300, 1])
      for (const audioId of [null, "a1"]) {
        const device = deviceOf({ maxHeight, channels: 2 }, audioId);
        const { objects } = new Bench(good);
        const fits: [string, (text: string) => string][] = [
          [MAIN_PLAYLIST, (text) => masterFor(text, device)],
          [DASH_MANIFEST, (text) => mpdFor(text, device)],
        ];
        for (const [path, fit] of fits) {
          const text = fit(good.get(path)?.text ?? "");
          objects.set(path, describeStoredText(path, text, gzipSync(text)));
        }
        const failures = blockingFailures(checkPackage(viewPackage(objects, MAIN_PLAYLIST, DASH_MANIFEST)));
        const rules = failures.map(({ rule }) => rule);
        assert.deepEqual(rules, maxHeight < 360 ? ["9.9"] : [], JSON.stringify(device));
      }
  });

  test("one that is protected breaks nothing more, and the rules of protection apply to it", () => {
    const bench = new Bench(good);
    bench.protect();
    assert.deepEqual(broken(bench.objects), broken(good));
    const results = checkPackage(viewPackage(bench.objects, MAIN_PLAYLIST, DASH_MANIFEST));
    const judged = results.filter(({ verdict }) => verdict === "pass").map(({ rule }) => rule);
    for (const rule of ["13.7", "8216-session-key", "cmaf-protection", "cmaf-samples", "dash-protection"])
      assert.ok(judged.includes(rule), rule);
  });

  test("the table has every rule once", () => {
    assert.deepEqual(MUTATIONS.map(({ rule }) => rule).sort(), RULES.map(({ rule }) => rule).sort());
  });

  for (const mutation of MUTATIONS) {
    test(`${mutation.rule} sees its own breach, and no other rule does without cause`, () => {
      const before = new Set(broken(good));
      const bench = new Bench(good);
      if ("mend" in mutation) {
        mutation.mend(bench);
        assert.ok(before.has(mutation.rule) && !broken(bench.objects).includes(mutation.rule));
        return;
      }
      mutation.break(bench);
      const caught = broken(bench.objects).filter((rule) => !before.has(rule));
      assert.ok(caught.includes(mutation.rule), `caught by ${caught.join(", ") || "none"}`);
      const others = caught.filter((rule) => rule !== mutation.rule && !mutation.also?.includes(rule));
      assert.deepEqual(others, []);
    });
  }

  test("bytes: a cut segment, a lost one, a swapped init, another track's segment are all seen", () => {
    const path = "video/360p/00001.m4s";
    const bytes = files.get(path)!;
    const withBytes = (name: string, other: Uint8Array | null): Map<string, ObjectFacts> => {
      const { objects } = new Bench(good);
      if (other === null) objects.delete(name);
      else objects.set(name, describeMedia(name, other, storedTransport(name, null)));
      return objects;
    };
    assert.ok(broken(withBytes(path, bytes.subarray(0, bytes.length - 100))).includes("cmaf-boxes"));
    assert.ok(broken(withBytes(path, null)).includes("7.1"));
    assert.ok(broken(withBytes("video/360p/init.mp4", files.get("video/234p/init.mp4")!)).includes("9.1"));
    assert.ok(broken(withBytes(path, files.get("video/360p/00000.m4s")!)).includes("7.3"));
    assert.ok(
      broken(withBytes("audio/a0/init.mp4", files.get("video/234p/init.mp4")!)).includes("cmaf-kind"),
    );
  });
});

test("the strict reader names what a player would forgive", () => {
  const table: [string, RegExp][] = [
    ["#EXTM3U8\n", /not #EXTM3U/],
    ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:7\na.m3u8\n", /without its URI/],
    ['#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1, CODECS="a"\na.m3u8\n', /attribute list/],
    ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\na.m3u8\n", /BANDWIDTH twice/],
    ["#EXTM3U\na.m3u8\n", /a URI without/],
    ["#EXTM3U\n#EXT-X-VERSION:seven\n", /not a whole number/],
    ["#EXTM3U\n#EXTINF:6,\n", /belongs into a media playlist/],
  ];
  for (const [text, fault] of table) assert.match(parseMultivariant(text).faults.join("\n"), fault);
});
