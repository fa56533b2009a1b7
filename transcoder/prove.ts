import { parseMultivariant } from "../core/conformance/parse-multivariant.ts";
import { Failure } from "../core/errors.ts";
import { MAIN_PLAYLIST } from "../core/keys.ts";
import type { Plan } from "../core/plan.ts";
import type { ProofLine } from "../core/proof.ts";
import type { Source } from "../core/source.ts";
import type { TimeRange } from "../core/time-ranges.ts";
import { openRungs } from "./open-rung.ts";
import { openSounds } from "./open-sound.ts";
import { playTogether } from "./play-tracks.ts";
import { type ProofBench, readText } from "./proof-bench.ts";
import { provePictures } from "./prove-pictures.ts";
import { proveSounds } from "./prove-sounds.ts";
import { proveSwitches } from "./prove-switches.ts";
import { proveTexts } from "./prove-texts.ts";

/** What a package must be like. */
export interface Master {
  plan: Plan;
  source: Source;
  /** The master itself; null where it is not at hand: tracks are then not compared with it. */
  path: string | null;
  /** Where it could not be wholly decoded: what comes out there hangs on where decoding began, and tells nothing. */
  damaged: readonly TimeRange[];
}

/**
 * Plays a package as its playlists tell a player to, a few seconds of each part: rungs, sounds and texts at their start,
 * middle and end, and every switch between rungs. Never throws for what the package is like: that is in the lines.
 */
export async function provePackage(bench: ProofBench, master: Master): Promise<ProofLine[]> {
  const main = parseMultivariant(await readText(bench, MAIN_PLAYLIST));
  const codecs = main.variants.flatMap(({ attributes }) => (attributes.get("CODECS") ?? "").split(","));
  const rungs = await openRungs(bench, MAIN_PLAYLIST, main.variants);
  const sounds = await openSounds(bench, MAIN_PLAYLIST, main.media);
  const played = await playTogether(bench, rungs.opened, sounds.opened);
  return [
    ...rungs.lines,
    ...(await provePictures(bench, rungs.opened, master.plan.timeline, played?.rungs ?? null)),
    ...(await proveSwitches(bench, rungs.opened)),
    ...sounds.lines,
    ...(await proveSounds(bench, sounds.opened, played?.heads ?? null, [...new Set(codecs)], master)),
    ...(await proveTexts(bench, MAIN_PLAYLIST, main.media)),
  ];
}

/** Throws `encode_failed`, naming what does not play, where any line failed. */
export function requireProof(lines: readonly ProofLine[]): void {
  const failed = lines.filter(({ verdict }) => verdict === "fail");
  if (failed.length === 0) return;
  throw new Failure(
    "ours",
    "encode_failed",
    `The package does not play as it should and is not published: ${failed.map(({ part, check }) => `${part} ${check}`).join(", ")}.`,
    {
      cause: new Error(failed.map(({ part, check, evidence }) => `${part} ${check}: ${evidence}`).join("\n")),
    },
  );
}
