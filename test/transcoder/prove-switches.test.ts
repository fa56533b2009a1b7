import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { resolvePath } from "../../core/conformance/package-view.ts";
import { readFragments } from "../../core/fragments.ts";
import { splitInit } from "../../core/init-segment.ts";
import type { Launcher } from "../../transcoder/launcher.ts";
import { openRung } from "../../transcoder/open-rung.ts";
import { proveSwitches } from "../../transcoder/prove-switches.ts";
import { launcherForTest } from "../rig/launcher.ts";
import { made } from "../rig/media.ts";

/** Three rungs of six groups of pictures, two of them a segment: the border lies before the second segment. */
const SIZES = ["320x180", "256x144", "160x90"];
const GROUPS_PER_SEGMENT = 2;

type Files = Map<string, Uint8Array>;
const CLOSED = ["-x264-params", "keyint=25:scenecut=0:open-gop=0"];
/** One keyframe in all: whoever comes to it in the middle has nothing to begin from. */
const WITHOUT_BEGINNING = ["-x264-params", "keyint=infinite:scenecut=0:intra-refresh=0"];

async function rungFiles(size: string, groups: readonly string[] = CLOSED): Promise<[string, Uint8Array][]> {
  const file = await made("mp4", [
    ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25:duration=6`, "-pix_fmt", "yuv420p"],
    ...["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", ...groups, "-frag_duration", "1000000"],
    ...["-movflags", "+empty_moov+default_base_moof+skip_trailer", "-use_editlist", "0", "{out}"],
  ]);
  const { init, rest } = splitInit(await readFile(file));
  const fragments = readFragments(rest);
  assert.equal(fragments.length, 3 * GROUPS_PER_SEGMENT);
  const segments = [0, 1, 2].map((segment): [string, Uint8Array] => {
    const [first] = fragments.slice(segment * GROUPS_PER_SEGMENT);
    const last = fragments[(segment + 1) * GROUPS_PER_SEGMENT - 1]!;
    return [`video/${size}/${segment}.m4s`, rest.slice(first!.offset, last.offset + last.bytes)];
  });
  const listed = segments.map((_, segment) => `#EXTINF:2,\n${segment}.m4s`).join("\n");
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="init.mp4"\n${listed}\n#EXT-X-ENDLIST\n`;
  return [[`video/${size}/init.mp4`, init], [`video/${size}/media.m3u8`, Buffer.from(playlist)], ...segments];
}

let launcher: Launcher;
let files: Files;
before(async () => {
  launcher = await launcherForTest();
  files = new Map((await Promise.all(SIZES.map((size) => rungFiles(size)))).flat());
});

const folders: string[] = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function prove(package_: Files) {
  const directory = await mkdtemp(join(tmpdir(), "matinee-switches-"));
  folders.push(directory);
  let decoders = 0;
  const bench = {
    ...{ launcher, directory, signal: new AbortController().signal },
    read: async (path: string) => package_.get(path) ?? null,
    note: () => void decoders++,
  };
  const entries = SIZES.map((size) => ({ uri: `video/${size}/media.m3u8`, attributes: new Map() }));
  const rungs = await Promise.all(entries.map((entry) => openRung(bench, "main.m3u8", entry)));
  const lines = await proveSwitches(bench, rungs);
  return { lines, decoders, failed: lines.filter(({ verdict }) => verdict === "fail") };
}

/** Zeros in the middle of every picture of one group: boxes are whole, the coding is not. */
function scratched(size: string, segment: number, group: number): Files {
  const path = resolvePath("main.m3u8", `video/${size}/${segment}.m4s`);
  const copy = Uint8Array.from(files.get(path)!);
  for (const { offset, sizeBytes } of readFragments(copy)[group]!.samples)
    copy.fill(0, offset + 4 + (sizeBytes >> 2), offset + sizeBytes);
  return new Map(files).set(path, copy);
}

test("one decoder plays all switches, and says of each how many frames came out", async () => {
  const { lines, decoders } = await prove(files);
  assert.equal(decoders, 1);
  assert.deepEqual(
    lines.map(({ part, check, verdict, evidence }) => `${part} ${check} ${verdict} ${evidence}`),
    [
      "video/320x180 switches pass to video/256x144 before segment 1: 25 and 25 frames, no complaint",
      "video/256x144 switches pass to video/160x90 before segment 1: 25 and 25 frames, no complaint",
    ],
  );
});

for (const [name, breaking, parts] of [
  ["before the first border", () => scratched("320x180", 0, 1), ["video/320x180"]],
  ["of the rung between", () => scratched("256x144", 1, 0), ["video/320x180"]],
  ["of the last rung", () => scratched("160x90", 1, 0), ["video/256x144"]],
  [
    "of a rung that goes on elsewhere",
    () => new Map(files).set("video/160x90/1.m4s", files.get("video/160x90/2.m4s")!),
    ["video/256x144"],
  ],
] as const) {
  test(`a broken group ${name} fails its own switch and no other`, async () => {
    const { failed, decoders } = await prove(breaking());
    assert.deepEqual(
      failed.map(({ part }) => part),
      parts,
    );
    assert.equal(decoders, 3, "the row, then each switch alone");
  });
}

test("a rung that does not begin anew at the border fails", async () => {
  const package_ = new Map([...files, ...(await rungFiles("256x144", WITHOUT_BEGINNING))]);
  const { failed } = await prove(package_);
  assert.ok(failed.some(({ part }) => part === "video/320x180"));
});
