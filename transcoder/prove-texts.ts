import { resolvePath } from "../core/conformance/package-view.ts";
import { parseMedia } from "../core/conformance/parse-media.ts";
import type { Attributes } from "../core/conformance/playlist-grammar.ts";
import { type ProofLine, proved } from "../core/proof.ts";
import { decodeFile } from "./decode-tracks.ts";
import { type ProofBench, putFile, readText } from "./proof-bench.ts";

/** Reads every text track at its start, middle and end as a decoder does: each cue that stands there comes out. */
export async function proveTexts(
  bench: ProofBench,
  mainPath: string,
  media: readonly Attributes[],
): Promise<ProofLine[]> {
  const lines: ProofLine[] = [];
  for (const attributes of media.filter((one) => one.get("TYPE") === "SUBTITLES" && one.has("URI"))) {
    const path = resolvePath(mainPath, attributes.get("URI") ?? "");
    const { segments } = parseMedia(await readText(bench, path));
    const places = new Set([0, Math.floor((segments.length - 1) / 2), segments.length - 1]);
    const faults: string[] = [];
    let cues = 0;
    for (const place of places) {
      const name = segments[place]?.uri ?? "";
      const read = await readCues(bench, await readText(bench, resolvePath(path, name)));
      faults.push(...read.faults.map((fault) => `${name}: ${fault}`));
      cues += read.cues;
    }
    lines.push(proved(path.slice(0, path.lastIndexOf("/")), "decodes", faults, `${cues} cues, no complaint`));
  }
  return lines;
}

/** WebVTT 4.1: each cue has one line with an arrow. */
async function readCues(bench: ProofBench, text: string): Promise<{ cues: number; faults: string[] }> {
  const cues = [...text.matchAll(/^.*-->.*$/gm)].length;
  const file = await putFile(bench, "cues.vtt", [new TextEncoder().encode(text)]);
  const { packets, complaints } = await decodeFile(bench, file, "webvtt");
  // A segment in which nobody speaks has nothing to open.
  const isCounted = packets === cues;
  return { cues, faults: [...complaints, ...(isCounted ? [] : [`${packets} of ${cues} cues came out`])] };
}
