import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import type { Launcher, RunOutcome } from "../../transcoder/launcher.ts";
import { launcherForTest, probeByIndex, probeFile, samplesOf } from "../rig/launcher.ts";
import { BIG_BUCK_BUNNY, made } from "../rig/media.ts";
import * as odd from "../rig/odd-media.ts";

let launcher: Launcher;
let folder: string;
before(async () => {
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-probe-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function codeOf(path: string, runs: RunOutcome[] = []): Promise<string> {
  try {
    await probeFile(launcher, path, runs);
    return "taken";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

test("a real film: its picture, its sound, its clock, in under a second of CPU", async () => {
  const runs: RunOutcome[] = [];
  const { video, audio, durationSeconds } = await probeFile(launcher, resolve(BIG_BUCK_BUNNY), runs);
  assert.deepEqual(
    [video.codec, video.width, video.height, video.frameRate, video.frameCount, video.variableFrameRate],
    ["h264", 1920, 1080, { num: 24, den: 1 }, 720, false],
  );
  assert.equal(durationSeconds, 30);
  assert.deepEqual(
    [audio.length, audio[0]?.codec, audio[0]?.channels, audio[0]?.sampleRateHz],
    [1, "aac", 6, 48_000],
  );
  assert.equal(video.keyframeSeconds[0], 0);
  assert.deepEqual(
    // Two of them side by side.
    runs.map((run) => `${run.argv[0]} ${run.exitCode}`).sort(),
    ["ffmpeg 0", "ffprobe 0", "ffprobe 0"],
  );
});

test("a film that lists its samples is described by them as by a reading of all of it, with fewer programs", async () => {
  const path = resolve(BIG_BUCK_BUNNY);
  const runs: RunOutcome[] = [];
  assert.deepEqual(await probeByIndex(launcher, path, runs), await probeFile(launcher, path));
  assert.deepEqual(runs.map(({ argv }) => argv[0]).sort(), ["ffmpeg", "ffprobe"]);
});

test("of two pictures the one that is meant is looked at, wherever it stands", async () => {
  const meant = (index: number) =>
    made("mp4", [
      ...[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=128x72:r=25:d=1",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=192x108:r=25:d=1",
      ],
      ...["-map", "0:v", "-map", "1:v", "-c:v", "libx264", "-preset", "ultrafast"],
      ...[`-disposition:v:${index}`, "default", `-disposition:v:${1 - index}`, "0", "{out}"],
    ]);
  for (const [index, width] of [128, 192].entries()) {
    const path = await meant(index);
    const { video } = await probeByIndex(launcher, path);
    assert.deepEqual([video.streamIndex, video.width], [index, width]);
    // What is not meant may be broken; what is meant must come out.
    for (const broken of [0, 1]) {
      const spoilt = await withoutSamples(path, broken, `two-${index}-${broken}.mp4`);
      const probing = probeByIndex(launcher, spoilt);
      if (broken === index) await assert.rejects(probing, { code: "source_damaged" });
      else assert.equal((await probing).video.width, width);
    }
  }
});

/** The same film with noughts for one track's samples. */
async function withoutSamples(path: string, track: number, name: string): Promise<string> {
  const bytes = await readFile(path);
  const { offsets, sizes } = (await samplesOf(path))![track]!;
  for (const [at, offset] of offsets.entries()) bytes.fill(0, offset, offset + sizes[at]!);
  return fileOf(name, bytes);
}

test("chapters come along from any container that has them", async () => {
  const part = (start: number, end: number, title: string) =>
    `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=${title}\n`;
  const text = `;FFMETADATA1\n${part(0, 1000, "Opening")}${part(1000, 2000, "Größe & Tiefe")}`;
  const metadata = `data:text/plain;base64,${Buffer.from(text).toString("base64")}`;
  for (const container of ["mkv", "mp4"]) {
    const film = await made(container, [
      ...["-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=2", "-f", "ffmetadata", "-i", metadata],
      ...["-map_chapters", "1", "-c:v", "libx264", "-preset", "ultrafast", "{out}"],
    ]);
    const { facts } = await probeFile(launcher, film, []);
    assert.deepEqual(
      facts?.chapters,
      [
        { startSeconds: 0, name: "Opening" },
        { startSeconds: 1, name: "Größe & Tiefe" },
      ],
      container,
    );
  }
});

test("every standard rate comes out exact, in every container", async () => {
  const rates = [
    "24000/1001",
    "24/1",
    "25/1",
    "30000/1001",
    "30/1",
    "50/1",
    "60000/1001",
    "60/1",
    "179/6",
    "12/1",
  ];
  for (const extension of ["mp4", "mkv", "ts"])
    for (const rate of rates) {
      const source = await probeFile(
        launcher,
        await odd.bars({ seconds: 3, rate, size: "64x64", audio: false, extension }),
      );
      const [num, den] = rate.split("/").map(Number) as [number, number];
      const { frameRate, frameCount, variableFrameRate } = source.video;
      const name = `${rate} in ${extension}: ${frameRate.num}/${frameRate.den}`;
      assert.deepEqual(frameRate, { num, den }, name);
      assert.equal(frameCount, Math.ceil((3 * num) / den), name);
      assert.equal(variableFrameRate, false, name);
    }
});

test("odd masters are described as they are shown", async () => {
  const of = (path: string) => probeFile(launcher, path);
  const variable = (await of(await odd.variableRate())).video;
  assert.deepEqual([variable.variableFrameRate, variable.frameRate], [true, { num: 25, den: 1 }]);

  const rotated = (await of(await odd.rotated())).video;
  assert.deepEqual(
    [rotated.codedWidth, rotated.codedHeight, rotated.width, rotated.height],
    [320, 180, 180, 320],
  );

  const anamorphic = (await of(await odd.anamorphic())).video;
  assert.deepEqual([anamorphic.width, anamorphic.height], [1024, 576]);

  const fast = (await of(await odd.bars({ rate: "120", audio: false }))).video;
  assert.deepEqual([fast.frameRate, fast.frameCount], [{ num: 60, den: 1 }, 120]);

  const lateSound = await of(await odd.lateSound());
  assert.deepEqual([lateSound.audio[0]?.startSeconds, lateSound.video.startSeconds], [1.5, 0]);

  const lateStart = (await of(await odd.lateStart())).video;
  assert.deepEqual([lateStart.startSeconds, lateStart.frameCount], [10, 50]);
  assert.ok(lateStart.fileStartSeconds < 10);

  const trimmed = (await of(await odd.trimmedByEditList())).video;
  assert.deepEqual([trimmed.frameCount, trimmed.startSeconds], [75, 0]);

  const deep = (
    await of(await odd.bars({ audio: false, video: ["-c:v", "libx264", "-pix_fmt", "yuv420p10le"] }))
  ).video;
  assert.equal(deep.bitDepth, 10);
});

test("languages and names are cleaned of what playlists would stumble over", async () => {
  const { audio, subtitles } = await probeFile(launcher, await odd.manyTracks());
  assert.deepEqual(
    audio.map(({ language, label }) => [language, label]),
    [
      ["de", null],
      ["pt-BR", "Say hi ,URI= x more"],
      ["und", null],
    ],
  );
  assert.deepEqual(
    subtitles.map(({ codec, language }) => [codec, language]),
    [["subrip", "en"]],
  );
});

test("what cannot be used is refused with its own code", async () => {
  const film = await odd.bars({ seconds: 8, output: ["-movflags", "+faststart"] });
  const late = await odd.bars({ seconds: 8 });
  const matroska = await odd.bars({ seconds: 8, extension: "mkv" });
  const unknown = ["-c:v", "magicyuv", "-pix_fmt", "yuv444p"];
  const table: [string, string | Promise<string>, string][] = [
    ["nothing", fileOf("empty.mp4", ""), "unsupported_container"],
    ["twenty bytes", fileOf("twenty.mp4", "01234567890123456789"), "unsupported_container"],
    ["a text", fileOf("text.mp4", "This is no film at all.\n".repeat(99)), "unsupported_container"],
    ["sound only", made("mp4", ["-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac", "{out}"]), "no_video"],
    ["a song with its cover", odd.soundWithCover(), "no_video"],
    [
      "T05 MagicYUV, a codec that nobody needs",
      odd.bars({ extension: "mkv", audio: false, video: unknown }),
      "unsupported_codec",
    ],
    ["F25 cut off behind its index", fileOf("a.mp4", await odd.cutOff(film, 0.6)), "source_damaged"],
    ["F25 by one percent", fileOf("d.mp4", await odd.cutOff(film, 0.99)), "source_damaged"],
    ["F25 cut off before its index", fileOf("b.mp4", await odd.cutOff(late, 0.6)), "source_damaged"],
    ["F25 Matroska, cut off", fileOf("c.mkv", await odd.cutOff(matroska, 0.6)), "source_damaged"],
    ["T07 two frames a quarter of an hour apart", odd.durationBomb(), "timeline_invalid"],
  ];
  for (const [name, path, code] of table) assert.equal(await codeOf(await path), code, name);
});

test("a film under protection is refused for what it is", async () => {
  const refused = { code: "unsupported_codec", message: /The picture is encrypted/ };
  await assert.rejects(probeFile(launcher, await odd.encrypted()), refused);
});

test("T06 pixel bombs are refused without being decoded", async () => {
  for (const [codec, code] of [
    ["png", "unsupported_codec"],
    ["hevc", "dimensions_refused"],
  ] as const) {
    const runs: RunOutcome[] = [];
    assert.equal(await codeOf(await odd.pixelBomb(codec), runs), code);
    const cpuSeconds = runs.reduce((sum, run) => sum + run.cpuSeconds, 0);
    assert.ok(cpuSeconds < 1, `${codec}: ${cpuSeconds} CPU seconds`);
  }
});

test("T08 a thousand streams are refused", async () => {
  const cue = await fileOf("cue.srt", "1\n00:00:00,000 --> 00:00:01,000\nx\n");
  const maps = Array.from({ length: 100 }, () => ["-map", "1:s"]).flat();
  const film = await odd.bars({ audio: false });
  const path = await made("mkv", ["-i", film, "-i", cue, "-map", "0:v", ...maps, "-c", "copy", "{out}"]);
  assert.equal(await codeOf(path), "too_many_streams");
});

test("T01 T02 T03 playlists, scripts and texts named .mp4: nothing is fetched, nothing beside them is read", async () => {
  let connections = 0;
  const canary = createServer((_, response) => response.end()).on("connection", () => {
    connections++;
  });
  canary.listen(0, "127.0.0.1");
  canary.unref();
  await once(canary, "listening");
  const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/x.ts`;
  const sibling = resolve(BIG_BUCK_BUNNY);
  const hls = (uri: string, end: string): string =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n${uri}\n${end}`;
  const dash = (base: string): string =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT6S"><Period><BaseURL>${base}</BaseURL><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><SegmentList><SegmentURL media="x"/></SegmentList></Representation></AdaptationSet></Period></MPD>`;
  const texts = [
    ...[
      hls(url, "#EXT-X-ENDLIST\n"),
      hls(url, ""),
      hls(sibling, "#EXT-X-ENDLIST\n"),
      hls("file:///etc/passwd", ""),
    ],
    `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${url}\n`,
    `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-KEY:METHOD=AES-128,URI="${url}"\n#EXTINF:6,\nx.ts\n`,
    ...[dash(url), dash(sibling)],
    ...[`ffconcat version 1.0\nfile '${url}'\n`, `ffconcat version 1.0\nfile '${sibling}'\n`],
    `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
    `<ASX version="3.0"><entry><ref href="${url}"/></entry></ASX>`,
    `[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:05.00,Default,,0,0,0,,x\n`,
    `;FFMETADATA1\ntitle=x\n`,
    `XBIN\x1a\x50\x00\x19\x00\x10\x00${"x\x07".repeat(2000)}`,
    `WEBVTT\n\n00:00.000 --> 00:05.000\nx\n`,
  ];
  for (const [index, text] of texts.entries()) {
    const path = await fileOf(`list-${index}.mp4`, text);
    assert.equal(await codeOf(path), "unsupported_container", text.slice(0, 60));
  }
  // The sandbox alone must hold too: the same lists with every demuxer and protocol that ffmpeg has.
  const lists = [...texts.entries()].filter(([, text]) => text.includes(url) || text.includes(sibling));
  for (const [index, text] of lists) {
    const run = await launcher.run({
      program: "ffprobe",
      args: ["-v", "error", "-show_packets", "-of", "csv", "/in/source"],
      source: join(folder, `list-${index}.mp4`),
      limits: { wallSeconds: 2, cpuSeconds: 5, outputBytes: 0 },
    });
    assert.equal(run.stdout, "", text.slice(0, 60));
  }
  canary.close();
  assert.equal(connections, 0);
});
