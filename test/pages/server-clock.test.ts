import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../../player-demo/server-clock.ts";

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

test("where no time was said, the machine's own is believed", () => {
  for (const date of [null, "", "noon"]) {
    const askedAt = { steadyMs: 1, wallMs: SAID_MS };
    assert.equal(new ServerClock(date, askedAt).nowMs(askedAt), SAID_MS);
  }
});
