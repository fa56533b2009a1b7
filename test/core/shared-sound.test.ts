import assert from "node:assert/strict";
import { test } from "node:test";
import type { AudioTrack } from "../../core/plan-sounds.ts";
import { type BesideSound, isLeftToOther, ofSameSound } from "../../core/shared-sound.ts";

const NOW = new Date(1_000_000);
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);
const track = (id: string, streamIndex: number, key: string | null = null) =>
  ({ id, streamIndex, file: key === null ? null : { key } }) as AudioTrack;
const TRACKS = [
  track("a0", 1),
  track("a0-51", 1),
  track("a1", 2),
  track("s1", 1, "added"),
  track("s1-51", 1, "added"),
];

test("of the same sound are tracks of the same stream of the same file", () => {
  assert.deepEqual(ofSameSound("a0", TRACKS), ["a0-51"]);
  assert.deepEqual(ofSameSound("a1", TRACKS), []);
  assert.deepEqual(ofSameSound("s1-51", TRACKS), ["s1"]);
  assert.deepEqual(ofSameSound("a9", TRACKS), []);
});

const OWN = { part: "a0", weight: 1, worker: "mine", claimedAt: ago(0.1) };
const OTHER: BesideSound = {
  ...{ kind: "audio", part: "a0-51", state: "claimed", worker: "other", weight: 2, ratio: 0 },
  ...{ leaseUntil: ago(-5), claimedAt: ago(1), attempts: [] },
};
const CHUNK: BesideSound = {
  ...{ kind: "video", part: "h264", state: "todo", worker: null, weight: 20, ratio: 0 },
  ...{ leaseUntil: null, attempts: [] },
};
const done = (secondsAgo: number): Partial<BesideSound> => ({
  ...{ state: "done", leaseUntil: null },
  attempts: [{ endedAt: ago(100) }, { endedAt: ago(secondsAgo) }],
});

for (const [name, expected, other, chunk, own] of [
  ["another worker is at the other track", true, {}, {}, {}],
  ["it has just made it", true, done(2), {}, {}],
  ["it made it a while ago", false, done(4), {}, {}],
  ["nobody has begun it", false, { state: "todo", worker: null, leaseUntil: null }, {}, {}],
  ["it failed", false, { state: "failed", leaseUntil: null }, {}, {}],
  ["it is this worker", false, { worker: "mine" }, {}, {}],
  ["the other worker is dead", false, { leaseUntil: ago(1) }, {}, {}],
  ["it is slow", false, { claimedAt: ago(61) }, {}, {}],
  ["it is another sound", false, { part: "a1" }, {}, {}],
  ["both were claimed at once, this one first", false, { claimedAt: ago(0) }, {}, {}],
  ["at the very same moment, this one by its name", false, { claimedAt: ago(0.1) }, {}, {}],
  ["the other one by its name", true, { claimedAt: ago(0.1), part: "a0" }, {}, { part: "a0-51" }],
  ["a chunk has just as much to do as both sounds", true, {}, { weight: 3 }, {}],
  ["no chunk has", false, {}, { weight: 2.9 }, {}],
  ["the chunk is nearly done", false, {}, { state: "claimed", ratio: 0.9 }, {}],
  ["the film has no chunk left", false, {}, null, {}],
] as [string, boolean, Partial<BesideSound>, Partial<BesideSound> | null, Partial<typeof OWN>][])
  test(`left to the other worker, ${expected ? "" : "not "}where ${name}`, () => {
    const all = [{ ...OTHER, ...other }, ...(chunk === null ? [] : [{ ...CHUNK, ...chunk }])];
    assert.equal(isLeftToOther({ ...OWN, ...own }, all, TRACKS, NOW), expected);
  });
