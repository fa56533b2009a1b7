import assert from "node:assert/strict";
import { test } from "node:test";
import { beacons } from "../../api/beacons.ts";
import { renditionOf, type Told, WatchMeter } from "../../player-demo/watch-meter.ts";

/** Without numbers and rungs: what was told, in order. */
const said = (told: Told[]) => told.map(({ seq: _seq, renditionId: _rung, ...rest }) => rest);

function started(): WatchMeter {
  const meter = new WatchMeter(1_000);
  meter.ready(1_400);
  meter.wished(1_400);
  meter.moves(1_750);
  return meter;
}

test("start-up is from the wish to the first picture, without the time in which nobody had pressed play", () => {
  const autoplay = new WatchMeter(1_000);
  autoplay.ready(1_400);
  autoplay.wished(1_400);
  assert.deepEqual(said(autoplay.moves(1_750)), [{ type: "startup", startupSeconds: 0.75 }]);
  assert.deepEqual(autoplay.moves(9_000), [], "once");
  const refused = new WatchMeter(1_000);
  refused.ready(1_400);
  refused.wished(61_400);
  assert.deepEqual(said(refused.moves(61_750)), [{ type: "startup", startupSeconds: 0.75 }]);
});

test("standing still counts from the last picture to the next, and not where the viewer made it", () => {
  const meter = started();
  meter.waits(5_000, false);
  meter.waits(5_100, false);
  assert.deepEqual(said(meter.moves(7_500)), [{ type: "stall", durationSeconds: 2.5 }]);
  meter.waits(9_000, true);
  assert.deepEqual(meter.moves(12_000), [], "a seek");
  meter.waits(13_000, false);
  assert.deepEqual(meter.moves(13_050), [], "a flicker");
  meter.waits(14_000, false);
  assert.deepEqual(said(meter.halts(15_000)), [{ type: "stall", durationSeconds: 1 }], "given up by a seek");
});

test("before the first picture nothing stands still", () => {
  const meter = new WatchMeter(0);
  meter.waits(100, false);
  assert.deepEqual(said(meter.moves(900)), [{ type: "startup", startupSeconds: 0.9 }]);
});

test("what is watched is told once, of the rung it was watched on, without pauses, stalls and sleep", () => {
  const meter = started();
  const rung = (renditionId: string) => ({ renditionId, bps: 1, height: 360 });
  meter.switched(1_750, rung("360p"));
  for (let now = 2_000; now <= 4_000; now += 250) meter.advances(now);
  const [played, switched] = meter.switched(4_000, rung("720p"));
  assert.deepEqual(
    [played?.type === "heartbeat" && played.playedSeconds, played?.renditionId, switched?.type],
    [2.25, "360p", "rung"],
  );
  assert.equal(switched?.renditionId, "720p");
  meter.waits(4_500, false);
  meter.moves(6_500);
  meter.halts(7_000);
  meter.moves(60_000);
  meter.advances(600_000);
  const [rest] = meter.heartbeat(600_000);
  assert.equal(rest?.type === "heartbeat" && rest.playedSeconds, 0.5 + 0.5 + 2);
  assert.deepEqual(meter.heartbeat(600_000), []);
});

test("after a seek within the buffer, which nothing but the position tells of, it goes on counting", () => {
  const meter = started();
  meter.halts(2_000);
  meter.advances(2_500);
  meter.advances(3_000);
  const told = meter.heartbeat(3_000);
  assert.deepEqual(said(told), [{ type: "heartbeat", playedSeconds: 0.75 }]);
});

test("an error is fatal where nothing is watched after it", () => {
  const meter = started();
  assert.deepEqual(said(meter.failed(2_000, "fragLoadError", false)), [
    { type: "error", code: "fragLoadError", fatal: false },
  ]);
  meter.failed(2_000, "mediaError", true);
  for (let now = 2_000; now <= 4_000; now += 250) meter.advances(now);
  assert.deepEqual(said(meter.heartbeat(4_250)), [
    { type: "heartbeat", playedSeconds: 2.25 },
    { type: "error", code: "mediaError", fatal: false },
  ]);
  meter.failed(4_250, "networkError", true);
  assert.deepEqual(said(meter.left(4_300)).at(-1), { type: "error", code: "networkError", fatal: true });
  assert.deepEqual(meter.left(4_300), []);
});

test("who goes while the film stands still has waited until then", () => {
  const meter = started();
  meter.waits(5_000, false);
  assert.deepEqual(said(meter.left(8_000))[0], { type: "stall", durationSeconds: 3 });
  assert.deepEqual(said(meter.moves(9_000)), [], "and no longer");
});

test("what took longer than an hour is told as an hour, which is the most that the API takes", () => {
  const meter = new WatchMeter(0);
  const told = meter.moves(10_000_000);
  meter.waits(20_000_000, false);
  told.push(...meter.moves(30_000_000));
  assert.deepEqual(said(told), [
    { type: "startup", startupSeconds: 3_600 },
    { type: "stall", durationSeconds: 3_600 },
  ]);
  const events = told.map((one) => ({ ...one, at: "2026-01-01T00:00:00Z", positionSeconds: 0 }));
  assert.equal(beacons.safeParse({ events }).error, undefined);
});

test("what the viewer felt is what was told", () => {
  const meter = new WatchMeter(0);
  assert.deepEqual(meter.felt, { startupSeconds: null, stalls: 0, stalledSeconds: 0 });
  meter.moves(800);
  for (const now of [10_000, 20_000]) {
    meter.waits(now, false);
    meter.moves(now + 1_500);
  }
  assert.deepEqual(meter.felt, { startupSeconds: 0.8, stalls: 2, stalledSeconds: 3 });
});

test("every event has a number of its own", () => {
  const meter = started();
  const told = [
    ...meter.failed(2_000, "a", false),
    ...meter.heartbeat(2_100),
    ...meter.failed(2_200, "b", false),
  ];
  assert.deepEqual(
    told.map(({ seq }) => seq),
    [1, 2, 3],
  );
});

test("the rendition is read from where its playlist lies", () => {
  assert.equal(renditionOf("https://e.test/v/g.1/as_1/0f/video/hevc-720p/media.m3u8?CMCD=x"), "hevc-720p");
  assert.equal(renditionOf("https://e.test/v/g.1/as_1/0f/main.m3u8"), null);
});
