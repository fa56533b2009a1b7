import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startParts } from "../../bench/parts.ts";
import { figure, printTable } from "../../bench/table.ts";
import { CONTAINERS, campaign, DAMAGES, type Judged, nameOf, type Variant } from "./campaign.ts";
import { openJudge } from "./judge.ts";

/**
 * `npm run fuzz -- [--seed N] [--minutes M] [--only TEXT] [--index I]`: damaged films through the real stages until the time is
 * up, a table of what became of them, and 1 as exit code where one must not have. `--only` takes variants whose name holds the text
 * (`mkv`, `ts/flips`); with `--index` as well just one of each, as a violation names it. Offending files are kept.
 */

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    minutes: { type: "string", default: "10" },
    only: { type: "string", default: "" },
    index: { type: "string" },
  },
});
const KEPT = resolve("fuzz-kept");
/** Files between two signs of life: half a minute or so. */
const TELL_EVERY = 50;

const NOTHING = new Uint8Array();
const seed = Number(values.seed);
const ending = new AbortController();
const limit = setTimeout(() => ending.abort(), Number(values.minutes) * 60_000);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => ending.abort());
process.stderr.write(`seed ${seed}\n`);

const parts = await startParts(new AbortController().signal);
try {
  Object.assign(process.env, parts.environment);
  const judge = await openJudge();
  const judged: Judged[] = [];
  for await (const one of campaign(judge, variants())) {
    if (one.verdict.violation !== null) keep(one);
    // Hours of them would fill the memory.
    judged.push({ ...one, bytes: NOTHING });
    if (judged.length % TELL_EVERY === 0) tell(judged);
  }
  await judge.close();
  report(judged);
  if (judged.length === 0 || judged.some(({ verdict }) => verdict.violation !== null)) process.exitCode = 1;
} finally {
  clearTimeout(limit);
  await parts.stop();
}

/** Every container and damage in turn, for as long as there is time. */
function* variants(): Generator<Variant> {
  const from = values.index === undefined ? 0 : Number(values.index);
  const to = values.index === undefined ? Number.POSITIVE_INFINITY : from + 1;
  for (let index = from; index < to; index++)
    for (const container of CONTAINERS)
      for (const damage of DAMAGES) {
        const variant = { container, damage, seed, index };
        if (ending.signal.aborted) return;
        if (`${container}/${damage}`.includes(values.only)) yield variant;
      }
}

function tell(judged: readonly Judged[]): void {
  const violations = judged.filter(({ verdict }) => verdict.violation !== null).length;
  process.stderr.write(`${judged.length} files, ${violations} violations\n`);
}

function keep(one: Judged): void {
  mkdirSync(KEPT, { recursive: true });
  const path = join(KEPT, nameOf(one).replaceAll("/", "-"));
  writeFileSync(path, one.bytes);
  process.stderr.write(`✗ ${nameOf(one)}: ${one.verdict.violation?.slice(0, 2_000)}\n  kept as ${path}\n`);
}

function report(judged: readonly Judged[]): void {
  const met = CONTAINERS.filter((container) => judged.some((one) => one.container === container));
  const rows = met.map((container) => {
    const verdicts = judged.filter((one) => one.container === container).map(({ verdict }) => verdict);
    const cpuSeconds = verdicts.map((verdict) => verdict.cpuSeconds);
    const peaks = verdicts.map((verdict) => verdict.peakMemoryBytes ?? 0);
    const codes = Map.groupBy(verdicts, ({ outcome }) => outcome);
    return [
      container,
      String(verdicts.length),
      String(verdicts.filter(({ violation }) => violation !== null).length),
      figure(cpuSeconds.reduce((total, one) => total + one, 0)),
      figure(Math.max(0, ...cpuSeconds)),
      String(Math.round(Math.max(0, ...peaks) / 2 ** 20)),
      [...codes].map(([code, list]) => `${code} ${list.length}`).join(", "),
    ];
  });
  printTable(["container", "files", "violations", "CPU s", "dearest", "peak MiB", "outcomes"], rows);
}
