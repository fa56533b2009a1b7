import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { levelChange, PEAK_CEILING_DBTP, readLoudness } from "../../transcoder/loudness.ts";

test("reads ebur128's own summary, the last one; silence has no loudness", () => {
  const log = (integrated: string, peak: string): string =>
    `[ebur128] Summary:\n\n  Integrated loudness:\n    I:         ${integrated} LUFS\n    Threshold: -46.3 LUFS\n\n` +
    `  True peak:\n    Peak:       ${peak} dBFS\n`;
  assert.deepEqual(readLoudness(log("-20.0", "-3.0") + log("-36.2", "-28.1")), {
    integratedLufs: -36.2,
    truePeakDbtp: -28.1,
  });
  assert.equal(readLoudness(log("-70.0", "-inf")), null);
  assert.equal(readLoudness("size=N/A"), null);
});

test("a gain reaches the target, or stops where the limiter would have to do too much", () => {
  assert.deepEqual(levelChange({ integratedLufs: -35, truePeakDbtp: -25 }, -16), {
    gainDb: 19,
    isLimited: false,
  });
  assert.deepEqual(levelChange({ integratedLufs: -10, truePeakDbtp: 0.5 }, -16), {
    gainDb: -6,
    isLimited: false,
  });
  assert.deepEqual(levelChange({ integratedLufs: -20, truePeakDbtp: -3 }, -16), {
    gainDb: 4,
    isLimited: true,
  });
  assert.deepEqual(levelChange(null, -16), { gainDb: 0, isLimited: false });
  assert.deepEqual(levelChange({ integratedLufs: -60, truePeakDbtp: -50 }, -16), {
    gainDb: 0,
    isLimited: false,
  });
  const anything = fc.record({
    integratedLufs: fc.double({ min: -50, max: 0, noNaN: true }),
    truePeakDbtp: fc.double({ min: -50, max: 6, noNaN: true }),
  });
  fc.assert(
    fc.property(anything, (found) => {
      const { gainDb, isLimited } = levelChange(found, -16);
      assert.ok(found.integratedLufs + gainDb <= -16 + 0.01, "never louder than the target");
      assert.ok(found.truePeakDbtp + gainDb <= PEAK_CEILING_DBTP + 8.01, "never squeezed by more than 8 dB");
      assert.ok(
        isLimited || found.truePeakDbtp + gainDb <= PEAK_CEILING_DBTP + 0.01,
        "never too high without it",
      );
    }),
  );
});
