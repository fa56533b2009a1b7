import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { flashAndBeep } from "../rig/media.ts";
import { readPackage } from "../rig/package.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

const folder = mkdtempSync(join(tmpdir(), "matinee-small-disk-"));
let product: Product | undefined;
let mounted = false;
after(async () => {
  await product?.stop();
  if (mounted) execFileSync("umount", ["-l", folder]);
  rmSync(folder, { recursive: true, force: true });
});

/** A file that takes all the room that is left. */
function fillDisk(path: string): void {
  const file = openSync(path, "w");
  const block = Buffer.alloc(64 * 2 ** 10);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  } finally {
    closeSync(file);
  }
}

const canMount = process.getuid?.() === 0 && process.platform === "linux";

test("F22 scratch disk full in mid-encode: nothing bad is stored, the work waits and ends well once there is room", {
  skip: canMount ? false : "mounting a small disk needs root",
}, async () => {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=300m", "tmpfs", folder]);
  mounted = true;
  product = await startProduct({ workers: 1, slots: 1, environment: { MATINEE_SCRATCH_DIR: folder } });
  // A chunk at work and two that are to come; few frames, for they are paid for.
  const film = await flashAndBeep({ seconds: 36, size: "640x360", rate: "25/2" });
  const assetId = await product.uploadFile(film);
  await eventually("a chunk at work", 300, async () =>
    product!.library.tasks.findOne({ assetId, kind: "video", state: "claimed" }),
  );
  const filler = join(folder, "filler");
  fillDisk(filler);
  const failed = await eventually(
    "a failure is recorded",
    300,
    async () =>
      (await product!.library.tasks.find({ assetId }).toArray()).find((task) => task.failures > 0) ?? null,
  );
  assert.equal(failed.attempts.at(-1)?.error?.class, "resource");
  assert.equal((await product.library.assets.findOne({ _id: assetId }))?.state, "encoding", "it waits");
  rmSync(filler);
  const asset = await product.until(assetId, ({ state }) => state === "ready", 300);
  const files = await readPackage(product, asset);
  for (const [name, bytes] of files) assert.ok(bytes.length > 0, name);
});
