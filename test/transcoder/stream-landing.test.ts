import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lookAtEnds } from "../../transcoder/stream-ends.ts";
import { landBefore } from "../../transcoder/stream-landing.ts";
import { kept, made } from "../rig/media.ts";
import { numbered } from "../rig/numbered.ts";
import { sparseCopy } from "../rig/sparse-copy.ts";

/** Where a look into a transport stream lands whose bytes do not go with its time. */

const { signal } = new AbortController();
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "matinee-landing-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const SECONDS = 120;

/** Two minutes at one rate and two at another, filled up to these. */
async function film(rates: readonly string[]): Promise<string> {
  const mp4 = await made("mp4", [
    ...numbered({ frames: SECONDS * 25, size: "80x44" }),
    ...["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-bf", "0", "-sc_threshold", "0", "{out}"],
  ]);
  const pieces = rates.map((rate, index) =>
    made("ts", [
      ...["-i", mp4, "-c", "copy", "-muxrate", rate],
      ...["-output_ts_offset", String(index * SECONDS), "{out}"],
    ]),
  );
  const bytes = await Promise.all((await Promise.all(pieces)).map((path) => readFile(path)));
  return kept("ts", Buffer.concat(bytes));
}

for (const rates of [
  ["500k", "6000k"],
  ["6000k", "500k"],
])
  test(`from ${rates[0]} to ${rates[1]} bits a second each place is landed at, a second before it at most`, async () => {
    const copy = await sparseCopy(await film(rates), join(folder, rates.join("-")));
    const ends = await lookAtEnds(copy, signal);
    assert.ok(ends !== null);
    const { stream, headEnd, last } = ends;
    for (let seconds = Math.ceil(headEnd.decodeSeconds) + 2; seconds < last.decodeSeconds; seconds += 7) {
      const landed = await landBefore(stream, [headEnd, last], seconds, signal);
      const early = seconds - (landed?.first.decodeSeconds ?? Number.NaN);
      assert.ok(early >= 0 && early < 1.001, `at ${seconds} s it landed ${early} s early`);
    }
  });
