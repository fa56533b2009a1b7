import { resolvePath } from "../core/conformance/package-view.ts";
import { parseMedia } from "../core/conformance/parse-media.ts";
import type { Attributes } from "../core/conformance/playlist-grammar.ts";
import { readFragments } from "../core/fragments.ts";
import { type InitFacts, readInit } from "../core/init-segment.ts";
import { playedPlaces, type Stretch } from "../core/proof.ts";
import { openEach, type ProofBench, readObject, readText } from "./proof-bench.ts";

/** One sound as the multivariant playlist names it, opened at its start, middle and end. */
export interface OpenSound {
  part: string;
  attributes: Attributes;
  init: Uint8Array;
  facts: InitFacts;
  /** Its first segment, the one in the middle and the last, each once. */
  cells: Uint8Array[];
  /** Where each of them begins and how long it is, in the track's ticks. */
  spans: { start: number; ticks: number }[];
}

/** Every sound that the playlist names beside the pictures, once: one of two channels stands in the group of 5.1 as well. */
export function openSounds(bench: ProofBench, mainPath: string, media: readonly Attributes[]) {
  const named = media.filter((one) => one.get("TYPE") === "AUDIO" && one.has("URI"));
  return openEach(
    [...Map.groupBy(named, (one) => one.get("URI")).values()].map(([first]) => first!),
    (attributes) => attributes.get("URI") ?? "",
    (attributes) => openSound(bench, mainPath, attributes),
  );
}

/** Opens a sound as a player does: its playlist, the header that the first segment names, and three of its segments. */
async function openSound(bench: ProofBench, mainPath: string, attributes: Attributes): Promise<OpenSound> {
  const path = resolvePath(mainPath, attributes.get("URI") ?? "");
  const { segments } = parseMedia(await readText(bench, path));
  const init = await readObject(bench, resolvePath(path, segments[0]?.map?.uri ?? ""));
  const cells = await Promise.all(
    playedPlaces(segments.length).map((place) => readObject(bench, resolvePath(path, segments[place]!.uri))),
  );
  const part = path.slice(0, path.lastIndexOf("/"));
  return { part, attributes, init, facts: readInit(init), cells, spans: cells.map(spanOf) };
}

/** When they are heard. */
export function stretchesOf({ spans, facts: { timescale } }: OpenSound): Stretch[] {
  return spans.map(({ start, ticks }) => ({ startSeconds: start / timescale, seconds: ticks / timescale }));
}

function spanOf(cell: Uint8Array): { start: number; ticks: number } {
  const fragments = readFragments(cell);
  const ticks = fragments.flatMap(({ samples }) => samples).reduce((sum, one) => sum + one.durationTicks, 0);
  return { start: fragments[0]!.baseDecodeTime, ticks };
}
