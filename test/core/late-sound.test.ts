import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLookedAtTwice, secondsToWait } from "../../core/late-sound.ts";
import type { BesideSound } from "../../core/shared-sound.ts";

const NOW = new Date(1_000_000);
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);
const OWN = { isShared: true, epoch: 2 };
const claimed = (worker: string, secondsAgo: number): Partial<BesideSound> => ({
  ...{ state: "claimed", worker, claimedAt: ago(secondsAgo), leaseUntil: ago(-5) },
});
const chunk = (weight: number, how: Partial<BesideSound> = {}): BesideSound => ({
  ...{ kind: "video", part: "h264", state: "todo", worker: null, weight, ratio: 0 },
  ...{ leaseUntil: null, attempts: [], ...how },
});
const sound = (weight: number, how: Partial<BesideSound> = claimed("mine", 0)): BesideSound => ({
  ...chunk(weight, how),
  ...{ kind: "audio", part: "a0" },
});
const begun = (worker: string): Partial<BesideSound> => ({ ...claimed(worker, 2), ratio: 0.001 });
const stale = { ...claimed("other", 60), leaseUntil: ago(1) };

for (const [name, expected, all, own] of [
  [
    "chunks are to be begun: a quarter of the slack",
    11,
    [chunk(80), chunk(20, claimed("other", 1)), sound(4)],
    {},
  ],
  ["the slack is long", 15, [chunk(800), chunk(20, claimed("other", 1)), sound(2)], {}],
  ["it is short", 1, [chunk(6), chunk(6, claimed("other", 1)), sound(2)], {}],
  ["there is none", null, [chunk(4), chunk(4, claimed("other", 1)), sound(2)], {}],
  [
    "the sounds together take too long",
    null,
    [chunk(20), chunk(20, claimed("other", 1)), sound(9), sound(9, {}), sound(9, {})],
    {},
  ],
  [
    "what is left of a chunk is little",
    null,
    [chunk(1), chunk(800, { ...claimed("other", 9), ratio: 0.99 }), sound(4)],
    {},
  ],
  [
    "another sound is done",
    1,
    [chunk(6), chunk(6, claimed("other", 1)), sound(2), sound(90, { state: "done", ratio: 1 })],
    {},
  ],
  ["all chunks have been begun", null, [chunk(80, begun("mine")), chunk(80, begun("other")), sound(2)], {}],
  [
    "a chunk has just been claimed",
    1,
    [chunk(80, begun("mine")), chunk(80, claimed("other", 1)), sound(2)],
    {},
  ],
  ["it was claimed a while ago and says nothing", null, [chunk(80, claimed("other", 11)), sound(2)], {}],
  ["its worker is dead", 15, [chunk(80, stale), chunk(800, begun("other")), sound(2)], {}],
  ["no chunk is left", null, [sound(2)], {}],
  [
    "nobody else has been at the film yet",
    1,
    [chunk(80), chunk(80, begun("mine")), sound(2)],
    { epoch: 1, isShared: false },
  ],
  [
    "it is claimed for the first time",
    1,
    [chunk(800), chunk(20, claimed("other", 1)), sound(2)],
    { epoch: 1 },
  ],
  [
    "nor at the second claim",
    null,
    [chunk(80), chunk(80, begun("mine")), sound(2)],
    { epoch: 2, isShared: false },
  ],
  ["it has waited too often", null, [chunk(800), chunk(20, claimed("other", 1)), sound(2)], { epoch: 901 }],
] as [string, number | null, BesideSound[], Partial<typeof OWN>][])
  test(`${expected === null ? "made now" : `again in ${expected} s`}: ${name}`, () => {
    assert.equal(secondsToWait({ ...OWN, ...own }, all, NOW), expected);
  });

test("nobody waits so long that the pictures would be there first, or less than a second", () => {
  const weights = fc.array(fc.double({ min: 0.5, max: 500, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(weights, weights, fc.nat(19), (pictures, sounds, running) => {
      const chunks = pictures.map((weight, at) => chunk(weight, at < running ? begun(`wk_${at}`) : {}));
      const [first, ...rest] = sounds;
      const all = [...chunks, sound(first!), ...rest.map((weight) => sound(weight, {}))];
      const seconds = secondsToWait(OWN, all, NOW);
      if (seconds === null) return;
      const slots = Math.min(running, pictures.length) + 1;
      const total = pictures.reduce((sum, one) => sum + one, 0);
      assert.ok(seconds >= 1 && seconds <= 15);
      assert.ok(seconds + 1.5 * Math.max(...sounds) <= total / slots);
    }),
  );
});

for (const [name, expected, weight, chunks, epoch] of [
  ["longer than the chunks by what is kept for it", true, 20.1, [30, 20], 1],
  ["just as long", false, 20, [30, 20], 1],
  ["claimed again", false, 90, [30, 20], 2],
  ["without chunks", false, 90, [], 1],
] as [string, boolean, number, number[], number][])
  test(`a sound ${name} is ${expected ? "" : "not "}looked at twice`, () => {
    const all = [sound(weight), ...chunks.map((one) => chunk(one))];
    assert.equal(isLookedAtTwice({ epoch, weight }, all), expected);
  });
