import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { thisMachine } from "../../infra/start/install.ts";
import { findScorer } from "../../infra/start/parts/scorer.ts";
import { openReport } from "../../infra/start/report.ts";

const folder = mkdtempSync(join(tmpdir(), "matinee-scorer-"));
after(() => rmSync(folder, { recursive: true }));

/** A program that is a script. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}
const plain = program("plain/ffmpeg", "echo ' .. ssim  VV->V'");
const able = program("able/ffmpeg", "echo ' .. libvmaf  VV->V'");

/** What is found on a machine with these programs in its PATH and settings, and what was said of it. */
async function search(
  ffmpegPath: string,
  bin: string,
  settings: Record<string, string> = {},
): Promise<{ found: string | null; said: string }> {
  const lines = new PassThrough();
  const environment = {
    PATH: `${join(folder, bin)}:/usr/bin:/bin`,
    XDG_CACHE_HOME: join(folder, bin, "cache"),
    ...settings,
  };
  const machine = {
    ...thisMachine(environment),
    find: (name: string) => (name === "python3" ? python(bin) : null),
  };
  const report = openReport(lines as unknown as NodeJS.WriteStream);
  const found = await findScorer({ machine, report, signal: new AbortController().signal }, ffmpegPath);
  return { found, said: String(lines.read() ?? "") };
}
const python = (bin: string): string | null => (bin === "none" ? null : join(folder, bin, "python3"));

test("named, else the one that encodes, else the Python package's, which is installed where it is not", async () => {
  program("has/python3", `echo ${able}`);
  // As a venv is made and filled: its Python answers once its pip has run.
  program(
    "installs/python3",
    `[ "$1" = -m ] || exit 1
mkdir -p "$3/bin" && cp "$0" "$3/bin/unfilled"
printf '#!/bin/sh\necho ${able}\n' > "$3/bin/filled"
printf '#!/bin/sh\nmv "\${0%%/*}/filled" "\${0%%/*}/python3"\n' > "$3/bin/pip"
chmod 755 "$3/bin/pip" "$3/bin/filled"`,
  );
  assert.equal((await search(plain, "none", { MATINEE_VMAF_FFMPEG_PATH: "/x/ffmpeg" })).found, "/x/ffmpeg");
  assert.equal((await search(able, "none")).found, able);
  assert.equal((await search(plain, "has")).found, able);
  const installed = await search(plain, "installs");
  assert.equal(installed.found, able);
  assert.match(installed.said, /installing: .*imageio-ffmpeg==/);
});

test("a start goes on without, and says so; switched off, nothing is looked for", async () => {
  program("fails/python3", "exit 1");
  for (const bin of ["none", "fails"]) {
    const { found, said } = await search(plain, bin);
    assert.equal(found, null);
    assert.match(said, /NONE: no ffmpeg with libvmaf/);
  }
  assert.deepEqual(await search(able, "has", { MATINEE_VMAF: "off" }), { found: null, said: "" });
});
