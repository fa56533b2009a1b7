import { resolvePath } from "../core/conformance/package-view.ts";
import { parseMedia } from "../core/conformance/parse-media.ts";
import type { StreamEntry } from "../core/conformance/parse-multivariant.ts";
import { type Fragment, readFragments } from "../core/fragments.ts";
import { type InitFacts, readInit } from "../core/init-segment.ts";
import { type ProofBench, readObject, readText } from "./proof-bench.ts";

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
