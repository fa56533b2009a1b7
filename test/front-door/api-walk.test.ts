import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startWholeProduct } from "../e2e/product.ts";
import { BIG_BUCK_BUNNY_480, made } from "../rig/media.ts";

/** The blocks for a shell in docs/api.md, as somebody runs them who reads it: all of them, one after the other. */

const DOCUMENT = new URL("../../docs/api.md", import.meta.url);

/** As long as what the walk says of it, and small. */
function film(): Promise<string> {
  const coding = [
    "-vf",
    "scale=320:180",
    "-r",
    "12",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-c:a",
    "copy",
  ];
  return made("mp4", ["-i", BIG_BUCK_BUNNY_480, "-t", "14", ...coding, "{out}"]);
}

test("the walk of docs/api.md goes from its first line to its last", async (t) => {
  const product = await startWholeProduct();
  t.after(() => product.stop());
  const blocks = [...readFileSync(DOCUMENT, "utf8").matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block]) => block!,
  );
  assert.ok(blocks.length > 15, `${blocks.length} blocks`);
  const given = `FILM=${await film()}`;
  const script = blocks
    .map((block, index) => `echo "--- ${index}" >&2\n${block}`)
    .join("\n")
    .replaceAll("data/ready.json", `${product.dataDirectory}/ready.json`)
    .replace(/^FILM=.*$/m, given)
    // What a second ladder costs is paid for elsewhere.
    .replace(',"hevc"]', "]");
  assert.ok(script.includes(given) && !script.includes("hevc"));
  const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail"], {
    ...{ input: script, encoding: "utf8", timeout: 600_000 },
  });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.doesNotMatch(stderr, /^[^-]/m, "nothing complains");
  assert.match(stdout, /^\["The Bunny","published"\]$/m);
  assert.match(stdout, /^deleted$/m);
});
