import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Failure } from "../../core/errors.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type Plan } from "../../core/plan.ts";
import type { Source } from "../../core/source.ts";
import { withoutLookedEntries } from "../../core/stream-entries.ts";
import { type Chunk, chunkFrames } from "../../core/timeline.ts";
import { chunkEntry } from "../../transcoder/chunk-entry.ts";
import { bytesOfCut, cutStream } from "../../transcoder/cut-stream.ts";
import { entrySpan } from "../../transcoder/entry-place.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { probeSource } from "../../transcoder/probe.ts";
import { joinEnds } from "../../transcoder/read-stream-ends.ts";
import { endedSpan } from "../../transcoder/stream-end.ts";
import { lookAtEnds } from "../../transcoder/stream-ends.ts";
import { lookBetween } from "../../transcoder/stream-looks.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { sparseCopy } from "../rig/sparse-copy.ts";

/** Transport streams described by both ends and by looks between, the rest a hole: as by a reading of all of it, or left to one. */

const run = promisify(execFile);
const { signal } = new AbortController();
let launcher: Launcher;
let folder: string;
let opened = 0;
before(async () => {
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-looks-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const X264 = "-c:v libx264 -preset ultrafast -b:v 8M";
const NOISE = "noise=alls=60:allf=t+u";

/** Fifty seconds of noise with sound, a megabyte a second. */
function film(changes: { picture?: string; codecs?: string; output?: string; extension?: string } = {}) {
  const {
    picture = "rate=25",
    codecs = `${X264} -g 50 -bf 2 -c:a aac`,
    output = "",
    extension = "ts",
  } = changes;
  return made(extension, [
    ...["-f", "lavfi", "-i", `testsrc2=size=320x192:duration=50:${picture},${NOISE}`],
    ...["-f", "lavfi", "-i", "anoisesrc=d=50:c=pink:r=48000"],
    ...`${codecs} ${output}`.trim().split(" "),
    "{out}",
  ]);
}

async function copied(...args: string[]): Promise<string> {
  return made("ts", ["-i", await film(), ...args, "-c", "copy", "{out}"]);
}

/** What is found by looks alone, and how much of the file that is; null where it is not to be described so. */
async function byLooks(path: string) {
  const copy = await sparseCopy(path, join(folder, `sparse-${opened++}`));
  const atEnds = await lookAtEnds(copy, signal);
  if (atEnds === null) return null;
  const looks = await lookBetween(atEnds, signal);
  const ends = join(folder, `ends-${opened++}`);
  await joinEnds(copy.path, copy.sizeBytes, looks, ends);
  const file = { sizeBytes: copy.sizeBytes, sha256: null };
  const source = await probeSource(launcher, ends, file, signal, () => undefined, { looks });
  return { source, copy, share: copy.heldBytes() / copy.sizeBytes };
}

const wholes = new Map<string, Promise<Source>>();

/** What a reading of all of it tells; once for each film. */
function readWhole(path: string): Promise<Source> {
  const known = wholes.get(path) ?? probeFile(launcher, path);
  wholes.set(path, known);
  return known;
}

/** Twenty seconds of the film twice, the second time as much later as its sound is longer than its picture. */
async function joined(): Promise<string> {
  const whole = await film({ codecs: `${X264} -g 50 -bf 0 -c:a aac` });
  const once = await made("mp4", ["-i", whole, "-t", "20", "-c", "copy", "{out}"]);
  return made("ts", ["-stream_loop", "1", "-i", once, "-c", "copy", "{out}"]);
}

const FILMS: readonly (readonly [string, () => Promise<string>])[] = [
  ["H.264, a group every two seconds", () => film()],
  [
    "H.264, 29.97, groups of up to ten seconds",
    () => film({ picture: "rate=30000/1001", codecs: `${X264} -g 300 -bf 2 -c:a mp2` }),
  ],
  [
    "MPEG-2, 23.976, open groups of half a second",
    () =>
      film({
        picture: "rate=24000/1001",
        codecs: "-c:v mpeg2video -b:v 8M -maxrate 8M -bufsize 2M -bf 2 -g 12 -c:a ac3",
      }),
  ],
  [
    "MPEG-2, fields",
    () =>
      film({
        picture: "rate=50,interlace=scan=tff:lowpass=off",
        codecs:
          "-c:v mpeg2video -b:v 8M -maxrate 8M -bufsize 2M -bf 2 -g 12 -flags +ildct+ilme -top 1 -c:a mp2",
      }),
  ],
  [
    "HEVC, open groups",
    () =>
      film({
        codecs:
          "-c:v libx265 -preset ultrafast -b:v 8M -x265-params log-level=none:open-gop=1:keyint=50:min-keyint=50:bframes=3 -c:a aac",
      }),
  ],
  ["a clock that begins at ten seconds", () => copied("-muxdelay", "0", "-output_ts_offset", "10")],
  ["recordings that were joined", () => joined()],
  ["packets of 192 bytes", () => copied("-mpegts_m2ts_mode", "1")],
];

for (const [name, make] of FILMS)
  test(`${name}: looks tell what all of it tells, but for where it is entered`, async () => {
    const path = await make();
    const [found, whole] = [await byLooks(path), await readWhole(path)];
    assert.ok(found !== null && found.share < 0.5, `${found?.share} of it was read`);
    const { isReckoned, stepsBack, keyframeSeconds, entries, ...video } = found.source.video;
    const { keyframeSeconds: all, entries: noted, ...seen } = whole.video;
    assert.deepEqual([isReckoned, typeof stepsBack], [true, "boolean"]);
    assert.deepEqual({ ...found.source, video }, { ...whole, video: seen });
    assert.ok(keyframeSeconds.every((seconds) => all.includes(seconds)));
    assert.equal(entries?.packetId, noted?.packetId);
    assert.ok(entries?.leadAt?.every((at, index) => at <= entries.at[index]!));
  });

/** A picture's digest each, of the frames that an encoder would be given for one chunk. */
async function shown(
  path: string,
  source: Source,
  plan: Plan,
  chunk: Chunk,
  isDamaged = false,
): Promise<string[]> {
  const frames = chunkFrames(plan.timeline, chunk);
  const { inputOptions, filters } = chunkEntry(source, plan, frames);
  const picture = [
    "-vf",
    filters.join(","),
    "-frames:v",
    String(frames.frameCount),
    "-an",
    "-f",
    "framemd5",
    "-",
  ];
  const { stdout, stderr } = await run("ffmpeg", ["-v", "error", ...inputOptions, "-i", path, ...picture]);
  assert.ok(isDamaged || stderr === "", "a decoder sees nothing that it could complain of");
  return stdout.split("\n").flatMap((line) => (/^\d/.test(line) ? [line.split(",").at(-1)!.trim()] : []));
}

for (const [name, make] of FILMS)
  test(`${name}: chunks from a stretch have the pictures of a whole reading, for few more bytes`, async () => {
    const path = await make();
    const [found, whole] = [(await byLooks(path))!, await readWhole(path)];
    const { source, copy } = found;
    const [plan, counted] = [source, whole].map((one) =>
      buildPlan(one, DEFAULT_PLAN_SETTINGS, launcher.build),
    );
    const seen = whole.video.variableFrameRate ? "retime" : "count";
    assert.deepEqual([plan!.timing, counted!.timing], ["place", seen]);
    const spanOf = (chunk: Chunk) =>
      endedSpan(copy, entrySpan(source, plan!, chunkFrames(plan!.timeline, chunk))!, signal);
    const spans = await Promise.all(plan!.chunks.map(spanOf));
    const share = spans.reduce((sum, { start, end }) => sum + end - start, 0) / copy.sizeBytes;
    assert.ok(share < 1.25, `${share} of it is read by all chunks together`);
    for (const chunk of [plan!.chunks[1]!, plan!.chunks.at(-1)!]) {
      const span = spans[chunk.index]!;
      await copy.fill(bytesOfCut(span)!, signal);
      const cut = join(folder, `cut-${opened++}`);
      assert.equal(await cutStream(copy.path, span, cut), null);
      const fromCut = await shown(cut, source, plan!, chunk);
      assert.equal(fromCut.length, chunkFrames(plan!.timeline, chunk).frameCount);
      assert.deepEqual(
        fromCut,
        await shown(path, whole, counted!, chunk),
        `chunk ${chunk.index} as it is by a whole reading`,
      );
    }
  });

/** A copy with these of its bytes changed. */
async function changed(path: string, change: (bytes: Buffer) => Buffer): Promise<string> {
  const to = join(folder, `changed-${opened++}.ts`);
  await writeFile(to, change(await readFile(path)));
  return to;
}

/** A copy whose picture's times are changed, packet by packet, between two shares of the file. */
function retimed(
  path: string,
  [from, until]: readonly [number, number],
  change: (header: Buffer) => void,
): Promise<string> {
  return changed(path, (bytes) => {
    for (let at = 0; at + 188 <= bytes.length; at += 188) {
      const packet = bytes.subarray(at, at + 188);
      const payload = 4 + (packet[3]! & 0x20 ? 1 + packet[4]! : 0);
      const isHeader = (packet[1]! & 0x40) !== 0 && payload + 19 < 188 && packet.readUIntBE(payload, 3) === 1;
      if (at >= from * bytes.length && at < until * bytes.length && isHeader && packet[payload + 7]! >= 0x80)
        change(packet.subarray(payload));
    }
    return bytes;
  });
}

/** Leaves the times of decoding out, which stand behind those of showing. */
function leaveDecodingOut(header: Buffer): void {
  if (header[7]! < 0xc0) return;
  header[7] = 0x80 | (header[7]! & 0x3f);
  header[9] = 0x20 | (header[9]! & 0x0f);
  header.fill(0xff, 14, 19);
}

/** Moves all times of a header by so many seconds. */
const moveBy = (seconds: number) => (header: Buffer) => {
  for (const at of header[7]! >= 0xc0 ? [9, 14] : [9]) {
    const high = (header[at]! >> 1) & 7;
    const [middle, low] = [header.readUInt16BE(at + 1) >> 1, header.readUInt16BE(at + 3) >> 1];
    const ticks = high * 2 ** 30 + middle * 2 ** 15 + low + seconds * 90_000;
    header[at] = (header[at]! & 0xf1) | (Math.floor(ticks / 2 ** 30) << 1);
    header.writeUInt16BE(((Math.floor(ticks / 2 ** 15) & 0x7fff) << 1) | 1, at + 1);
    header.writeUInt16BE(((ticks & 0x7fff) << 1) | 1, at + 3);
  }
};

/** Puts packets that fill up in the place of the picture's, in the middle half of the file. */
function withoutPicture(bytes: Buffer): Buffer {
  for (let at = 0; at + 188 <= bytes.length; at += 188)
    if (at > bytes.length / 4 && at < bytes.length * 0.75 && bytes.readUInt16BE(at + 1) % 0x2000 === 0x100)
      bytes.writeUInt16BE(0x1fff, at + 1);
  return bytes;
}

const ODD = { codecs: "-c:v mpeg2video -b:v 8M -maxrate 8M -bufsize 2M -bf 2 -g 47 -c:a mp2" };
const RAGGED = "rate=25,select='not(eq(mod(n,7),3))'";
for (const [name, make] of [
  [
    "groups without a picture that comes out whole",
    () => film({ codecs: `${X264} -g 50 -x264-params open-gop=1:b-adapt=0:bframes=2 -c:a aac` }),
  ],
  [
    "frames at uneven times",
    () => film({ picture: RAGGED, codecs: `${X264} -fps_mode passthrough -c:a aac` }),
  ],
  ["a sound that ends in the middle", () => film({ output: "-af atrim=end=25" })],
  ["a clock that begins anew", async () => changed(await film(), (bytes) => Buffer.concat([bytes, bytes]))],
  [
    "a stretch that is no stream",
    async () => changed(await film(), (bytes) => bytes.fill(0, bytes.length / 4, (bytes.length * 3) / 4)),
  ],
  [
    "an end that is no stream",
    async () => changed(await film(), (bytes) => bytes.fill(0, bytes.length - 2 ** 21)),
  ],
  ["no times of decoding", async () => retimed(await film(ODD), [0, 1], leaveDecodingOut)],
  [
    "no times of decoding where it is looked into",
    async () => retimed(await film(ODD), [0.34, 1], leaveDecodingOut),
  ],
  ["a clock that jumps by fifteen seconds", async () => retimed(await film(), [0.5, 1], moveBy(15))],
  ["a picture that is not there for half of the film", async () => changed(await film(), withoutPicture)],
  ["little of a film", () => copied("-t", "20")],
] as const)
  test(`${name}: the whole is to be read`, async () => {
    const found = await byLooks(await make()).catch((thrown) => thrown);
    assert.ok(found === null || (found instanceof Failure && found.failureClass === "source"), `${found}`);
  });

/** What every chunk is made of by a film's description from looks: of a stretch, or where that leaves a doubt of the whole. */
async function shownOfAll(path: string) {
  const { source, copy } = (await byLooks(path))!;
  const plan = buildPlan(source, DEFAULT_PLAN_SETTINGS, launcher.build);
  const all: string[][] = [];
  let doubts = 0;
  for (const chunk of plan.chunks) {
    const span = await endedSpan(copy, entrySpan(source, plan, chunkFrames(plan.timeline, chunk))!, signal);
    await copy.fill(bytesOfCut(span)!, signal);
    const cut = join(folder, `cut-${opened++}`);
    const isDoubted = (await cutStream(copy.path, span, cut)) !== null;
    doubts += isDoubted ? 1 : 0;
    const [file, from] = isDoubted ? [path, withoutLookedEntries(source)] : [cut, source];
    all.push(await shown(file, from, plan, chunk, isDoubted));
  }
  return { plan, all, doubts };
}

test("times of decoding that are left out where nobody has looked cost a chunk its stretch, and no frame", async () => {
  const path = await retimed(await film(ODD), [0.3, 0.36], leaveDecodingOut);
  const { plan, all, doubts } = await shownOfAll(path);
  assert.equal(doubts, 1);
  const whole = await readWhole(path);
  for (const chunk of plan.chunks)
    assert.deepEqual(all[chunk.index], await shown(path, whole, { ...plan, timing: "count" }, chunk, true));
});

test("a clock that goes back by three seconds where nobody has looked hides that of the film, and no frame stands in for it", async () => {
  const { all, doubts } = await shownOfAll(await retimed(await film(), [0.5, 1], moveBy(-3)));
  assert.ok(doubts > 0);
  const frames = all.flat();
  assert.deepEqual([frames.length, new Set(frames).size], [47 * 25, 47 * 25]);
});
