import assert from "node:assert/strict";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import { AS_IT_IS, audioRecipe } from "../../transcoder/audio-recipe.ts";
import { assemble, type FfmpegRecipe } from "../../transcoder/ffmpeg-command.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { videoRecipe } from "../../transcoder/video-recipe.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";
import { bars } from "../rig/odd-media.ts";

/** Stands in every text of the masters below, and in nothing that is made of them. */
const CANARY = "canary7f3a";
const HOSTILE = [
  `<script>${CANARY}</script>`,
  `../../../../../../tmp/${CANARY}`,
  `/tmp/${CANARY}`,
  `/out/${CANARY}%d.mp4`,
  `%n%s$(touch /tmp/${CANARY})\`touch /tmp/${CANARY}\`|touch /tmp/${CANARY};`,
  `"\n#EXTINF:1,\n${CANARY}\n-map 0 -y /tmp/${CANARY}`,
];
/** What ffmpeg writes of itself (T11), and what its demuxer says of a file's brands. */
const ALLOWED_TAGS = new Set(
  "encoder handler_name vendor_id language major_brand minor_version compatible_brands".split(" "),
);

let launcher: Launcher;
let folder: string;
before(async () => {
  launcher = await launcherForTest();
  folder = await mkdtemp(join(tmpdir(), "matinee-hostile-text-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A film whose every text is hostile: tags of file and streams, place, chapters, attachments by name. */
async function film(extension: "mp4" | "mov" | "mkv", text: string): Promise<string> {
  const clean = await bars({ seconds: 1, size: "64x64" });
  const chapters = join(folder, "chapters.txt");
  const escaped = text.replace(/[=;#\\\n]/g, (character) => `\\${character}`);
  await writeFile(chapters, `;FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=${escaped}\n`);
  const names = ["title", "artist", "comment", "location", "com.apple.quicktime.location.ISO6709", "encoder"];
  const place = `+48.8584+002.2945/${CANARY}`;
  const tags = names.flatMap((name) => ["-metadata", `${name}=${name.includes("location") ? place : text}`]);
  const streams = ["v:0", "a:0"].flatMap((stream) =>
    ["title", "handler_name", "language"].flatMap((name) => [`-metadata:s:${stream}`, `${name}=${text}`]),
  );
  const attachment =
    extension === "mkv"
      ? ["-attach", chapters, "-metadata:s:2", `filename=${text}`, "-metadata:s:2", "mimetype=font/ttf"]
      : ["-movflags", "use_metadata_tags"];
  return made(extension, [
    ...["-i", clean, "-i", chapters, "-map", "0", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy"],
    ...[...tags, ...streams, ...attachment, "{out}"],
  ]);
}

test("T11 T13 T09 nothing of a master's texts is in what is made of it, and no file is named by them", async () => {
  for (const [place, extension] of (["mp4", "mov", "mkv"] as const).entries())
    for (const text of HOSTILE.filter((_, index) => index % 3 === place)) {
      const source = await film(extension, text);
      assert.ok((await readFile(source)).includes(CANARY), "the master carries it");
      const described = await probeFile(launcher, source);
      const plan = buildPlan(described, { ...DEFAULT_PLAN_SETTINGS, preset: "ultrafast" }, launcher.build);
      const out = await mkdtemp(join(folder, "out-"));
      const ladder = plan.ladders[0]!;
      const recipes: FfmpegRecipe[] = [
        videoRecipe(described, plan, ladder, plan.chunks[0]!),
        audioRecipe(described, plan.timeline, plan.audio[0]!, AS_IT_IS),
      ];
      for (const recipe of recipes) {
        const args = assemble(recipe);
        assert.ok(!args.some((argument) => argument.includes(CANARY)), "no text is an argument");
        const run = await launcher.run({
          program: "ffmpeg",
          args,
          source,
          outputDirectory: out,
          limits: { wallSeconds: 120, cpuSeconds: 30, outputBytes: 8 * 2 ** 20 },
        });
        assert.equal(run.exitCode, 0, run.stderrTail);
      }
      const expected = recipes.flatMap(({ outputs }) =>
        outputs.map(({ file }) => {
          assert.match(file, /^\/out\/[\w.-]+$/, "a constant place");
          return file.replace("/out/", "");
        }),
      );
      assert.deepEqual((await readdir(out)).sort(), expected.sort(), `${extension} ${text}`);
      for (const name of expected) {
        assert.ok(!(await readFile(join(out, name))).includes(CANARY), name);
        assert.deepEqual(await strangeTags(join(out, name)), [], name);
      }
      await rm(out, { recursive: true });
    }
  for (const path of [`/tmp/${CANARY}`, `/out`, join(folder, CANARY)])
    await assert.rejects(access(path), path);
});

async function strangeTags(source: string): Promise<string[]> {
  const run = await launcher.run({
    program: "ffprobe",
    args: ["-v", "error", "-show_format", "-show_streams", "-show_chapters", "-of", "json", "/in/source"],
    source,
    limits: { wallSeconds: 60, cpuSeconds: 20, outputBytes: 0 },
  });
  const { format, streams, chapters } = JSON.parse(run.stdout);
  const tags = [format, ...streams].flatMap((one) => Object.keys(one.tags ?? {}));
  return [...tags.filter((tag) => !ALLOWED_TAGS.has(tag.toLowerCase())), ...chapters.map(() => "a chapter")];
}

test("T03 texts that ffmpeg would paint as a picture, and subtitles inside of an AVI that are a playlist: none is taken", async () => {
  const ansi = `\u001b[31m${"secret ".repeat(400)}\u001b[0m`;
  const files: [string, Uint8Array][] = [
    ["tty.mp4", Buffer.from(ansi)],
    ["ansi.ans", Buffer.from(`${ansi}\u001a`)],
    ["binary-text.bin", Buffer.from("S\u0007".repeat(2_000))],
    ["xbin.xb", Buffer.from(`XBIN\u001a\u0050\u0000\u0019\u0000\u0010\u0000${"x\u0007".repeat(2_000)}`)],
    [
      "ice.idf",
      Buffer.from(
        `\u00041.4\u0000\u0000\u0000\u0000\u004f\u0000\u0019\u0000${"x\u0007".repeat(2_000)}`,
        "latin1",
      ),
    ],
    [
      "gab2.avi",
      aviWithText("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
    ],
  ];
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    await writeFile(path, bytes);
    await assert.rejects(probeFile(launcher, path), { failureClass: "source" }, name);
  }
});

/** An AVI that holds one `txts` stream, its only chunk a GAB2 subtitle with this text as its file. */
function aviWithText(text: string): Buffer {
  const chunk = (id: string, ...body: Buffer[]): Buffer => {
    const all = Buffer.concat(body);
    const header = Buffer.alloc(8);
    header.write(id, "latin1");
    header.writeUInt32LE(all.length, 4);
    return Buffer.concat([header, all, Buffer.alloc(all.length % 2)]);
  };
  const list = (type: string, ...body: Buffer[]): Buffer => chunk("LIST", Buffer.from(type), ...body);
  const words = (...values: number[]): Buffer => {
    const buffer = Buffer.alloc(values.length * 4);
    values.forEach((value, index) => {
      buffer.writeUInt32LE(value, index * 4);
    });
    return buffer;
  };
  const file = Buffer.from(text);
  // "GAB2", then a Unicode name of no length, then the file.
  const gab2 = Buffer.concat([
    Buffer.from("GAB2\0\u0002\0", "latin1"),
    words(0),
    Buffer.from([4, 0]),
    words(file.length),
    file,
  ]);
  const streamHeader = Buffer.concat([Buffer.from("txts"), words(0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0)]);
  return Buffer.concat([
    chunk(
      "RIFF",
      Buffer.from("AVI "),
      list(
        "hdrl",
        chunk("avih", words(40_000, 0, 0, 16, 1, 0, 1, 0, 64, 64, 0, 0, 0, 0)),
        list("strl", chunk("strh", streamHeader), chunk("strf")),
      ),
      list("movi", chunk("00tx", gab2)),
    ),
  ]);
}
