import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPlan, DEFAULT_PLAN_SETTINGS, type PlanSettings } from "../../core/plan.ts";
import type { TaskResult } from "../../core/records/task-result.ts";
import type { Sidecar } from "../../core/sidecar.ts";
import type { Source } from "../../core/source.ts";
import { movedResult, objectsOf, recipesOf } from "../../core/task-recipe.ts";
import { SOURCE } from "../api/api-for-test.ts";

const MASTER: Source = {
  ...SOURCE,
  audio: [
    {
      ...{ streamIndex: 1, codec: "aac", channels: 6, sampleRateHz: 48_000, language: "en", label: null },
      ...{ role: "main", startSeconds: 0, durationSeconds: 30 },
    },
  ],
};
const PINNED = { key: "t/up_1/source", etag: '"e"', sizeBytes: 1_000_000, sha256: null };
const FILE = { language: "de", label: null, etag: '"s"', sizeBytes: 9, sha256: null, createdAt: new Date(0) };
const SUBTITLE: Sidecar = { ...FILE, id: "sc_1", key: "t/s1", kind: "subtitle", role: "main", format: "vtt" };
const SOUND: Sidecar = {
  ...{ ...FILE, id: "sc_2", key: "t/s2", kind: "audio", role: "main" },
  sound: { streamIndex: 0, codec: "flac", channels: 2, sampleRateHz: 44_100, durationSeconds: 30 },
};

interface Making {
  source?: Source;
  pinned?: typeof PINNED;
  sidecars?: Sidecar[];
  settings?: Partial<PlanSettings>;
  build?: string;
}

/** The recipe of every kind of task of an asset made so. */
function recipes({
  source = MASTER,
  pinned = PINNED,
  sidecars = [],
  settings = {},
  build = "b",
}: Making = {}) {
  const plan = buildPlan(source, { ...DEFAULT_PLAN_SETTINGS, ...settings }, build, sidecars);
  const recipeOf = recipesOf({ plan, source, pinned });
  return {
    chunk: recipeOf({ kind: "video", part: "h264", chunk: 0 }),
    next: recipeOf({ kind: "video", part: "h264", chunk: 1 }),
    sound: recipeOf({ kind: "audio", part: "a0", chunk: 0 }),
    surround: recipeOf({ kind: "audio", part: "a0-51", chunk: 0 }),
    images: recipeOf({ kind: "images", part: "h264", chunk: 0 }),
    look: recipeOf({ kind: "look", part: "h264", chunk: 0 }),
    nextLook: recipeOf({ kind: "look", part: "h264", chunk: 1 }),
    added: recipeOf({ kind: "audio", part: "sc_2", chunk: 0 }),
  };
}

test("each task has its own; inspecting, reading back and publishing have none", () => {
  const own = Object.values(recipes());
  assert.equal(new Set(own).size, own.length);
  const recipeOf = recipesOf({
    plan: buildPlan(MASTER, DEFAULT_PLAN_SETTINGS, "b"),
    source: MASTER,
    pinned: PINNED,
  });
  assert.equal(recipeOf({ kind: "probe", part: "r1", chunk: 0 }), null);
  assert.equal(recipeOf({ kind: "inspect", part: "h264", chunk: 0 }), null);
  assert.equal(recipeOf({ kind: "verify", part: "h264", chunk: 0 }), null);
  assert.equal(recipeOf({ kind: "publish", part: "r1", chunk: 0 }), null);
  assert.equal(
    recipesOf({ plan: null, source: null, pinned: null })({ kind: "video", part: "h264", chunk: 0 }),
    null,
  );
});

const before = recipes();
const changedBy = (making: Making): string[] => {
  const after = recipes(making);
  return Object.entries(before).flatMap(([name, recipe]) =>
    after[name as keyof typeof after] === recipe ? [] : [name],
  );
};

const english = MASTER.audio.map((track) => ({
  ...track,
  ...{ language: "en-GB", label: "Stereo", role: "commentary" as const },
}));
const all = ["chunk", "next", "sound", "surround", "images", "look", "nextLook"];
const table: [string, Making, string[]][] = [
  ["the same again", {}, []],
  ["the same bytes sent again", { pinned: { ...PINNED, key: "t/up_2/source" } }, []],
  ["another name of a track", { source: { ...MASTER, audio: english } }, []],
  ["a subtitle", { sidecars: [SUBTITLE] }, []],
  ["sound beside the master", { sidecars: [SOUND] }, ["added"]],
  ["further codecs", { settings: { encoding: { codecs: ["h264", "hevc", "av1"] } } }, []],
  ["another loudness", { settings: { loudnessTargetLufs: -23 } }, ["sound", "surround"]],
  ["another rate of stereo", { settings: { audioBitrateBps: 96_000 } }, ["sound"]],
  ["another preset", { settings: { preset: "medium" } }, ["chunk", "next", "images", "look", "nextLook"]],
  [
    "protection",
    { settings: { protection: { scheme: "cbcs", keyId: "0".repeat(32) } } },
    ["chunk", "next", "sound", "surround"],
  ],
  ["another build", { build: "c" }, all],
  ["another master", { pinned: { ...PINNED, etag: '"f"' } }, all],
];
for (const [what, making, wanted] of table) {
  test(`made again for ${what}: ${wanted.join(", ") || "nothing"}`, () => {
    assert.deepEqual(changedBy(making), wanted);
  });
}

test("an added sound goes by its own file, not by the master", () => {
  const added = recipes({ sidecars: [SOUND] }).added;
  assert.equal(recipes({ sidecars: [SOUND], pinned: { ...PINNED, etag: '"f"' } }).added, added);
  assert.notEqual(recipes({ sidecars: [{ ...SOUND, etag: '"t"' }] }).added, added);
});

test("a result moves with every key that is in it, and names each object once", () => {
  const cell = (key: string) => ({
    key,
    segment: 0,
    bytes: 1,
    sha256: "00",
    durationTicks: 1,
    keyframes: [],
  });
  const result: TaskResult = {
    tracks: [
      {
        ...{
          trackId: "v",
          initKey: "as_1/old/video/v/init.mp4",
          initBytes: 1,
          initSha256: "11",
          codec: "avc1",
        },
        ...{ timescale: 1, cells: [cell("as_1/old/video/v/00000.m4s"), cell("as_1/old/video/v/00001.m4s")] },
      },
    ],
    images: [
      {
        ...{ kind: "poster", id: "poster-0", key: "as_1/old/images/poster-0.jpg" },
        ...{ bytes: 1, sha256: "22", width: 2, height: 2 },
      },
    ],
  };
  const keys = objectsOf(result, "as_1/old/");
  assert.deepEqual(keys.sort(), [
    "as_1/old/images/poster-0.jpg",
    "as_1/old/video/v/00000.m4s",
    "as_1/old/video/v/00001.m4s",
    "as_1/old/video/v/init.mp4",
  ]);
  const moved = movedResult(result, "as_1/old/", "as_1/new/");
  assert.equal(JSON.stringify(moved), JSON.stringify(result).replaceAll("as_1/old/", "as_1/new/"));
  assert.deepEqual(movedResult(moved, "as_1/new/", "as_1/old/"), result);
});
