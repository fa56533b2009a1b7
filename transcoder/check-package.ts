import { blockingFailures, checkPackage, RULES } from "../core/conformance/check-package.ts";
import { viewPackage } from "../core/conformance/package-view.ts";
import type { RuleResult } from "../core/conformance/rule.ts";
import { DASH_MANIFEST, MAIN_PLAYLIST } from "../core/keys.ts";
import { fromFolder, fromUrl, readPackageFacts } from "./read-package.ts";

/** Where a package lies: a folder with a main.m3u8, or the address of any multivariant playlist. */
export async function checkPackageAt(place: string): Promise<RuleResult[]> {
  const isUrl = /^https?:\/\//.test(place);
  const read = isUrl ? fromUrl(new URL(".", place).href) : fromFolder(place);
  const mainPath = isUrl ? (new URL(place).pathname.split("/").at(-1) ?? MAIN_PLAYLIST) : MAIN_PLAYLIST;
  const mpdPath = isUrl ? mainPath.replace(/\.m3u8$/, ".mpd") : DASH_MANIFEST;
  return checkPackage(viewPackage(await readPackageFacts(read, mainPath, mpdPath), mainPath, mpdPath));
}

const SIGNS = { pass: "✓", fail: "✗", not_applicable: "·" };

function row({ rule, level, verdict, evidence }: RuleResult, asks: string): string {
  return `${SIGNS[verdict]} ${rule.padEnd(16)} ${level.padEnd(6)} ${asks}\n${" ".repeat(26)}${evidence}`;
}

/** Prints a line for each rule; answers the exit code: 1 where a MUST is broken. */
export async function main(args: readonly string[]): Promise<number> {
  const [place] = args;
  if (place === undefined || args.length > 1) {
    console.error("usage: npm run check -- URL|DIR   (a main.m3u8's address, or the folder that holds it)");
    return 2;
  }
  const results = await checkPackageAt(place);
  results.forEach((result, index) => {
    console.log(row(result, RULES[index]?.asks ?? ""));
  });
  const count = (verdict: string): number => results.filter((one) => one.verdict === verdict).length;
  const blocking = blockingFailures(results);
  console.log(
    `\n${count("pass")} pass, ${count("not_applicable")} do not apply, ${blocking.length} MUST and ${count("fail") - blocking.length} SHOULD fail`,
  );
  return blocking.length > 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await main(process.argv.slice(2)).catch((thrown: unknown) => {
    console.error(thrown instanceof Error ? thrown.message : thrown);
    return 2;
  });
}
