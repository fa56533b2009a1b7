import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareEnvelopes, ENVELOPE_HZ, envelope } from "../../core/envelope.ts";

/** Six seconds of a voice that speaks and stops, differently for each seed, at 8 kHz. */
function voice(seed: number, gain = 1, delayMs = 0): Int16Array {
  const delay = delayMs * 8;
  return Int16Array.from({ length: 48_000 }, (_, index) => {
    const at = index - delay;
    const speaks = Math.sin((at / 8000) * (3 + seed) + 2 * Math.sin((at / 8000) * (1.3 + seed))) > 0.2;
    return at >= 0 && speaks ? gain * 6_000 * Math.sin(at * (0.3 + seed / 10)) : 0;
  });
}
const heard = (...args: Parameters<typeof voice>): number[] => envelope(voice(...args), 8_000);

test("the root mean square of each moment", () => {
  const tone = Int16Array.from({ length: 8_000 }, (_, index) => (index < 4_000 ? 16_384 : 0));
  const moments = envelope(tone, 8_000);
  assert.equal(moments.length, ENVELOPE_HZ);
  assert.equal(moments[0], 0.5);
  assert.equal(moments.at(-1), 0);
});

test("a sound is like itself at any level, and how late it is, is told within a moment", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 3, noNaN: true }),
      fc.integer({ min: 0, max: 200 }),
      (gain, delayMs) => {
        const likeness = compareEnvelopes(heard(1, gain, delayMs), heard(1))!;
        assert.ok(likeness.correlation > 0.95, `${likeness.correlation}`);
        assert.ok(likeness.isLagClear);
        assert.ok(
          Math.abs(likeness.lagSeconds * 1000 - delayMs) <= 5,
          `${likeness.lagSeconds} for ${delayMs} ms`,
        );
      },
    ),
    { numRuns: 15 },
  );
});

test("another voice is not like it, silence and a hum are like nothing, silence is not like a voice", () => {
  assert.ok(compareEnvelopes(heard(2), heard(1))!.correlation < 0.6);
  assert.equal(compareEnvelopes(heard(1), new Array(1200).fill(0)), null);
  assert.equal(compareEnvelopes(heard(1), new Array(1200).fill(0.2)), null);
  assert.equal(compareEnvelopes(new Array(1200).fill(0), heard(1))!.correlation, 0);
});

test("a steady tone of any pitch is even, though its waves fall unevenly into the moments", () => {
  for (const hertz of [55, 110, 217, 440, 880, 1_000, 1_234, 3_000]) {
    const tone = Int16Array.from(
      { length: 48_000 },
      (_, at) => 9_000 * Math.sin((2 * Math.PI * hertz * at) / 8_000),
    );
    assert.equal(compareEnvelopes(heard(1), envelope(tone, 8_000)), null, `${hertz} Hz`);
  }
});
