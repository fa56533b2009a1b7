import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock, TellingClock } from "../../player-demo/server-clock.ts";

const SAID = "Mon, 05 Jan 2026 20:15:00 GMT";
const SAID_MS = Date.UTC(2026, 0, 5, 20, 15);
const MINUTE_MS = 60_000;

test("a machine's clock that is minutes ahead or behind changes nothing", () => {
  for (const offMs of [-15 * MINUTE_MS, 0, 10 * MINUTE_MS]) {
    const askedAt = { steadyMs: 5_000, wallMs: SAID_MS + offMs };
    const clock = new ServerClock(SAID, askedAt);
    assert.equal(clock.nowMs(askedAt), SAID_MS, `${offMs}`);
    const later = { steadyMs: 65_000, wallMs: askedAt.wallMs + MINUTE_MS };
    assert.equal(clock.nowMs(later), SAID_MS + MINUTE_MS, `${offMs}`);
  }
});

test("no time is lost to sleep, nor to a clock that is set while it is counted", () => {
  const askedAt = { steadyMs: 0, wallMs: SAID_MS };
  const clock = new ServerClock(SAID, askedAt);
  const passed = (steadyMs: number, wallMs: number) =>
    clock.nowMs({ steadyMs, wallMs: SAID_MS + wallMs }) - SAID_MS;
  assert.equal(passed(1_000, 8 * MINUTE_MS), 8 * MINUTE_MS, "one clock stood while the machine slept");
  assert.equal(passed(MINUTE_MS, -MINUTE_MS), MINUTE_MS, "the other was set back");
});

test("what is told is told in its order, to whatever time a machine's clock is set on and back", () => {
  const clock = new ServerClock(SAID, { steadyMs: 0, wallMs: SAID_MS });
  const telling = new TellingClock(() => clock);
  const told = [0, 10 * MINUTE_MS, 0, -MINUTE_MS].map((offMs, index) => {
    const steadyMs = (index + 1) * 5_000.4;
    return telling.nextMs({ steadyMs, wallMs: SAID_MS + steadyMs + offMs }) - SAID_MS;
  });
  assert.deepEqual(told, [5_000, 10_000, 15_001, 20_001]);
});

test("what is told goes by the newest clock, and never before what was told", () => {
  const [first, second] = [5_000, 65_000].map((steadyMs) => ({ steadyMs, wallMs: SAID_MS + steadyMs }));
  // Its answer took three seconds more.
  let newest = new ServerClock("Mon, 05 Jan 2026 20:15:03 GMT", first!);
  const telling = new TellingClock(() => newest);
  const atMs = (steadyMs: number) => telling.nextMs({ steadyMs, wallMs: SAID_MS + steadyMs }) - SAID_MS;
  assert.deepEqual([atMs(65_000), atMs(65_000)], [63_000, 63_001], "of two at one moment too");
  newest = new ServerClock("Mon, 05 Jan 2026 20:16:00 GMT", second!);
  assert.deepEqual([atMs(65_500), atMs(67_000), atMs(70_000)], [63_002, 63_003, 65_000]);
});

test("where no time was said, the machine's own is believed", () => {
  for (const date of [null, "", "noon"]) {
    const askedAt = { steadyMs: 1, wallMs: SAID_MS };
    assert.equal(new ServerClock(date, askedAt).nowMs(askedAt), SAID_MS);
  }
});
