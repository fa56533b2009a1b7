import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeLogReader, type Rhythm } from "../../core/decode-log.ts";
import { asFailure } from "../../core/errors.ts";
import type { FindingCode } from "../../core/finding-codes.ts";
import { addWaiver, blockingFindings, heldFailure, withWaivers } from "../../core/findings.ts";
import { damagedRanges, damageFindings } from "../../core/findings-damage.ts";
import { type MeasuredPicture, pictureFindings } from "../../core/findings-picture.ts";
import { soundFindings } from "../../core/findings-sound.ts";
import { sourceFindings } from "../../core/findings-source.ts";
import { FLASH_COLUMNS, FLASH_ROWS, flashMeter } from "../../core/flash-meter.ts";
import { combLogReader, pictureLogReader } from "../../core/picture-log.ts";
import type { AssetRecord, Finding } from "../../core/records/asset.ts";
import type { HeardTrack } from "../../core/records/task-result.ts";
import type { Source, SourceAudio } from "../../core/source.ts";
import { SOURCE } from "../api/api-for-test.ts";

const at = (startSeconds: number, endSeconds: number) => ({ startSeconds, endSeconds });
const short = (findings: readonly Finding[]): string[] =>
  findings.map(({ code, severity, startSeconds, endSeconds }) =>
    [code, severity, startSeconds, endSeconds].filter((part) => part !== undefined).join(" "),
  );

const PICTURE: MeasuredPicture = {
  durationSeconds: 60,
  black: [],
  frozen: [],
  flashing: [],
  content: { x: 0, y: 0, width: 416, height: 234 },
  combedFrames: 0,
  wholeFrames: 40,
  measuredSize: { width: 416, height: 234 },
  shownSize: { width: 1920, height: 1080 },
  isTakenForProgressive: true,
};

test("the picture: what is ordinary gives nothing, each flaw its code, severity and place", () => {
  const table: [string, Partial<MeasuredPicture>, string[]][] = [
    ["an ordinary film", {}, []],
    ["fades to black", { black: [at(0, 1.9), at(30, 31.9)] }, []],
    ["black in the middle", { black: [at(30, 32)] }, ["black warning 30 32"]],
    ["black, for one frame not", { black: [at(30, 31), at(31.04, 32.1)] }, ["black warning 30 32.1"]],
    ["black at the start", { black: [at(0, 3)] }, ["black info 0 3"]],
    ["black at the end", { black: [at(57, 60)] }, ["black info 57 60"]],
    ["black throughout", { black: [at(0, 60)] }, ["black error 0 60"]],
    ["a title held", { frozen: [at(10, 14.9)] }, []],
    ["frozen", { frozen: [at(10, 15)] }, ["freeze warning 10 15"]],
    [
      "frozen, but for keyframes",
      { frozen: [at(10, 12), at(12, 14), at(14.04, 16)] },
      ["freeze warning 10 16"],
    ],
    ["black is not told twice", { black: [at(10, 16)], frozen: [at(10, 16)] }, ["black warning 10 16"]],
    ["a third of it flashing", { flashing: [{ ...at(3, 5), share: 0.34 }] }, ["flashing warning 3 5"]],
    ["half of it flashing", { flashing: [{ ...at(3, 5), share: 0.5 }] }, ["flashing error 3 5"]],
    ["letterboxed", { content: { x: 0, y: 30, width: 416, height: 174 } }, ["crop_bars info"]],
    ["pillarboxed", { content: { x: 52, y: 0, width: 312, height: 234 } }, ["crop_bars info"]],
    ["a line of overscan", { content: { x: 0, y: 2, width: 416, height: 230 } }, []],
    ["never lit", { content: null }, []],
    ["combed", { combedFrames: 30, wholeFrames: 8 }, ["combing warning"]],
    ["combed, known", { combedFrames: 30, wholeFrames: 8, isTakenForProgressive: false }, []],
    ["a few combs", { combedFrames: 7, wholeFrames: 0 }, []],
  ];
  for (const [name, change, expected] of table)
    assert.deepEqual(short(pictureFindings({ ...PICTURE, ...change })), expected, name);
  const [bars] = pictureFindings({ ...PICTURE, content: { x: 52, y: 0, width: 312, height: 234 } });
  assert.deepEqual(bars?.region, { x: 240, y: 0, width: 1440, height: 1080 });
  const many = Array.from({ length: 50 }, (_, index) => at(index * 10, index * 10 + 2 + index / 100));
  assert.equal(pictureFindings({ ...PICTURE, durationSeconds: 600, black: many }).length, 20, "bounded");
});

const TRACK: SourceAudio = {
  streamIndex: 1,
  codec: "aac",
  channels: 2,
  sampleRateHz: 48_000,
  language: "en",
  label: null,
  role: "main",
  startSeconds: 0,
  durationSeconds: 60,
};

test("sound: silence within what the track covers, loudness outside of any delivery rule, peaks above full scale", () => {
  const film = { startSeconds: 0, durationSeconds: 60 };
  const plain = { integratedLufs: -23, truePeakDbtp: -1 };
  const table: [string, Partial<HeardTrack>, Partial<SourceAudio>, string[]][] = [
    ["ordinary", {}, {}, []],
    ["a pause", { silences: [at(10, 14.9)] }, {}, []],
    ["silent", { silences: [at(10, 15)] }, {}, ["silence warning 10 15"]],
    ["silent before it begins", { silences: [at(0, 8)] }, { startSeconds: 8, durationSeconds: 52 }, []],
    ["silent throughout", { silences: [at(0, 60)], loudness: null }, {}, ["silence warning 0 60"]],
    ["a cinema mix", { loudness: { integratedLufs: -31, truePeakDbtp: -0.1 } }, {}, []],
    ["very quiet", { loudness: { integratedLufs: -36.1, truePeakDbtp: -20 } }, {}, ["loudness warning"]],
    ["very loud", { loudness: { integratedLufs: -7.9, truePeakDbtp: -1 } }, {}, ["loudness warning"]],
    ["above full scale", { loudness: { integratedLufs: -16, truePeakDbtp: 0.1 } }, {}, ["loudness warning"]],
  ];
  for (const [name, heard, track, expected] of table) {
    const found = soundFindings({ ...TRACK, ...track }, { silences: [], loudness: plain, ...heard }, film);
    assert.deepEqual(short(found), expected, name);
  }
});

test("the probe's words: an ordinary master gives none, each oddity its own", () => {
  const { video } = SOURCE;
  const ordinary: Source = { ...SOURCE, durationSeconds: 60, audio: [TRACK], subtitles: [] };
  const facts = {
    statedSeconds: 60,
    heldSeconds: 60.02,
    bitrateBps: 1e6,
    streams: [],
    hdr: null,
    gaps: [],
  };
  const hdr = {
    kind: "hdr10" as const,
    maxLuminanceNits: 1000,
    minLuminanceNits: null,
    maxContentLightNits: null,
    maxAverageLightNits: null,
  };
  const data = { index: 5, kind: "data", codec: "bin_data", bitrateBps: null, isIgnored: true };
  const bitmap = { streamIndex: 3, codec: "hdmv_pgs_subtitle", language: "en", label: null };
  const table: [string, Partial<Source>, string[]][] = [
    ["ordinary", {}, []],
    ["described before there were facts", { facts: undefined as never }, []],
    ["interlaced", { video: { ...video, fieldOrder: "tt" } }, ["interlaced info"]],
    ["uneven", { video: { ...video, variableFrameRate: true } }, ["variable_frame_rate info"]],
    ["VP8", { video: { ...video, variableFrameRate: true, codec: "vp8" } }, []],
    ["turned", { video: { ...video, rotationDegrees: 90 } }, ["rotated info"]],
    ["wide samples", { video: { ...video, sampleAspect: { num: 64, den: 45 } } }, ["odd_sample_aspect info"]],
    ["HDR10", { facts: { ...facts, hdr } }, ["hdr info"]],
    ["a hole", { facts: { ...facts, gaps: [at(3, 6)] } }, ["gaps warning 3 6"]],
    ["longer than stated", { facts: { ...facts, statedSeconds: 30 } }, ["duration_mismatch warning"]],
    ["data", { facts: { ...facts, streams: [data] } }, ["ignored_streams info"]],
    ["no sound", { audio: [] }, ["missing_audio warning"]],
    ["late", { audio: [{ ...TRACK, startSeconds: 2, durationSeconds: 58 }] }, ["short_audio warning 0 2"]],
    ["ends early", { audio: [{ ...TRACK, durationSeconds: 50 }] }, ["short_audio warning 50 60"]],
    ["goes on", { audio: [{ ...TRACK, durationSeconds: 90 }] }, ["long_audio warning"]],
    [
      "before and after",
      { audio: [{ ...TRACK, startSeconds: -2, durationSeconds: 65 }] },
      ["long_audio warning", "long_audio warning"],
    ],
    ["half a second more", { audio: [{ ...TRACK, startSeconds: -0.5, durationSeconds: 61 }] }, []],
    ["half a second", { audio: [{ ...TRACK, startSeconds: 0.5, durationSeconds: 59.1 }] }, []],
    ["pictures of text", { subtitles: [bitmap as never] }, ["subtitle_not_convertible info"]],
  ];
  for (const [name, change, expected] of table)
    assert.deepEqual(short(sourceFindings({ ...ordinary, facts, ...change })), expected, name);
});

test("what filters print, in frames: spans open to the end, what is held and what moved, the last word on bars and combs", () => {
  const reader = pictureLogReader({ from: 60, first: 70, end: 160 }, 10);
  const at = (frame: number, ...pairs: string[]): void => {
    reader.add(`frame:${frame}    pts:${frame * 512}     pts_time:${frame / 10}`);
    for (const pair of pairs) reader.add(`lavfi.${pair}`);
  };
  const moves = "freezedetect.freeze_end=0";
  at(0);
  at(2, "black_start=0.2", moves);
  at(4, "black_end=0.4", moves);
  at(8, "black_start=0.8", "freezedetect.freeze_start=0.4", "freezedetect.freeze_duration=0.4");
  at(9, "black_start=0.8");
  at(30, "black_end=3", moves, ...["x1=0", "x2=99", "y1=12", "y2=61"].map((pair) => `cropdetect.${pair}`));
  at(34, moves, "black_start=nonsense");
  at(80, "black_start=8", ...["x1=0", "x2=159", "y1=12", "y2=83"].map((pair) => `cropdetect.${pair}`));
  for (const line of ["", "no=thing", "lavfi.black_end=nonsense"]) reader.add(line);
  assert.deepEqual(reader.seen(), {
    ...{ first: 70, end: 160 },
    black: [
      { first: 62, end: 64 },
      { first: 68, end: 90 },
      { first: 140, end: 160 },
    ],
    still: [{ first: 64, end: 90 }],
    movedBefore: [60, 62, 64],
    lastMoved: 94,
    lit: { left: 0, right: 159, top: 12, bottom: 83 },
  });
  const combs = combLogReader();
  for (const pair of ["tff=3.00", "bff=1.00", "progressive=9.00"]) combs.add(`lavfi.idet.multiple.${pair}`);
  assert.deepEqual(combs.log(), { combedFrames: 4, wholeFrames: 9 });
});

/** Frames of one grey, some columns of them another. */
function frames(count: number, lumaOf: (frame: number, column: number) => number): Uint8Array[] {
  return Array.from({ length: count }, (_, frame) =>
    Uint8Array.from({ length: FLASH_COLUMNS * FLASH_ROWS }, (_, cell) => lumaOf(frame, cell % FLASH_COLUMNS)),
  );
}

test("flashes: more than three a second over a quarter of the picture, of a tenth of white, and nothing less", () => {
  const strobe = (everyFrames: number, columns = 16, dark = 16, bright = 235) =>
    frames(100, (frame, column) =>
      frame >= 25 && frame < 75 && column < columns && Math.floor(frame / everyFrames) % 2 === 1
        ? bright
        : dark,
    );
  const table: [string, Uint8Array[], number | null][] = [
    ["a still", frames(100, () => 120), null],
    ["a fade", frames(100, (frame) => 16 + 2 * frame), null],
    ["three a second", strobe(5), null],
    ["five a second", strobe(3), 1],
    ["every frame", strobe(1), 1],
    ["a quarter of it", strobe(2, 4), 0.25],
    ["less than a quarter", strobe(2, 3), null],
    ["too faint", strobe(2, 16, 100, 120), null],
    ["between two bright ones", strobe(2, 16, 220, 235), null],
    ["about what it began with", [...frames(1, () => 166), ...strobe(2, 16, 156, 175).slice(1)], 1],
  ];
  for (const [name, film, share] of table) {
    const meter = flashMeter({ frameRate: 25, framesPerSegment: 150 });
    for (const frame of film) meter.add(frame);
    const [found, ...others] = meter.spans();
    assert.deepEqual([found?.share ?? null, others.length], [share, 0], name);
    if (found === undefined) continue;
    assert.ok(Math.abs(found.first - 25) < 8 && Math.abs(found.end - 75) < 8, name);
  }
  // Every four frames of 24 is three flashes in any second, exactly the limit.
  const limit = flashMeter({ frameRate: 24, framesPerSegment: 144 });
  for (const frame of strobe(4)) limit.add(frame);
  assert.deepEqual(limit.spans(), []);
});

test("damage: the decoder's complaints and lost frames, from the first frame on", () => {
  const decode = (lines: string[], rhythm: Rhythm) => {
    const reader = decodeLogReader({ startSeconds: 10, endSeconds: 14, rhythm });
    for (const line of lines) reader.add(line);
    return reader.log();
  };
  const video = { frameSeconds: 1 };
  const whole = ["frame,10.0", "frame,11.0", "frame,12.0", "frame,13.0"];
  const complaint = "log,h264,16,6,N/A,N/A,[h264] error while decoding MB 1 1";
  const clean = { damagedFrames: 0, ranges: [] };
  assert.deepEqual(decode(whole, video), clean);
  assert.deepEqual(
    decode(["frame,10.0,log,h264,16", complaint, ...whole.slice(1)], video),
    clean,
    "before it",
  );
  assert.deepEqual(
    decode(["frame,10.0", "frame,11.0,log,h264,16", complaint, complaint, ...whole.slice(2)], video),
    {
      damagedFrames: 1,
      ranges: [at(1, 2)],
    },
  );
  assert.deepEqual(decode(["frame,10.0", "frame,12.0", "frame,13.0"], video).ranges, [at(1, 2)], "lost");
  assert.deepEqual(decode(["frame,10.0", "frame,11.0"], video).ranges, [at(2, 4)], "lost at the end");
  assert.deepEqual(decode(["frame,10.0", "frame,13.0"], null), clean, "no rhythm");
  const sound = { sampleRateHz: 1 };
  assert.deepEqual(decode(["frame,10.0,2", "frame,12.0,2"], sound), clean);
  assert.deepEqual(decode(["frame,10.0,1", "frame,12.0,2"], sound).ranges, [at(1, 2)], "samples lost");
  const severity = (damagedFrames: number) =>
    damageFindings("It", { damagedFrames, ranges: [at(1, 2)] })[0]?.severity;
  assert.deepEqual([severity(5), severity(6)], ["warning", "error"]);
});

test("a waiver holds for one code of one master, the first one stands, and all errors must be waived", () => {
  const error = (code: FindingCode): Finding => ({ code, severity: "error", message: `${code}!` });
  const note: Finding = { code: "rotated", severity: "info", message: "turned" };
  const pinned = { key: "k", etag: "new", sizeBytes: 1, sha256: null };
  const waiver = (code: string, sourceEtag: string, by = "a") => ({
    code,
    sourceEtag,
    by,
    at: new Date(0),
    reason: "r",
  });
  const asset = (waivers: AssetRecord["waivers"]) =>
    ({ findings: [error("flashing"), error("black"), note], pinned, waivers }) as AssetRecord;
  const blocking = (waivers: AssetRecord["waivers"]) =>
    blockingFindings(asset(waivers)).map(({ code }) => code);
  assert.deepEqual(blocking(undefined), ["flashing", "black"]);
  assert.deepEqual(blocking([waiver("flashing", "old")]), ["flashing", "black"], "another master");
  assert.deepEqual(blocking([waiver("flashing", "new")]), ["black"]);
  assert.deepEqual(blocking([waiver("flashing", "new"), waiver("black", "new")]), []);
  assert.equal(withWaivers(asset([waiver("rotated", "new")]))[2]?.waivedBy, undefined, "errors only");
  const first = [waiver("black", "new")];
  assert.deepEqual(addWaiver(first, waiver("black", "new", "b")), first);
  const told = (codes: FindingCode[]) => {
    const { code, retryable, failureClass } = asFailure(heldFailure(codes.map(error)));
    return [code, retryable, failureClass];
  };
  assert.deepEqual(told(["flashing"]), ["findings_not_waived", true, "source"]);
  assert.deepEqual(told(["flashing", "damage"]), ["source_damaged", true, "source"]);
});

test("a film is damaged where that was told, and all along where there are more places than are told", () => {
  const damage = (startSeconds: number) => ({
    ...{ code: "damage" as const, severity: "error" as const, message: "The picture is damaged" },
    ...{ startSeconds, endSeconds: startSeconds + 0.1 },
  });
  const places = (count: number) => Array.from({ length: count }, (_, index) => damage(index));
  const other: Finding = { code: "black", severity: "warning", message: "", startSeconds: 0, endSeconds: 60 };
  assert.deepEqual(damagedRanges([other], 60), []);
  assert.deepEqual(damagedRanges([other, damage(3)], 60), [{ startSeconds: 3, endSeconds: 3.1 }]);
  assert.equal(damagedRanges(places(19), 60).length, 19);
  assert.deepEqual(damagedRanges(places(20), 60), [{ startSeconds: 0, endSeconds: 60 }]);
});
