import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFile, type ISOFile, MP4BoxBuffer } from "mp4box";
import { codecString } from "../../core/codec-string.ts";
import { Failure } from "../../core/errors.ts";
import { setSequenceNumber, writeSegment } from "../../core/fragment.ts";
import { readFragments } from "../../core/fragments.ts";
import { readInit, splitInit } from "../../core/init-segment.ts";
import { fragmentedAudio, fragmentedVideo } from "../rig/fragmented.ts";

/** What mp4box, another reader by other people, sees in the same bytes. */
function readByMp4box(file: Uint8Array): {
  track: ISOFile["moov"]["traks"][number];
  codec: string;
  samples: unknown[];
} {
  const mp4 = createFile();
  mp4.appendBuffer(MP4BoxBuffer.fromArrayBuffer(Uint8Array.from(file).buffer, 0), true);
  mp4.flush();
  const track = mp4.moov.traks[0]!;
  const samples = mp4.getTrackSamplesInfo(track.tkhd.track_id).map((sample) => ({
    durationTicks: sample.duration,
    sizeBytes: sample.size,
    isSync: sample.is_sync,
    compositionOffsetTicks: sample.cts - sample.dts,
    offset: sample.offset,
    decodeTime: sample.dts,
  }));
  return { track, codec: mp4.getInfo().tracks[0]!.codec, samples };
}

/** The same facts by our reader. */
function readByUs(file: Uint8Array): unknown[] {
  return readFragments(file).flatMap((fragment) => {
    let decodeTime = fragment.baseDecodeTime;
    return fragment.samples.map((sample) => {
      const facts = { ...sample, decodeTime };
      decodeTime += sample.durationTicks;
      return facts;
    });
  });
}

const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

test("every sample of ffmpeg's fragments reads as mp4box reads it", async () => {
  for (const file of [await fragmentedVideo(), await fragmentedAudio()]) {
    const theirs = readByMp4box(file);
    assert.ok(theirs.samples.length > 70);
    assert.deepEqual(readByUs(file), theirs.samples);
    const init = readInit(file);
    assert.equal(init.timescale, theirs.track.mdia.mdhd.timescale);
    assert.equal(init.trackId, theirs.track.tkhd.track_id);
  }
});

test("the facts of an init segment, and where the fragments begin", async () => {
  const video = await fragmentedVideo();
  const { init, rest } = splitInit(video);
  const { trackId, kind, timescale, sampleEntry, width, height } = readInit(init);
  assert.deepEqual(
    [trackId, kind, timescale, sampleEntry, width, height],
    [1, "video", 25_000, "avc1", 320, 180],
  );
  assert.deepEqual(joined(init, rest), Uint8Array.from(video));
  const fragments = readFragments(rest);
  assert.deepEqual(
    fragments.map((one) => [one.baseDecodeTime, one.samples.length, one.samples[0]?.isSync]),
    [
      [0, 25, true],
      [25_000, 25, true],
      [50_000, 25, true],
    ],
  );
  assert.deepEqual(
    fragments.map((one) => one.sequenceNumber),
    [1, 2, 3],
  );
  // 14496-14 5.6.1: the sample entry's channel count of MPEG-4 audio is always 2, also for one channel.
  const audio = readInit(await fragmentedAudio());
  assert.deepEqual([audio.kind, audio.timescale, audio.channels], ["audio", 48_000, 2]);
});

test("RFC 6381 strings are those that mp4box derives, and as the standards spell them", async () => {
  const x265 = [
    "-c:v",
    "libx265",
    "-tag:v",
    "hvc1",
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=none",
  ];
  const av1 = ["-c:v", "libsvtav1", "-preset", "12", "-crf", "50", "-g", "25"];
  const table: [Uint8Array, RegExp][] = [
    [await fragmentedVideo(), /^avc1\.64000c$/],
    [await fragmentedVideo(x265), /^hvc1\.1\.6\.L60\.90$/],
    [await fragmentedVideo(av1), /^av01\.0\.00M\.08$/],
    [await fragmentedAudio(), /^mp4a\.40\.2$/],
  ];
  for (const [file, expected] of table) {
    const ours = codecString(splitInit(file).init);
    assert.match(ours, expected);
    assert.ok(readByMp4box(file).codec.startsWith(ours), `${readByMp4box(file).codec} against ${ours}`);
  }
});

test("an audio segment of ours reads back, by us and by mp4box, frame for frame", async () => {
  const { init, rest } = splitInit(await fragmentedAudio());
  const frames = readFragments(rest).flatMap((fragment) =>
    fragment.samples.map((sample) => rest.slice(sample.offset, sample.offset + sample.sizeBytes)),
  );
  const cut = 50;
  const segment = (sequenceNumber: number, from: number, to: number): Uint8Array =>
    writeSegment({
      sequenceNumber,
      baseDecodeTime: from * 1024,
      sampleDurationTicks: 1024,
      frames: frames.slice(from, to),
    });
  const file = joined(init, segment(1, 0, cut), segment(2, cut, frames.length));
  assert.deepEqual(readByUs(file), readByMp4box(file).samples);
  const read = readFragments(file).flatMap((fragment) =>
    fragment.samples.map((sample) => file.slice(sample.offset, sample.offset + sample.sizeBytes)),
  );
  assert.deepEqual(
    read,
    frames.map((frame) => Uint8Array.from(frame)),
  );
  assert.deepEqual(
    readFragments(file).map((one) => one.baseDecodeTime),
    [0, cut * 1024],
  );
});

test("times past four thousand million ticks keep every bit", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat({ max: 2 ** 32 - 1 }), (baseDecodeTime, sequenceNumber) => {
      const frames = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
      const bytes = writeSegment({ sequenceNumber, baseDecodeTime, sampleDurationTicks: 1024, frames });
      const [fragment] = readFragments(bytes);
      assert.deepEqual(
        [fragment?.baseDecodeTime, fragment?.sequenceNumber],
        [baseDecodeTime, sequenceNumber],
      );
    }),
  );
});

test("a new sequence number changes its four bytes and nothing else", async () => {
  const { rest } = splitInit(await fragmentedVideo());
  const bytes = rest.slice();
  const fragment = readFragments(bytes)[1]!;
  setSequenceNumber(bytes, fragment, 0xfedcba98);
  assert.equal(readFragments(bytes)[1]?.sequenceNumber, 0xfedcba98);
  setSequenceNumber(bytes, fragment, fragment.sequenceNumber);
  assert.deepEqual(bytes, rest);
});

test("damaged boxes are answered with a failure, never with another error or without end", async () => {
  const file = await fragmentedVideo();
  const { init } = splitInit(file);
  const headers = file.length - readFragments(file).at(-1)!.bytes;
  fc.assert(
    fc.property(fc.nat({ max: headers - 1 }), fc.nat({ max: 255 }), fc.boolean(), (at, value, isCut) => {
      const damaged = isCut ? file.slice(0, at) : Uint8Array.from(file);
      if (!isCut) damaged[at] = value;
      for (const read of [readFragments, splitInit, readInit, codecString]) {
        try {
          read(damaged);
        } catch (error) {
          assert.ok(error instanceof Failure, `${read.name}: ${error}`);
        }
      }
    }),
    { numRuns: 3000, seed: 7, examples: [[init.length - 1, 0, true]] },
  );
});
