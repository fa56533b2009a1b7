import { printTable } from "../table.ts";
import type { FaultLog } from "./faults.ts";
import type { Fleet } from "./fleet.ts";
import type { House } from "./house.ts";

/** What did not hold, check by check. */
export type Findings = readonly (readonly [what: string, lines: readonly string[]])[];

const MOST_SHOWN = 40;

/** Prints what was found, what was done and broken, and how much memory was held. */
export function report(
  title: string,
  settleMs: number,
  findings: Findings,
  { faults, houses, fleet }: { faults: FaultLog; houses: readonly House[]; fleet: Fleet },
): void {
  for (const [what, lines] of findings)
    if (lines.length > 0)
      process.stdout.write(
        `\n${what}: ${lines.length}\n${lines
          .slice(0, MOST_SHOWN)
          .map((line) => `  ${line}\n`)
          .join("")}`,
      );
  const done = faults.all.filter(({ kind }) => kind !== "down");
  const deeds = Map.groupBy(done, ({ kind, target }) => `${target.replace(/-\d$/, "")} ${kind}`);
  process.stdout.write(`\n${[...deeds].map(([deed, all]) => `${deed} ${all.length}`).join(", ")}\n`);
  for (const { name, known } of houses)
    process.stdout.write(
      `${name}: ${Object.entries(known.counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(", ")}\n`,
    );
  for (const { name: member } of fleet.members.filter((one) => one.name.endsWith("-0"))) {
    const samples = fleet.memory
      .filter((one) => one.member === member)
      .map(({ bytes }) => Math.round(bytes / 2 ** 20));
    const step = Math.max(1, Math.floor(samples.length / 10));
    process.stdout.write(
      `${member}, MiB by time: ${samples.filter((_, index) => index % step === 0).join(" ")}\n`,
    );
  }
  printTable(
    [title, "found"],
    [
      ["faults", String(done.length)],
      ["s until all was done", String(Math.round(settleMs / 1000))],
      ...findings.map(([what, lines]): [string, string] => [what, String(lines.length)]),
    ],
  );
}
