import { elementaryFormat, elementaryStream } from "../core/elementary-stream.ts";
import { hasFault, type ProofLine, proved, untold } from "../core/proof.ts";
import { type DecodedFrame, decodeFile } from "./decode-tracks.ts";
import { type Group, groupsOf, type OpenRung } from "./open-rung.ts";
import { lookAt, type ProofBench, putFile } from "./proof-bench.ts";

/**
 * Plays down the rungs over a border in the middle of the film, through one decoder that is never restarted, as a player's is:
 * a line for each switch to the next rung that a player would make. Where anything is wrong each switch is played by itself,
 * which tells the one that it is.
 */
export async function proveSwitches(bench: ProofBench, rungs: readonly OpenRung[]): Promise<ProofLine[]> {
  const lines: ProofLine[] = [];
  for (const chain of chainsOf(rungs)) lines.push(...(await proveChain(bench, chain)));
  return lines;
}

/** Rungs between which players switch: they stay within a codec and a dynamic range. */
function chainsOf(rungs: readonly OpenRung[]): OpenRung[][] {
  const chains: OpenRung[][] = [];
  for (const rung of rungs) {
    const above = chains.at(-1)?.at(-1);
    if (above !== undefined && isSwitchable(above, rung)) chains.at(-1)!.push(rung);
    else chains.push([rung]);
  }
  return chains.filter(({ length }) => length > 1);
}

function isSwitchable(from: OpenRung, to: OpenRung): boolean {
  const rangeOf = ({ entry }: OpenRung): string => entry.attributes.get("VIDEO-RANGE") ?? "SDR";
  return from.facts.sampleEntry === to.facts.sampleEntry && rangeOf(from) === rangeOf(to);
}

async function proveChain(bench: ProofBench, chain: readonly OpenRung[]): Promise<ProofLine[]> {
  const play = (rungs: readonly OpenRung[]) => lookAt(rungs[0]!.part, () => playChain(bench, rungs));
  const together = await play(chain);
  if (!hasFault(together) || chain.length === 2) return together;
  const alone: ProofLine[] = [];
  for (const [index, to] of chain.slice(1).entries()) alone.push(...(await play([chain[index]!, to])));
  // A fault that only shows in the whole row is none the less one.
  return hasFault(alone) ? alone : together;
}

/** The last group before the border of the first rung, then the first one after it of each other, through one decoder. */
async function playChain(bench: ProofBench, chain: readonly OpenRung[]): Promise<ProofLine[]> {
  const pairs = chain.slice(1).map((to, index) => ({ from: chain[index]!, to }));
  const border = Math.floor(chain[0]!.segments.length / 2);
  const format = elementaryFormat(chain[0]!.facts.sampleEntry);
  if (border === 0 || format === null)
    return pairs.map(({ from }) => untold(from.part, "switches", "one segment: there is no border"));
  const befores: Group[] = [];
  const afters: Group[] = [];
  for (const { from, to } of pairs) {
    befores.push((await groupsOf(bench, from, border - 1)).at(-1)!);
    afters.push((await groupsOf(bench, to, border))[0]!);
  }
  const played = [befores[0]!, ...afters];
  const streams = chain.map(({ init }, index) => elementaryStream(init, played[index]!.bytes));
  const { frames, complaints } = await decodeFile(bench, await putFile(bench, "switch.bin", streams), format);
  const counted = countsOf(chain, played, frames);
  return pairs.map(({ from, to }, index) => {
    const before = befores[index]!;
    const after = afters[index]!;
    const lost = [from, to].filter((rung) => !counted(rung)).map(({ part }) => part);
    const [wantedBefore, wantedAfter] = [played[index]!, after].map((group) => group.fragment.samples.length);
    return proved(
      from.part,
      "switches",
      [
        ...complaints,
        ...(lost.length === 0 ? [] : [`${frames.length} frames came out, not all of ${lost.join(" and ")}`]),
        ...timeFaults(before, after, to),
      ],
      `to ${to.part} before segment ${border}: ${wantedBefore} and ${wantedAfter} frames, no complaint`,
    );
  });
}

/** Whether as many frames of a rung's size came out as went in, of all rungs of that size. */
function countsOf(
  chain: readonly OpenRung[],
  played: readonly Group[],
  frames: readonly DecodedFrame[],
): (rung: OpenRung) => boolean {
  const isSized = (one: { width: number; height: number }, { facts }: OpenRung): boolean =>
    one.width === facts.width && one.height === facts.height;
  return (rung) => {
    const wanted = played.filter((_, index) => isSized(chain[index]!.facts, rung));
    const samples = wanted.reduce((sum, { fragment }) => sum + fragment.samples.length, 0);
    return frames.filter((frame) => isSized(frame, rung)).length === samples;
  };
}

/** The next rung goes on where this one ends. */
function timeFaults({ fragment }: Group, after: Group, to: OpenRung): string[] {
  const end = fragment.samples.reduce((sum, one) => sum + one.durationTicks, fragment.baseDecodeTime);
  const start = after.fragment.baseDecodeTime;
  return end === start ? [] : [`${to.part} goes on at ${start}, not ${end}`];
}
