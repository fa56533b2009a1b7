import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ASSET_FAILURE_CODES, asFailure } from "../../core/errors.ts";
import { cutOffReason } from "../../transcoder/cut-off.ts";
import { launcherForTest, probeFile } from "../rig/launcher.ts";
import { bars } from "../rig/odd-media.ts";
import { CLEAN_SOURCES } from "./clean-sources.ts";
import { BLIND_DAMAGE } from "./damage.ts";
import { seeded, seedOf } from "./random.ts";

const CUTS_EACH = 20;
const HOLES_EACH = 5;

test("F25 two hundred films cut off or with a hole: none passes as a shorter one", {
  concurrency: 2,
}, async (t) => {
  const launcher = await launcherForTest();
  const folder = await mkdtemp(join(tmpdir(), "matinee-cut-off-"));
  const wrong: string[] = [];
  const codes = new Set<string>();
  /** Where the film ends on its own clock, or the code with which it is refused. */
  const endOf = async (path: string): Promise<number | string> => {
    try {
      const { video, durationSeconds } = await probeFile(launcher, path);
      return video.startSeconds - video.fileStartSeconds + durationSeconds;
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.failureClass !== "source" || !ASSET_FAILURE_CODES.some((code) => code === failure.code))
        wrong.push(`${path}: ${failure.failureClass} ${failure.code}`);
      codes.add(failure.code);
      return failure.code;
    }
  };
  const damageEach = async (container: string, make: () => Promise<string>): Promise<void> => {
    const path = await make();
    const clean = await readFile(path);
    const whole = await endOf(path);
    for (const [damage, count] of [
      ["truncated", CUTS_EACH],
      ["missing", HOLES_EACH],
    ] as const)
      for (let index = 0; index < count; index++) {
        const damaged = join(folder, `${container}-${damage}-${index}`);
        await writeFile(damaged, BLIND_DAMAGE[damage]!(clean, seeded(seedOf(container, damage, 7, index))));
        const end = await endOf(damaged);
        if (typeof end === "number" && typeof whole === "number" && whole - end > 0.1)
          wrong.push(`${damaged}: ends at ${end} of ${whole}`);
        await rm(damaged);
      }
  };
  const all = Object.entries(CLEAN_SOURCES);
  assert.equal(all.length * (CUTS_EACH + HOLES_EACH), 200);
  await Promise.all(all.map(([container, make]) => t.test(container, () => damageEach(container, make))));
  await rm(folder, { recursive: true });
  assert.deepEqual(wrong, []);
  assert.ok(codes.has("source_damaged"));
});

test("F25 the end of a file by its own framing, for containers that state no length", async () => {
  const folder = await mkdtemp(join(tmpdir(), "matinee-framing-"));
  const path = join(folder, "film");
  const reason = async (container: string, bytes: Uint8Array): Promise<string | null> => {
    await writeFile(path, bytes);
    return cutOffReason(path, container);
  };
  const ts = await readFile(await CLEAN_SOURCES.ts!());
  assert.equal(await reason("mpegts", ts), null);
  assert.equal(
    await reason("mpegts", ts.subarray(0, 188 * 100)),
    null,
    "between two packets, as recordings end",
  );
  assert.match((await reason("mpegts", ts.subarray(0, -1)))!, /packet/);
  const m2ts = await readFile(
    await bars({ extension: "m2ts", audio: false, output: ["-f", "mpegts", "-mpegts_m2ts_mode", "1"] }),
  );
  assert.equal(await reason("mpegts", m2ts), null);
  assert.match((await reason("mpegts", m2ts.subarray(0, -100)))!, /packet/);
  const fragmented = await readFile(await CLEAN_SOURCES.fmp4!());
  assert.equal(await reason("mov,mp4", fragmented), null);
  assert.match((await reason("mov,mp4", fragmented.subarray(0, -200)))!, /chain/);
  // Cameras append what they like to a film that has its table of samples.
  const plain = await readFile(await CLEAN_SOURCES.mp4!());
  assert.equal(await reason("mov,mp4", Buffer.concat([plain, Buffer.from("serial number 1234")])), null);
  const ogg = await readFile(await bars({ extension: "ogv", audio: false, video: ["-c:v", "libtheora"] }));
  assert.equal(await reason("ogg", ogg), null);
  for (const cut of [1, 500, 5_000]) assert.notEqual(await reason("ogg", ogg.subarray(0, -cut)), null);
  assert.equal(await reason("matroska,webm", plain), null, "states its length");
  await rm(folder, { recursive: true });
});
