import { resolvePath } from "../core/conformance/package-view.ts";
import { parseMedia } from "../core/conformance/parse-media.ts";
import type { StreamEntry } from "../core/conformance/parse-multivariant.ts";
import { type Fragment, readFragments } from "../core/fragments.ts";
import { type InitFacts, readInit } from "../core/init-segment.ts";
import { openEach, type ProofBench, readObject, readText } from "./proof-bench.ts";

/** One rung as the multivariant playlist names it, opened. */
export interface OpenRung {
  part: string;
  entry: StreamEntry;
  init: Uint8Array;
  facts: InitFacts;
  /** Paths of its segments, in order. */
  segments: string[];
}

/** A group of pictures: the bytes of one fragment and what its boxes say. */
export interface Group {
  bytes: Uint8Array;
  fragment: Fragment;
}

/** Every rung that the playlist names, each once: it stands there for every group of sounds. */
export function openRungs(bench: ProofBench, mainPath: string, variants: readonly StreamEntry[]) {
  const distinct = variants.filter(
    ({ uri }, index) => variants.findIndex((other) => other.uri === uri) === index,
  );
  return openEach(
    distinct,
    ({ uri }) => uri,
    (entry) => openRung(bench, mainPath, entry),
  );
}

/** Opens a rung as a player does: its playlist, and the header that the first segment names. */
export async function openRung(bench: ProofBench, mainPath: string, entry: StreamEntry): Promise<OpenRung> {
  const path = resolvePath(mainPath, entry.uri);
  const { segments } = parseMedia(await readText(bench, path));
  const init = await readObject(bench, resolvePath(path, segments[0]?.map?.uri ?? ""));
  return {
    part: path.slice(0, path.lastIndexOf("/")),
    entry,
    init,
    facts: readInit(init),
    segments: segments.map(({ uri }) => resolvePath(path, uri)),
  };
}

/** The groups of pictures of one segment, in order. */
export async function groupsOf(bench: ProofBench, { segments }: OpenRung, segment: number): Promise<Group[]> {
  const bytes = await readObject(bench, segments[segment]!);
  return readFragments(bytes).map((fragment) => ({
    bytes: bytes.subarray(fragment.offset, fragment.offset + fragment.bytes),
    fragment,
  }));
}

/** The first group of pictures of a rung and its last. */
export async function outermostGroups(bench: ProofBench, rung: OpenRung): Promise<Group[]> {
  const { segments } = rung;
  const opening = await groupsOf(bench, rung, 0);
  const ending = segments.length === 1 ? opening : await groupsOf(bench, rung, segments.length - 1);
  return [...new Set([opening[0]!, ending.at(-1)!])];
}
