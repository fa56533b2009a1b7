import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { blockingFailures, checkPackage } from "../../core/conformance/check-package.ts";
import { describeMedia, describeText, UNKNOWN_TRANSPORT } from "../../core/conformance/object-facts.ts";
import { viewPackage } from "../../core/conformance/package-view.ts";
import { allRungs } from "../../core/plan.ts";
import type { AssetRecord, Rendition } from "../../core/records/asset.ts";
import { findConformance } from "../../stores/library/conformance.ts";
import { readPackage, withPackageFolder } from "../rig/package.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { beeps, SOUND_SECONDS, type SoundTrack, withSounds } from "../rig/sound-media.ts";

const run = promisify(execFile);
let product: Product;
after(() => product.stop());

const TALK = beeps({ level: 0.3 });
/** One track each of a film that has them all, told by its title. */
const SHAPES: Record<string, SoundTrack> = {
  telephone: { sound: beeps({ level: 0.3, rate: 8_000 }), codec: "pcm_s16le" },
  studio: { sound: beeps({ level: 0.3, rate: 96_000 }) },
  // Two seconds in: a tone that begins with its own clock still beeps at whole seconds.
  late: { sound: beeps({ level: 0.3, seconds: SOUND_SECONDS - 2 }), atSeconds: 2 },
  short: { sound: beeps({ level: 0.3, seconds: 4 }) },
  quiet: { sound: beeps({ level: 0.04 }) },
  // Raised to the target its click would be far above full scale.
  peak: { sound: beeps({ level: 0.05, click: 0.2 }) },
  silent: { sound: "anullsrc=r=48000:cl=stereo:d=8" },
};
const SOURCES: Record<string, SoundTrack[]> = {
  tracks: [
    { sound: TALK, language: "eng", title: "Director's commentary", disposition: "comment" },
    { sound: TALK, language: "eng" },
    { sound: TALK, language: "eng", disposition: "visual_impaired" },
    { sound: TALK, language: "ger" },
  ],
  surround: [
    { sound: beeps({ level: 0.1, layout: "5.1" }), language: "eng" },
    { sound: TALK, language: "ger" },
  ],
  mono: [{ sound: beeps({ level: 0.3, layout: "mono" }) }],
  shapes: Object.entries(SHAPES).map(([title, track]) => ({ ...track, title })),
};

interface Heard {
  /** The shape's, or the film's where its tracks are of one. */
  name: string;
  rendition: Rendition;
  lufs: number;
  truePeakDbtp: number;
  beeps: number[];
  seconds: number;
}

/** What a player gets of one sound track, as ffmpeg hears it. */
async function hear(film: string, folder: string, rendition: Rendition): Promise<Heard> {
  const playlist = `${folder}/audio/${rendition.id}/media.m3u8`;
  const { stderr } = await run("ffmpeg", [
    ...["-hide_banner", "-nostats", "-allowed_extensions", "ALL", "-copyts", "-i", playlist],
    ...["-af", "silencedetect=n=-45dB:d=0.3,ebur128=peak=true:framelog=verbose", "-f", "null", "-"],
  ]);
  const summary = stderr.slice(stderr.lastIndexOf("Summary:"));
  const seconds = (
    await run("ffprobe", [
      ...["-v", "error", "-allowed_extensions", "ALL", "-show_entries", "format=duration", "-of", "csv=p=0"],
      playlist,
    ])
  ).stdout;
  // A beep ends where silence starts; those at the very start have no silence before them.
  const ends = [...stderr.matchAll(/silence_start: ([\d.-]+)/g)].map((match) => Number(match[1]) - 0.1);
  return {
    name: film === "shapes" ? rendition.label! : film,
    rendition,
    lufs: Number(/I:\s+(-?[\d.]+) LUFS/.exec(summary)?.[1]),
    truePeakDbtp: Number(/Peak:\s+(-?[\d.]+) dBFS/.exec(summary)?.[1]),
    beeps: ends.filter((time) => time > -0.02),
    seconds: Number(seconds),
  };
}

interface Published {
  asset: AssetRecord;
  heard: Heard[];
  main: string;
}

const published = new Map<string, Published>();
before(async () => {
  product = await startProduct({ workers: 1, slots: 2 });
  const ids = new Map<string, string>();
  for (const [name, tracks] of Object.entries(SOURCES))
    ids.set(name, await product.uploadFile(await withSounds(tracks)));
  for (const [name, id] of ids) {
    const asset = await product.until(id, ({ state }) => state === "ready" || state === "failed");
    assert.equal(asset.state, "ready", `${name}: ${asset.error?.message}`);
    const files = await readPackage(product, asset);
    checkConformance(name, files);
    const sounds = asset.renditions.filter(({ kind }) => kind === "audio");
    const heard = await withPackageFolder(files, (folder) =>
      Promise.all(sounds.map((rendition) => hear(name, folder, rendition))),
    );
    published.set(name, { asset, heard, main: Buffer.from(files.get("main.m3u8")!).toString() });
  }
});

/** Every track of every film, each shape among them. */
function allHeard(): Heard[] {
  const heard = [...published.values()].flatMap((one) => one.heard);
  assert.deepEqual(
    new Set(heard.map(({ name }) => name)),
    new Set(["tracks", "surround", "mono", ...Object.keys(SHAPES)]),
  );
  return heard;
}

function checkConformance(name: string, files: ReadonlyMap<string, Uint8Array>): void {
  const objects = new Map(
    [...files]
      .filter(([path]) => !path.endsWith(".jpg"))
      .map(([path, bytes]) => [
        path,
        /\.(m3u8|mpd|vtt)$/.test(path)
          ? describeText(path, Buffer.from(bytes).toString(), bytes.length, UNKNOWN_TRANSPORT)
          : describeMedia(path, bytes, UNKNOWN_TRANSPORT),
      ]),
  );
  const results = checkPackage(viewPackage(objects, "main.m3u8", "main.mpd"));
  const faults = blockingFailures(results).map(({ rule, evidence }) => `${rule}: ${evidence}`);
  assert.deepEqual(faults, [], name);
}

test("every track keeps its language, name and role, the general before the specific", () => {
  const { asset, main } = published.get("tracks")!;
  const sounds = asset.renditions.filter(({ kind }) => kind === "audio");
  assert.deepEqual(
    sounds.map(({ language, label, role, channels }) => [language, label, role, channels]),
    [
      ["en", "English", "main", 2],
      ["de", "Deutsch", "main", 2],
      ["en", "Director's commentary", "commentary", 2],
      ["en", "English (audio description)", "description", 2],
    ],
  );
  const lines = main.split("\n").filter((line) => line.startsWith("#EXT-X-MEDIA:TYPE=AUDIO"));
  assert.match(lines[0]!, /DEFAULT=YES,AUTOSELECT=YES/);
  assert.match(lines[2]!, /DEFAULT=NO,AUTOSELECT=NO/);
  assert.match(lines[3]!, /AUTOSELECT=YES,CHARACTERISTICS="public.accessibility.describes-video"/);
});

test("5.1 stands beside stereo, in a group and in variants of its own, with all other sounds", () => {
  const { heard, main, asset } = published.get("surround")!;
  assert.deepEqual(
    heard.map(({ rendition }) => [rendition.id, rendition.channels]),
    [
      ["a0", 2],
      ["a1", 2],
      ["a0-51", 6],
    ],
  );
  assert.match(main, /GROUP-ID="audio",NAME="English".*CHANNELS="2"/);
  assert.match(main, /GROUP-ID="audio-5.1",NAME="English".*CHANNELS="6"/);
  for (const group of ["audio", "audio-5.1"])
    assert.match(
      main,
      new RegExp(`GROUP-ID="${group}",NAME="Deutsch".*CHANNELS="2",URI="audio/a1/media.m3u8"`),
    );
  const variants = main.split("\n").filter((line) => line.startsWith("#EXT-X-STREAM-INF"));
  const rungs = allRungs(asset.plan!).length;
  assert.equal(variants.filter((line) => line.includes('AUDIO="audio",')).length, rungs);
  assert.equal(variants.filter((line) => line.includes('AUDIO="audio-5.1"')).length, rungs);
});

test("a sound that stands in both groups is proved once, as each of the others is", async () => {
  const { asset } = published.get("surround")!;
  const { proof } = (await findConformance(product.library, asset._id, asset.published!.generation))!;
  const told = proof!.filter(({ part, check }) => part.startsWith("audio/") && check === "decodes");
  assert.deepEqual(told.map(({ part }) => part).toSorted(), ["audio/a0", "audio/a0-51", "audio/a1"]);
});

test("all come out at −16 LUFS with no peak above −1 dBTP, as the record states", () => {
  for (const { name, rendition, lufs, truePeakDbtp } of allHeard()) {
    if (name === "silent") {
      assert.equal(rendition.loudnessLufs, undefined);
      continue;
    }
    const what = `${name} ${rendition.id}: ${lufs} LUFS, ${truePeakDbtp} dBTP`;
    assert.ok(Math.abs(lufs + 16) <= 1, what);
    assert.ok(truePeakDbtp <= -1, what);
    assert.ok(Math.abs(lufs - rendition.loudnessLufs!) <= 0.5, `${what}, stated ${rendition.loudnessLufs}`);
  }
});

test("beeps stand where they stood, within 10 ms, over the whole length of the picture", () => {
  const expected: Record<string, number[]> = { late: [2, 3, 4, 5, 6, 7], short: [0, 1, 2, 3], silent: [] };
  for (const { name, rendition, beeps: times, seconds } of allHeard()) {
    const what = `${name} ${rendition.id} at ${times.join(", ")}`;
    const wanted = expected[name] ?? [0, 1, 2, 3, 4, 5, 6, 7];
    for (const second of wanted)
      assert.ok(
        times.some((time) => Math.abs(time - second) <= 0.01),
        `${what}: none at ${second}`,
      );
    assert.ok(Math.abs(seconds - SOUND_SECONDS) <= 1024 / 48_000, `${what}: ${seconds} s`);
  }
});

test("a mono source is as loud on both sides", async () => {
  const { asset } = published.get("mono")!;
  const files = await readPackage(product, asset);
  await withPackageFolder(files, async (folder) => {
    const { stderr } = await run("ffmpeg", [
      ...["-hide_banner", "-nostats", "-allowed_extensions", "ALL", "-i", `${folder}/audio/a0/media.m3u8`],
      ...["-af", "astats=measure_overall=none:measure_perchannel=RMS_level", "-f", "null", "-"],
    ]);
    const [left, right] = [...stderr.matchAll(/RMS level dB: (-?[\d.]+)/g)].map((match) => Number(match[1]));
    assert.ok(left !== undefined && right !== undefined && Math.abs(left - right) < 0.1, `${left} ${right}`);
  });
});
