import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isAvailable } from "../../core/availability.ts";
import type { StreamRecord } from "../../core/records/account.ts";
import { admitStream, liveStreams } from "../../core/streams.ts";

const at = (second: number) => new Date(second * 1_000);
const NOW = at(100);
const stream = (startedAt: number, until: number): StreamRecord => ({
  titleId: "ti_x",
  startedAt: at(startedAt),
  until: at(until),
});

test("who has a place and who gets one", () => {
  const streams = { ps_b: stream(20, 101), ps_a: stream(10, 200), ps_over: stream(1, 100) };
  const admit = (limit: number, takeover: boolean | string = false, sessionId = "ps_new") =>
    admitStream(streams, { sessionId, takeover, limit }, NOW);
  const ends = (verdict: ReturnType<typeof admit>) =>
    verdict.kind === "full" ? "full" : verdict.ends.map(({ sessionId }) => sessionId).join();
  assert.deepEqual(
    liveStreams(streams, NOW).map(({ sessionId }) => sessionId),
    ["ps_a", "ps_b"],
  );
  const table: [Parameters<typeof admit>, string][] = [
    [[3], ""],
    [[2], "full"],
    [[0], ""],
    [[2, true], "ps_a"],
    [[1, true], "ps_a,ps_b"],
    [[2, "ps_b"], "ps_b"],
    [[1, "ps_b"], "full"],
    [[2, "ps_over"], "full"],
    [[2, "ps_strange"], "full"],
    [[2, false, "ps_b"], ""],
    [[1, true, "ps_b"], "ps_a"],
    [[2, false, "ps_over"], "full"],
  ];
  for (const [asked, expected] of table) assert.equal(ends(admit(...asked)), expected, asked.join());
  assert.deepEqual(admit(3), { kind: "admitted", ends: [], forgets: ["ps_over"] });
});

test("whatever happens in whatever order, no more than the limit ever play", () => {
  const step = fc.record({
    session: fc.integer({ min: 0, max: 9 }),
    takeover: fc.oneof(fc.boolean(), fc.integer({ min: 0, max: 9 }).map(String)),
    lasts: fc.integer({ min: 1, max: 30 }),
    after: fc.integer({ min: 0, max: 10 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 40 }), (limit, steps) => {
      let streams: Record<string, StreamRecord> = {};
      let second = 0;
      for (const { session, takeover, lasts, after } of steps) {
        second += after;
        const wish = { sessionId: String(session), takeover, limit };
        const verdict = admitStream(streams, wish, at(second));
        if (verdict.kind === "full") {
          assert.ok(verdict.live.length >= limit);
          continue;
        }
        const gone = new Set([...verdict.forgets, ...verdict.ends.map(({ sessionId }) => sessionId)]);
        assert.ok(!gone.has(wish.sessionId));
        streams = Object.fromEntries(Object.entries(streams).filter(([id]) => !gone.has(id)));
        streams[wish.sessionId] = stream(second, second + lasts);
        assert.ok(liveStreams(streams, at(second)).length <= limit);
      }
    }),
  );
});

test("windows and regions", () => {
  const title = { state: "published" as const, availableFrom: null, availableUntil: null, regions: null };
  const table: [Partial<Parameters<typeof isAvailable>[0]>, string | null, boolean][] = [
    [{}, null, true],
    [{ state: "draft" }, null, false],
    [{ state: "unpublished" }, null, false],
    [{ state: "scheduled", availableFrom: at(100) }, null, true],
    [{ state: "scheduled", availableFrom: at(101) }, null, false],
    [{ availableUntil: at(100) }, null, false],
    [{ availableUntil: at(101) }, null, true],
    [{ regions: ["DE", "AT"] }, "AT", true],
    [{ regions: ["DE", "AT"] }, "CH", false],
    [{ regions: ["DE"] }, null, false],
    [{ regions: [] }, null, true],
  ];
  for (const [more, country, expected] of table)
    assert.equal(isAvailable({ ...title, ...more }, NOW, country), expected, JSON.stringify([more, country]));
});
