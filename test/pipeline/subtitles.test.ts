import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { blockingFailures } from "../../core/conformance/check-package.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import { checkPackageAt } from "../../transcoder/check-package.ts";
import { readPackage, withPackageFolder } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { pictureText, subRip, withTexts } from "../rig/text-media.ts";

const run = promisify(execFile);
let product: Product;
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
});
after(() => product.stop());

const TALK = subRip([
  [5, 7, "<i>Across</i> the border & back"],
  [0.5, 2, "Hello there"],
  [12.5, 25, "Longer than the film"],
  [30, 31, "Never seen"],
]);
const SIGNS = subRip([[8, 9, "EXIT"]]);
const ASS = [
  "[Script Info]\nScriptType: v4.00+\n",
  "[V4+ Styles]\nFormat: Name, Fontname, Fontsize, Alignment\nStyle: Default,Arial,20,2\n",
  "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
  "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\i1}Später{\\i0}\\Nzweite Zeile",
  "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100 0 100{\\p0}",
  "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Früher\n",
].join("\n");

async function publish(path: string): Promise<{ asset: AssetRecord; files: Map<string, string> }> {
  const id = await product.uploadFile(path);
  const asset = await product.until(id, ({ state }) => state === "ready" || state === "failed", 300);
  assert.equal(asset.state, "ready", asset.error?.message);
  const bytes = await readPackage(product, asset);
  const report = await findConformance(product.library, id, asset.published!.generation);
  assert.deepEqual(blockingFailures(report?.results ?? []), []);
  const hasText = asset.renditions.some(({ kind }) => kind === "subtitle");
  for (const rule of hasText ? ["5.3", "5.5", "8216-vtt", "dash-text"] : [])
    assert.equal(report?.results.find((one) => one.rule === rule)?.verdict, "pass", `${rule} was judged`);
  const texts = [...bytes].filter(([name]) => /\.(m3u8|mpd|vtt)$/.test(name));
  return { asset, files: new Map(texts.map(([name, one]) => [name, Buffer.from(one).toString()])) };
}

/** `start end text` of each cue of one file. */
function cues(text: string | undefined): string[] {
  return (text ?? "")
    .split("\n\n")
    .filter((block) => block.includes("-->"))
    .map((block) => block.trim().replace(" --> ", " ").replace(/\n/, " ").replaceAll("00:00:", ""));
}

test("a master's tracks: roles, languages, names, times from its first picture, forced lines in the regular one", async () => {
  const path = await withTexts(
    "mkv",
    [
      { file: { ending: "srt", text: SIGNS }, codec: "srt", language: "eng", disposition: "forced" },
      { file: { ending: "srt", text: TALK }, codec: "srt", language: "eng", disposition: "default" },
      { file: { ending: "ass", text: ASS }, codec: "ass", language: "ger", title: "Für Kinder" },
      { file: { ending: "srt", text: TALK }, codec: "srt", language: "eng", disposition: "hearing_impaired" },
    ],
    1000,
  );
  const { asset, files } = await publish(path);
  assert.ok(asset.source!.video.startSeconds > 900, `${asset.source!.video.startSeconds}`);
  const tracks = asset.renditions.filter(({ kind }) => kind === "subtitle");
  assert.deepEqual(
    tracks.map(({ id, language, label, role }) => [id, language, label, role]),
    [
      ["t1", "en", "English", "main"],
      ["t2", "de", "Für Kinder", "main"],
      ["t3", "en", "English (SDH)", "sdh"],
      ["t0", "en", "English (forced)", "forced"],
    ],
  );
  const talk = ["00.500 02.000 Hello there", "05.000 07.000 <i>Across</i> the border &amp; back"];
  const rest = ["08.000 09.000 EXIT", "12.500 13.000 Longer than the film"];
  assert.deepEqual(cues(files.get("text/t1/whole.vtt")), [...talk, ...rest]);
  assert.deepEqual(cues(files.get("text/t1/00000.vtt")), talk);
  assert.deepEqual(cues(files.get("text/t1/00001.vtt")), [talk[1], rest[0]]);
  assert.deepEqual(cues(files.get("text/t1/00002.vtt")), [rest[1]]);
  assert.deepEqual(cues(files.get("text/t0/whole.vtt")), [rest[0]]);
  assert.deepEqual(cues(files.get("text/t2/whole.vtt")), [
    "01.000 02.000 Früher",
    "03.000 04.000 <i>Später</i>\nzweite Zeile",
  ]);
  const main = files.get("main.m3u8")!;
  const lines = main.split("\n").filter((line) => line.includes("TYPE=SUBTITLES"));
  assert.equal(lines.length, 4);
  assert.match(lines[0]!, /NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,URI="text\/t1/);
  assert.match(lines[2]!, /AUTOSELECT=YES,CHARACTERISTICS="public.*spoken-dialog,public.*music-and-sound"/);
  assert.match(lines[3]!, /AUTOSELECT=YES,FORCED=YES/);
  assert.ok(/#EXT-X-STREAM-INF[^\n]*SUBTITLES="text"/.test(main));
  const durations = (name: string) => files.get(name)!.match(/#EXTINF:[\d.]+/g);
  const rung = asset.renditions.find(({ kind }) => kind === "video")!.id;
  assert.deepEqual(durations("text/t1/media.m3u8"), durations(`video/${rung}/media.m3u8`));
  const mpd = files.get("main.mpd")!;
  for (const wanted of [
    'value="forced-subtitle"',
    'value="caption"',
    'AudioPurposeCS:2007" value="2"',
    "<BaseURL>text/t2/whole.vtt<",
  ])
    assert.ok(mpd.includes(wanted), wanted);
});

test("mov_text in MP4; ffmpeg reads the track from the HLS, npm run check finds no breach", async () => {
  const path = await withTexts("mp4", [
    { file: { ending: "srt", text: TALK }, codec: "mov_text", language: "ger" },
  ]);
  const { asset } = await publish(path);
  await withPackageFolder(await readPackage(product, asset), async (folder) => {
    const args = ["-v", "error", "-allowed_extensions", "ALL", "-i", `${folder}/text/t0/media.m3u8`];
    const { stdout } = await run("ffmpeg", [...args, "-map", "0:s", "-c:s", "webvtt", "-f", "webvtt", "-"]);
    assert.match(stdout, /00:00\.500 --> 00:02\.000\nHello there/);
    assert.match(stdout, /00:12\.500 --> 00:13\.000\nLonger/);
    const kinds = [
      "-v",
      "error",
      "-show_entries",
      "stream=codec_type",
      "-of",
      "csv=p=0",
      `${folder}/main.mpd`,
    ];
    const mpd = (await run("ffprobe", ["-allowed_extensions", "ALL", ...kinds])).stdout.split("\n");
    assert.ok(
      mpd.includes("video") && mpd.includes("audio"),
      "text beside them disturbs no reader of the MPD",
    );
    const results = await checkPackageAt(folder);
    assert.deepEqual(blockingFailures(results), []);
    assert.equal(results.find(({ rule }) => rule === "dash-text")?.verdict, "pass");
  });
});

test("letters that are no UTF-8 are read, pictures of text are told of and hold nothing up", async () => {
  const latin = Buffer.from(subRip([[1, 2, "Größe"]]), "latin1");
  const { asset, files } = await publish(
    await withTexts("mkv", [
      { file: { ending: "srt", text: latin }, codec: "copy", language: "fre" },
      { file: { ending: "sup", text: pictureText([1, 2]) }, codec: "copy", language: "spa" },
    ]),
  );
  assert.deepEqual(cues(files.get("text/t0/whole.vtt")), ["01.000 02.000 Größe"]);
  assert.deepEqual(asset.renditions.filter(({ kind }) => kind === "subtitle").length, 1);
  const finding = asset.findings.find(({ code }) => code === "subtitle_not_convertible");
  assert.equal(finding?.severity, "info");
  assert.match(finding?.message ?? "", /es, hdmv_pgs_subtitle/);
});

test("files beside the master become tracks without an encode, in any letters, the hostile harmless", async () => {
  const { asset: first } = await publish(await withTexts("mp4", []));
  const japanese = "82b182f182c982bf82cd814190a28a4581428cb38b4382c582b782a98148";
  const shiftJis = Buffer.concat([
    Buffer.from("1\n00:00:01,000 --> 00:00:03,000\n"),
    Buffer.from(japanese, "hex"),
    Buffer.from("\n\n"),
  ]);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const vtt = "WEBVTT\n\n00:01.000 --> 00:02.000 line:0\n<script>alert(1)</script><b>Bold\n";
  const added = [
    { language: "ja", file: { format: "srt", base64: base64(shiftJis) } },
    {
      language: "de",
      file: { format: "srt", base64: base64(Buffer.from(subRip([[1, 2, "Größe"]]), "latin1")) },
    },
    { language: "de", role: "forced", label: "Schilder", srt: SIGNS },
    { language: "en", file: { format: "vtt", base64: base64(Buffer.from(`\ufeff${vtt}`, "utf16le")) } },
    { language: "fr", role: "sdh", ass: ASS },
  ];
  for (const track of added) {
    const answer = await product.call("POST", `/v1/assets/${first._id}/tracks`, {
      kind: "subtitle",
      ...track,
    });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
  }
  const texts = ({ renditions }: AssetRecord) => renditions.filter(({ kind }) => kind === "subtitle");
  const asset = await product.until(
    first._id,
    (one) => one.state === "failed" || (one.state === "ready" && texts(one).length === added.length),
    300,
  );
  assert.equal(asset.state, "ready", asset.error?.message);
  const files = await readPackage(product, asset);
  const whole = texts(asset).map(({ id, label }) => {
    const text = Buffer.from(files.get(`text/${id}/whole.vtt`)!).toString();
    return [label, cues(text)];
  });
  assert.deepEqual(whole, [
    ["日本語", ["01.000 03.000 こんにちは、世界。元気ですか？"]],
    ["Deutsch", ["01.000 02.000 Größe", "08.000 09.000 EXIT"]],
    ["English", ["01.000 02.000 line:0 alert(1)<b>Bold</b>"]],
    ["français (SDH)", ["01.000 02.000 Früher", "03.000 04.000 <i>Später</i>\nzweite Zeile"]],
    ["Schilder", ["08.000 09.000 EXIT"]],
  ]);
  const tasks = await product.library.tasks.find({ assetId: first._id, kind: "video" }).toArray();
  const encoded = tasks.flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === "done"));
  assert.equal(encoded.length, asset.plan!.chunks.length, "each chunk was encoded once");
  const refused = await product.call("POST", `/v1/assets/${first._id}/tracks`, {
    ...{ kind: "subtitle", language: "en", srt: "no lines" },
  });
  assert.equal(refused.body.code, "subtitle_invalid");
});
