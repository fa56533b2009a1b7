import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fitWithin, jpegSize, type Size } from "../../core/image-size.ts";
import { buildLadder } from "../../core/ladder.ts";
import { choosePosters, type GreyPicture } from "../../core/poster-choice.ts";
import { chosenPoster } from "../../core/posters.ts";
import { rational, toNumber } from "../../core/rational.ts";
import type { Rendition } from "../../core/records/asset.ts";
import type { TaskKind, TaskRecord } from "../../core/records/task.ts";
import {
  planStoryboard,
  sheetCount,
  sheetName,
  sheetSize,
  storyboardFault,
  storyboardVtt,
} from "../../core/storyboard.ts";
import { buildTimeline, segmentCount, segmentFrames } from "../../core/timeline.ts";
import { planTrickPlay, trickFrames } from "../../core/trick-play.ts";
import { isOffered } from "../../core/work-order.ts";

const anyTimeline = fc
  .tuple(
    fc.constantFrom(
      rational(24_000, 1001),
      rational(25, 1),
      rational(25, 2),
      rational(179, 6),
      rational(1, 3),
    ),
    fc.integer({ min: 1, max: 20_000 }),
  )
  .map(([rate, frames]) => buildTimeline(rate, frames));

test("pictures for seeking: every keyframe of the grid, no two more than a second and a half frame apart", () => {
  fc.assert(
    fc.property(anyTimeline, (timeline) => {
      const all = Array.from({ length: segmentCount(timeline) }, (_, segment) =>
        trickFrames(timeline, segmentFrames(timeline, segment)),
      ).flat();
      assert.deepEqual(all, trickFrames(timeline, { firstFrame: 0, frameCount: timeline.frameCount }));
      for (let frame = 0; frame < timeline.frameCount; frame += timeline.framesPerKeyframe)
        assert.ok(all.includes(frame), `keyframe ${frame}`);
      const secondsOf = (frames: number) => frames / toNumber(timeline.frameRate);
      const most = Math.max(1, secondsOf(1)) + secondsOf(0.5) + 0.01;
      [...all, timeline.frameCount].reduce((before, frame) => {
        assert.ok(frame > before && secondsOf(frame - before) <= most, `${before} to ${frame}`);
        return frame;
      });
    }),
    { numRuns: 60 },
  );
});

test("they are in the smallest rung's size, of the H.264 ladder in standard range", () => {
  const rungs = buildLadder(1920, 1080);
  const h264 = { id: "h264", codec: "h264", range: "SDR", rungs } as const;
  const hevc = { id: "hevc", codec: "hevc", range: "PQ", rungs: rungs.slice(0, 1) } as const;
  const { ladderId, width, height } = planTrickPlay([hevc, h264]);
  assert.deepEqual([ladderId, width, height], ["h264", 416, 234]);
  assert.throws(() => planTrickPlay([hevc]), RangeError);
});

test("a storyboard of any film: at most 240 pictures, its text covers the film with places that are there", () => {
  const anyFilm = fc.record({
    size: fc.record({ width: fc.integer({ min: 2, max: 500 }), height: fc.integer({ min: 2, max: 500 }) }),
    pictures: fc.integer({ min: 1, max: 20_000 }),
    seconds: fc.double({ min: 0.02, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(anyFilm, ({ size, pictures, seconds }) => {
      const board = planStoryboard(size, pictures);
      assert.ok(board.count <= 240 && Math.max(board.thumb.width, board.thumb.height) <= 240);
      const starts = Array.from({ length: board.count }, (_, index) => index * board.stride * seconds);
      const end = pictures * seconds;
      const vtt = storyboardVtt(board, starts, end);
      const sheets = new Map<string, Size>(
        Array.from({ length: sheetCount(board) }, (_, sheet) => [sheetName(sheet), sheetSize(board)]),
      );
      assert.equal(storyboardFault(vtt, sheets, end), null);
      assert.equal(vtt.match(/#xywh=/g)?.length, board.count);
    }),
    { numRuns: 60 },
  );
});

test("a storyboard's text, to the letter, and what is wrong with a broken one", () => {
  const board = planStoryboard({ width: 416, height: 234 }, 7);
  assert.deepEqual([board.columns, board.rows, board.thumb], [5, 2, { width: 240, height: 136 }]);
  const vtt = storyboardVtt(board, [0, 1.001, 2.002, 3.003, 4.004, 5.005, 3599.5], 3661.25);
  assert.equal(vtt.split("\n\n")[0], "WEBVTT");
  assert.equal(
    vtt.split("\n\n").at(-1),
    "00:59:59.500 --> 01:01:01.250\nstoryboard-000.jpg#xywh=240,136,240,136\n",
  );
  const sheets = new Map([["storyboard-000.jpg", { width: 1200, height: 272 }]]);
  assert.equal(storyboardFault(vtt, sheets, 3661.25), null);
  assert.match(storyboardFault(vtt, sheets, 3700) ?? "", /ends at 3661.25/);
  assert.match(
    storyboardFault(vtt.replace("00:00:02.002 -->", "00:00:02.102 -->"), sheets, 3661.25) ?? "",
    /gap/,
  );
  const small = new Map([["storyboard-000.jpg", { width: 1200, height: 271 }]]);
  assert.match(storyboardFault(vtt, small, 3661.25) ?? "", /nothing at/);
  assert.match(storyboardFault("WEBVTT\n", sheets, 3661.25) ?? "", /ends at 0/);
});

/** A picture of vertical bars between two greys, `wide` pixels each: the narrower, the more detail. */
function bars(atSeconds: number, dark: number, light: number, wide = 2): GreyPicture {
  const pixels = Uint8Array.from({ length: 64 * 36 }, (_, at) =>
    Math.floor((at % 64) / wide) % 2 === 0 ? dark : light,
  );
  return { atSeconds, width: 64, height: 36, pixels };
}

test("posters: the sharp before the soft; black, white, flat and the film's edges only where there is nothing else", () => {
  const film = [
    bars(0.5, 40, 200),
    bars(20, 0, 2),
    bars(30, 250, 255),
    bars(40, 128, 130),
    bars(50, 40, 200, 16),
    bars(60, 60, 220),
    bars(99.5, 40, 200),
  ];
  const wish = { durationSeconds: 100, most: 6 };
  assert.deepEqual(choosePosters(film, wish), [5, 4]);
  assert.deepEqual(choosePosters(film.slice(1, 2), wish), [0], "a black film has a black poster");
  assert.deepEqual(choosePosters(film.slice(0, 1), wish), [0], "one at the edge is better than none");
  assert.deepEqual(choosePosters([], wish), []);
});

test("posters: of pictures of nothing the first, whatever noise is in them", () => {
  const white = (atSeconds: number, noise: number) => {
    const picture = bars(atSeconds, 255, 255);
    for (let at = 0; at < noise; at++) picture.pixels[at * 97] = 254 - (at % 2);
    return picture;
  };
  const wish = { durationSeconds: 100, most: 6 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 2, maxLength: 8 }), (noise) => {
      const film = noise.map((pixels, index) => white(10 + index, pixels));
      assert.deepEqual(choosePosters(film, wish), [0]);
    }),
  );
});

test("posters: as many as are wanted, all different, spread over the film", () => {
  const same = Array.from({ length: 50 }, (_, index) => bars(10 + index, 40, 200));
  assert.equal(choosePosters(same, { durationSeconds: 100, most: 6 }).length, 1, "fifty times the same one");
  const different = Array.from({ length: 40 }, (_, index) =>
    bars(10 + 2 * index, 20 + 5 * (index % 8), 200, 1 + (index % 9)),
  );
  const chosen = choosePosters(different, { durationSeconds: 100, most: 6 });
  assert.equal(chosen.length, 6);
  const times = chosen.map((index) => different[index]!.atSeconds).sort((a, b) => a - b);
  times.reduce((before, time) => {
    assert.ok(time - before >= 100 / 12, `${times}`);
    return time;
  });
});

test("the chosen poster: the editor's moment where the package has it, else the best one", () => {
  const still = { kind: "image" as const, codec: "jpeg", averageBps: 0, peakBps: 0, bytes: 1 };
  const renditions: Rendition[] = [
    { ...still, id: "poster-0", atSeconds: 8 },
    { ...still, id: "poster-1", atSeconds: 2 },
    { ...still, id: "storyboard" },
  ];
  const idFor = (posterAtSeconds: number | null) => chosenPoster({ renditions, posterAtSeconds })?.id;
  assert.deepEqual([idFor(null), idFor(2), idFor(5)], ["poster-0", "poster-1", "poster-0"]);
  assert.equal(chosenPoster({ renditions: renditions.slice(2), posterAtSeconds: 2 }), null);
});

test("sizes: made smaller with the shape kept, never larger, always even", () => {
  assert.deepEqual(fitWithin({ width: 1920, height: 1080 }, 1280), { width: 1280, height: 720 });
  assert.deepEqual(fitWithin({ width: 1080, height: 1920 }, 1280), { width: 720, height: 1280 });
  assert.deepEqual(fitWithin({ width: 64, height: 64 }, 1280), { width: 64, height: 64 });
  assert.deepEqual(fitWithin({ width: 4096, height: 4 }, 240), { width: 240, height: 2 });
});

test("a JPEG's size is read from its frame header; one that is cut off or another file is refused", () => {
  const jpeg = [
    0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8, 0, 36, 0, 64, 1, 1, 0x11, 0, 0xff, 0xd9,
  ];
  assert.deepEqual(jpegSize(Uint8Array.from(jpeg)), { width: 64, height: 36 });
  assert.throws(() => jpegSize(Uint8Array.from(jpeg.slice(0, -1))), /cut off/);
  assert.throws(() => jpegSize(Uint8Array.from([0xff, 0xd8, 0xff, 0xda, 0, 4, 0, 0, 0xff, 0xd9])), /no size/);
  assert.throws(() => jpegSize(new Uint8Array()), /cut off/);
});

test("stills wait for the video that they are taken from, publication for everything", () => {
  const task = (kind: TaskKind, part: string, state: "todo" | "done") =>
    ({ kind, part, state, leaseUntil: null }) as TaskRecord;
  const offered = (...all: TaskRecord[]) =>
    all.filter((one) => isOffered(one, all, new Date(0))).map(({ kind, part }) => `${kind} ${part}`);
  const waiting = [task("images", "h264", "todo"), task("publish", "r1", "todo")];
  assert.deepEqual(offered(task("video", "h264", "todo"), ...waiting), ["video h264"]);
  assert.deepEqual(offered(task("video", "h264", "done"), task("video", "hevc", "todo"), ...waiting), [
    "video hevc",
    "images h264",
  ]);
});
