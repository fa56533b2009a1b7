import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { chooseTracks } from "../../core/choose-tracks.ts";
import { parseMpd } from "../../core/conformance/parse-mpd.ts";
import { parseMultivariant } from "../../core/conformance/parse-multivariant.ts";
import { type Device, deviceOf, familyOfCodec } from "../../core/device.ts";
import { masterFor } from "../../core/device-master.ts";
import { mpdFor } from "../../core/device-mpd.ts";
import type { VideoRange } from "../../core/ladder.ts";
import { dashManifest } from "../../core/mpd.ts";
import { multivariantPlaylist } from "../../core/multivariant.ts";
import { offeredFolders, offeredRenditions } from "../../core/offered-tracks.ts";
import type { Rendition } from "../../core/records/asset.ts";

const SIZES = [
  [1920, 800],
  [1280, 534],
  [640, 266],
] as const;
const LADDERS: [id: string, codec: string, range: VideoRange, bps: number][] = [
  ["h264", "avc1.640028", "SDR", 1],
  ["hevc", "hvc1.1.6.L120.90", "SDR", 0.6],
  ["hevc-hdr", "hvc1.2.4.L120.90", "PQ", 0.7],
];
const measured = (averageBps: number) => ({ averageBps, peakBps: Math.round(averageBps * 1.5) });
const videos = LADDERS.flatMap(([ladderId, codec, range, share]) =>
  SIZES.map(([width, height]) => {
    const id = `${ladderId === "h264" ? "" : `${ladderId}-`}${height}p`;
    const bps = Math.round(width * height * 3 * share);
    return { id, ladderId, codec, range, width, height, measured: measured(bps) };
  }),
);
const NAMES = { en: "English", de: "Deutsch", fr: "Français" };
/** French is there in stereo alone. */
const sounds = [2, 6].flatMap((channels) =>
  (["en", "de", "fr"] as const).slice(0, channels === 2 ? 3 : 2).map((language, index) => ({
    id: channels === 2 ? `a${index}` : `a${index}-51`,
    name: NAMES[language],
    language,
    role: "main" as const,
    codec: "mp4a.40.2",
    channels,
    measured: measured(64_000 * channels),
  })),
);
const texts = [{ id: "t0", name: "English", language: "en", role: "main" as const }];

const MAIN = multivariantPlaylist(
  videos.map((one) => ({
    ...one,
    uri: `video/${one.id}/media.m3u8`,
    iFrameUri: `video/${one.id}/iframes.m3u8`,
    iFrameMeasured: measured(90_000),
  })),
  sounds.map((one) => ({ ...one, uri: `audio/${one.id}/media.m3u8` })),
  { num: 24, den: 1 },
  {
    iFrameUri: "video/trick/iframes.m3u8",
    codec: "avc1.64000d",
    ladderId: "h264",
    range: "SDR",
    width: 320,
    height: 134,
    iFrameMeasured: measured(40_000),
  },
  texts.map((one) => ({ ...one, uri: `text/${one.id}/media.m3u8`, measured: measured(100) })),
);
const durationTicks = [144, 144, 100];
const colours = {
  SDR: { primaries: "bt709", transfer: "bt709", matrix: "bt709" },
  PQ: { primaries: "bt2020", transfer: "smpte2084", matrix: "bt2020nc" },
};
const MPD = dashManifest({
  video: videos.map((one) => ({
    ...one,
    colour: colours[one.range === "PQ" ? "PQ" : "SDR"],
    timescale: 24,
    durationTicks,
  })),
  audio: sounds.map((one) => ({
    ...one,
    label: one.name,
    sampleRateHz: 48_000,
    timescale: 48_000,
    durationTicks,
  })),
  text: texts.map((one) => ({ ...one, uri: `text/${one.id}/whole.vtt`, label: one.name, bandwidthBps: 100 })),
  frameRate: { num: 24, den: 1 },
  frameCount: 388,
  targetDurationSeconds: 6,
});

const offered = (device: Device) => {
  const main = parseMultivariant(masterFor(MAIN, device));
  assert.deepEqual(main.faults, []);
  return main;
};
const folders = (device: Device) => [
  ...new Set(offered(device).variants.map(({ uri }) => uri.split("/")[1])),
];

describe("a device", () => {
  test("is offered its codecs, its range and no more than its height, and never nothing", () => {
    const table: [Parameters<typeof deviceOf>[0], string[]][] = [
      [{ codecs: ["avc1.640028"] }, ["800p", "534p", "266p"]],
      [{ codecs: ["H264", "mp4a.40.2"], maxHeight: 600 }, ["534p", "266p"]],
      [{ codecs: ["hevc"], hdr: false }, ["hevc-800p", "hevc-534p", "hevc-266p"]],
      [{ codecs: ["hvc1.2.4.L93.B0"], maxHeight: 266 }, ["hevc-266p", "hevc-hdr-266p"]],
      [{ codecs: ["av01.0.04M.08"] }, ["800p", "534p", "266p"]],
      [{ codecs: [], maxHeight: 100 }, ["266p"]],
      [{ codecs: ["vp09.00.10.08"], maxHeight: 534 }, ["534p", "266p"]],
      [{ maxHeight: 1 }, ["266p", "hevc-266p", "hevc-hdr-266p"]],
    ];
    for (const [capabilities, expected] of table)
      assert.deepEqual(folders(deviceOf(capabilities)).sort(), expected.sort(), JSON.stringify(capabilities));
  });

  test("that says nothing, or that everything is well, gets the very same text", () => {
    for (const capabilities of [{}, { maxHeight: 2160, hdr: true, channels: 6, codecs: ["hevc", "h264"] }]) {
      assert.equal(masterFor(MAIN, deviceOf(capabilities)), MAIN);
      assert.equal(mpdFor(MPD, deviceOf(capabilities)), MPD);
    }
  });

  test("is told of the tracks that its own playlist offers, and of no others", () => {
    const plain = { averageBps: 1, peakBps: 1, bytes: 1 };
    const renditions: Rendition[] = [
      ...videos.map((one): Rendition => ({ ...one, ...plain, kind: "video", range: "PQ" })),
      ...sounds.map((one): Rendition => ({ ...one, ...plain, kind: "audio" })),
      ...texts.map((one): Rendition => ({ ...one, ...plain, kind: "subtitle", codec: "wvtt" })),
      { ...plain, id: "trick", kind: "image", codec: "avc1.64000d" },
    ];
    const told = (capabilities: Parameters<typeof deviceOf>[0]) =>
      offeredRenditions(renditions, offeredFolders(masterFor(MAIN, deviceOf(capabilities)))).map(
        ({ id }) => id,
      );
    const all = renditions.slice(0, -1).map(({ id }) => id);
    assert.deepEqual(told({}), all);
    assert.deepEqual(
      offeredRenditions(renditions, null).map(({ id }) => id),
      all,
    );
    const small = told({ codecs: ["avc1"], maxHeight: 534, channels: 2 });
    assert.deepEqual(small, ["534p", "266p", "a0", "a1", "a2", "t0"]);
  });

  test("of two channels is offered no variant with more; the sound that is wanted is the default", () => {
    const stereo = offered(deviceOf({ channels: 2 }));
    assert.deepEqual([...new Set(stereo.variants.map((one) => one.attributes.get("AUDIO")))], ["audio"]);
    const german = offered(deviceOf({}, "a1"));
    const defaults = german.media.filter((one) => one.get("DEFAULT") === "YES");
    assert.deepEqual(
      defaults.map((one) => [one.get("URI"), one.get("AUTOSELECT")]),
      [
        ["audio/a1/media.m3u8", "YES"],
        ["audio/a1-51/media.m3u8", "YES"],
      ],
    );
    const french = offered(deviceOf({}, "a2")).media.filter((one) => one.get("DEFAULT") === "YES");
    assert.deepEqual(
      french.map((one) => [one.get("GROUP-ID"), one.get("URI")]),
      [
        ["audio", "audio/a2/media.m3u8"],
        ["audio-5.1", "audio/a2/media.m3u8"],
      ],
      "stereo alone, and chosen beside 5.1 of others",
    );
    assert.deepEqual(
      german.media.filter((one) => one.get("TYPE") === "SUBTITLES").map((one) => one.get("DEFAULT")),
      ["NO"],
    );
  });

  const anyDevice = fc.record({
    codecs: fc.option(fc.subarray(["avc1.640028", "hvc1", "av01", "mp4a.40.2", "x"]), { nil: undefined }),
    hdr: fc.option(fc.boolean(), { nil: undefined }),
    maxHeight: fc.option(fc.integer({ min: 1, max: 1_200 }), { nil: undefined }),
    channels: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
    audio: fc.constantFrom(null, "a0", "a1", "a1-51", "a9"),
  });

  test("whatever it is: lines of the whole one only, no group lost or left over, HLS and DASH alike", () => {
    fc.assert(
      fc.property(anyDevice, ({ audio, ...capabilities }) => {
        const device = deviceOf(capabilities, audio);
        const main = offered(device);
        const whole = MAIN.split("\n");
        const plain = masterFor(MAIN, { ...device, audioId: null });
        for (const line of plain.split("\n")) assert.ok(whole.includes(line), line);
        const named = new Set(main.variants.flatMap(({ attributes }) => attributes.get("AUDIO") ?? []));
        const groups = main.media.filter((one) => one.get("TYPE") === "AUDIO");
        assert.deepEqual(new Set(groups.map((one) => one.get("GROUP-ID"))), named);
        for (const group of named) {
          const defaults = groups.filter(
            (one) => one.get("GROUP-ID") === group && one.get("DEFAULT") === "YES",
          );
          assert.equal(defaults.length, 1, group);
        }
        assert.ok(main.iFrames.some(({ attributes }) => attributes.get("VIDEO-RANGE") === "SDR"));
        const mpd = parseMpd(mpdFor(MPD, device));
        assert.deepEqual(mpd.faults, []);
        const ids = mpd.representations.filter(({ kind }) => kind === "video").map(({ id }) => id);
        assert.deepEqual(new Set(ids), new Set(main.variants.map(({ uri }) => uri.split("/")[1])));
        const heard = mpd.representations.filter(({ kind }) => kind === "audio").map(({ id }) => id);
        assert.deepEqual(new Set(heard), new Set(groups.map((one) => one.get("URI")?.split("/")[1])));
      }),
    );
  });

  test("of a set in the MPD the largest that is left is told", () => {
    const text = mpdFor(MPD, deviceOf({ codecs: ["h264"], maxHeight: 600 }));
    assert.match(text, /maxWidth="1280" maxHeight="534"/);
    assert.doesNotMatch(text, /hvc1|"1920"/);
  });

  test("names of codecs", () => {
    const table: [string, ReturnType<typeof familyOfCodec>][] = [
      ["avc1.4d401f", "avc"],
      [" HEVC ", "hevc"],
      ["av1", "av1"],
      ["mp4a.40.2", null],
      ["constructor", null],
      ["", null],
    ];
    for (const [name, family] of table) assert.equal(familyOfCodec(name), family, name);
  });
});

test("sound and text by preference", () => {
  const track = (
    id: string,
    kind: "audio" | "subtitle",
    language: string,
    more: Partial<Rendition> = {},
  ) => ({
    ...{ id, kind, language, codec: "x", averageBps: 1, peakBps: 1, bytes: 1 },
    ...more,
  });
  const film: Rendition[] = [
    track("en", "audio", "en", { role: "main", channels: 2 }),
    track("en51", "audio", "en", { role: "main", channels: 6 }),
    track("talk", "audio", "en", { role: "commentary", channels: 2 }),
    track("de", "audio", "de", { role: "main", channels: 2 }),
    track("enForced", "subtitle", "en", { role: "forced" }),
    track("enSdh", "subtitle", "en", { role: "sdh" }),
    track("pt", "subtitle", "pt-BR", { role: "main" }),
    track("fr", "subtitle", "fr", { role: "main", cueCount: 0 }),
  ];
  const said = (
    audio: string[],
    subtitles: string[],
    more: { forcedOnly?: boolean; channels?: number } = {},
  ) => {
    const { channels, ...rest } = more;
    const { audioId, subtitleId } = chooseTracks(film, { audio, subtitles, ...rest }, channels);
    return [audioId, subtitleId];
  };
  const table: [ReturnType<typeof said>, [string | null, string | null]][] = [
    [said([], []), ["en", "enForced"]],
    [said([], [], { channels: 6 }), ["en51", "enForced"]],
    [said(["de"], []), ["de", null]],
    [said(["de-AT", "en"], ["fr", "en"]), ["de", "enSdh"]],
    [said(["ja"], ["pt"]), ["en", "pt"]],
    [said(["en"], ["pt-PT"], { forcedOnly: true }), ["en", "enForced"]],
    [said([], ["ja"]), ["en", "enForced"]],
  ];
  for (const [got, expected] of table) assert.deepEqual(got, expected);
  assert.deepEqual(chooseTracks([], { audio: ["en"], subtitles: ["en"] }), {
    audioId: null,
    subtitleId: null,
  });
});
