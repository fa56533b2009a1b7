import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf } from "../../bench/simulated-plan.ts";
import { LARGEST_TASK_BYTES, memoryOf, openRoom, setAsideForFetches } from "../../core/admission.ts";

const GIBIBYTE = 2 ** 30;

test("what an encode holds grows with its codec and its picture", () => {
  const hd = planOf(60, 1920, 1080, ["h264", "hevc"]);
  const uhd = planOf(60, 3840, 2160, ["h264", "hevc"]);
  const table: [string, number, number][] = [
    ["H.264 at 1080p", memoryOf({ kind: "video", part: "h264" }, hd), 0.5],
    [
      "H.264 at 1080p, looking further ahead",
      memoryOf({ kind: "video", part: "h264" }, { ...hd, speed: "small" }),
      0.8,
    ],
    [
      "HEVC at 1080p, as far as always",
      memoryOf({ kind: "video", part: "hevc" }, { ...hd, speed: "small" }),
      1,
    ],
    ["HEVC at 1080p", memoryOf({ kind: "video", part: "hevc" }, hd), 1],
    ["HEVC at 2160p", memoryOf({ kind: "video", part: "hevc" }, uhd), 2.5],
    ["an analysis of 1080p", memoryOf({ kind: "analyse", part: "r1" }, planOf(60, 1920, 1080)), 1.1],
    [
      "one that only looks into the master",
      memoryOf({ kind: "analyse", part: "r1" }, planOf(60, 1920, 1080), false),
      0.25,
    ],
    ["of 2160p, tried at 1080p", memoryOf({ kind: "analyse", part: "r1" }, planOf(60, 3840, 2160)), 1.1],
    ["sound", memoryOf({ kind: "audio", part: "a0" }, uhd), 0.25],
  ];
  for (const [what, bytes, gibibytes] of table)
    assert.ok(Math.abs(bytes / GIBIBYTE - gibibytes) < 0.1, `${what}: ${bytes / GIBIBYTE} GiB`);
});

test("a rung that is sent on as it is holds no encoder", () => {
  const plan = planOf(60, 1920, 1080);
  const { rungs, ...ladder } = plan.ladders[0]!;
  const [top, ...others] = rungs;
  const of = (some: typeof rungs) =>
    memoryOf({ kind: "video", part: "h264" }, { ...plan, ladders: [{ ...ladder, rungs: some }] });
  assert.equal(of([{ ...top!, isCopied: true }, ...others]), of(others));
  assert.ok(of(others) < of(rungs));
});

test("F23 no more is let in than there is room for, and a large task is not passed over for ever", () => {
  const room = openRoom(2 * GIBIBYTE);
  assert.ok(room.enter("a", GIBIBYTE, 0));
  assert.ok(!room.enter("large", 1.5 * GIBIBYTE, 1), "no room beside a");
  assert.ok(!room.enter("small", 0.2 * GIBIBYTE, 2), "the large one waits");
  assert.ok(room.enter("preview", 0.2 * GIBIBYTE, 2, true), "a person waits for it");
  room.leave("preview");
  room.leave("a");
  assert.ok(room.enter("large", 1.5 * GIBIBYTE, 3));
  assert.ok(room.enter("small", 0.2 * GIBIBYTE, 4));
});

test("what nobody waits for any more is forgotten", () => {
  const room = openRoom(2 * GIBIBYTE);
  assert.ok(room.enter("a", GIBIBYTE, 0));
  assert.ok(!room.enter("large", 1.5 * GIBIBYTE, 1));
  assert.ok(room.enter("small", 0.2 * GIBIBYTE, 60), "another worker took the large one");
});

test("F23 what is larger than the machine is left to others first, and then runs alone", () => {
  const room = openRoom(1.7 * GIBIBYTE);
  assert.ok(!room.enter("huge", 2.6 * GIBIBYTE, 0), "others may have more");
  assert.ok(room.enter("a", 0.5 * GIBIBYTE, 1));
  assert.ok(!room.enter("huge", 2.6 * GIBIBYTE, 2), "not beside another");
  room.leave("a");
  assert.ok(room.enter("huge", 2.6 * GIBIBYTE, 3));
  assert.ok(!room.enter("b", 0.1 * GIBIBYTE, 4), "nor another beside it");
});

test("what is set aside for fetches leaves the largest task its room, and one is fetched in any case", () => {
  const uhd = { ...planOf(60, 3840, 2160, ["h264", "hevc", "av1"]), speed: "small" as const };
  const tasks = [
    memoryOf({ kind: "analyse", part: "r1" }, uhd),
    ...uhd.ladders.map(({ id }) => memoryOf({ kind: "video", part: id }, uhd)),
  ];
  assert.ok(Math.max(...tasks) <= LARGEST_TASK_BYTES && Math.max(...tasks) > 0.9 * LARGEST_TASK_BYTES);
  const table: [string, number, number, number, number][] = [
    ["a large machine", 16, 2, 2, 0.5],
    ["many slots", 16, 8, 8, 2],
    ["just enough", 3.4, 2, 2, 0.5],
    ["enough for one", 3.2, 2, 1, 0.25],
    ["enough for an encode of 2160p alone", 2.9, 2, 1, 0],
    ["a small one", 0.2, 2, 1, 0],
  ];
  for (const [what, limit, wanted, slots, setAside] of table)
    assert.deepEqual(
      setAsideForFetches(limit * GIBIBYTE, wanted),
      { slots, bytes: setAside * GIBIBYTE },
      what,
    );
});
