import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { emptyVerdicts, forgetVerdicts } from "../../infra/nginx/verdict-files.ts";
import { listOf } from "../delivery/edge-under-test.ts";

const MAC = "x".repeat(43);
/** In the middle of turn 19000000. */
const NOW_SECONDS = 1_900_000_050;

function verdict(session: string, kid = "k1", asset = "as_1", turn = 19_000_000): string {
  return `${turn}~1.${kid}.1900000300.${session}.${MAC}~${asset}~9f86d081884c7d65`;
}

test("verdicts of other turns go, those that a list calls back go, and all others stay", async (context) => {
  const folder = join(await mkdtemp(join(tmpdir(), "matinee-verdicts-")), "verdicts");
  context.after(() => rm(join(folder, ".."), { recursive: true, force: true }));
  const good = [
    verdict("ps_1"),
    verdict("ps_2"),
    verdict("pv_1"),
    verdict("ps_1", "k2"),
    verdict("ps_1", "k1", "as_2"),
  ];
  const old = [verdict("ps_1", "k1", "as_1", 18_999_999), verdict("ps_1", "k1", "as_1", 19_000_001)];
  const cases: [Parameters<typeof listOf>[0], number[]][] = [
    [{}, [0, 1, 2, 3, 4]],
    [{ sessions: ["ps_1"] }, [1, 2]],
    [{ keys: ["k1"] }, [3]],
    [{ assets: ["as_1"] }, [4]],
    [{ withdrawn: ["as_1"] }, [2, 4]],
    [{ sessions: ["as_1", "k1"], keys: ["ps_1"], assets: ["ps_1"] }, [0, 1, 2, 3, 4]],
  ];
  for (const [revoked, staying] of cases) {
    await emptyVerdicts(folder);
    assert.deepEqual(await readdir(folder), []);
    for (const name of [...good, ...old, "19000000", "19000000~x"]) await writeFile(join(folder, name), "");
    await forgetVerdicts(folder, listOf(revoked), NOW_SECONDS);
    const expected = staying.map((at) => good[at]).sort();
    assert.deepEqual((await readdir(folder)).sort(), expected, JSON.stringify(revoked));
  }
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
});
