import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import type { PinnedSource, Source } from "../core/source.ts";
import { probeSource } from "./probe.ts";
import { withCoded } from "./probe-coded.ts";
import { knownEnds } from "./read-ends.ts";
import { joinEnds } from "./read-stream-ends.ts";
import type { PartialMaster } from "./scratch.ts";
import type { SourceIndex } from "./source-index.ts";
import { lookAtEnds } from "./stream-ends.ts";
import { areMany, endsAlone, lookBetween } from "./stream-looks.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * Describes a master: from its index and first samples where that lists all, from both ends where it lists keyframes, or these are looked for, and
 * that leaves no doubt, from all of it otherwise. Of one in which much would have to be looked for first, a `sketch` is from both ends alone
 * (`Source.isSketch`).
 */
export async function describeMaster(
  context: DescribingContext,
  pinned: PinnedSource,
  depth: Depth = "full",
): Promise<Source> {
  const { launcher, scratch, signal, note } = context;
  const file = { sizeBytes: pinned.sizeBytes, sha256: pinned.sha256 };
  const fromPart = await scratch.withParts(pinned, async (master) => {
    const index = await master.index(signal);
    try {
      return index === null
        ? await describeStream(context, master, file, depth)
        : await describeIndexed(context, master, index, file);
    } catch (thrown) {
      // It may be for what was not fetched, or not looked at: the whole file has the last word.
      const isLast = (index?.tracks.length ?? 0) > 0 && master.isWhole();
      if (isLast || !(thrown instanceof Failure) || thrown.failureClass !== "source") throw thrown;
      return null;
    }
  });
  if (fromPart !== null) return fromPart;
  return scratch.withSource(pinned, signal, (path) => probeSource(launcher, path, file, signal, note));
}

type DescribingContext = Pick<TaskContext, "launcher" | "scratch" | "signal" | "note">;
type Depth = "full" | "sketch";
type DescribedFile = Parameters<typeof probeSource>[2];

/** null where frames can only be counted by reading the file to its end. */
async function describeIndexed(
  { launcher, signal, note }: DescribingContext,
  master: PartialMaster,
  index: SourceIndex,
  file: DescribedFile,
): Promise<Source | null> {
  const ends = index.entries === null ? null : await knownEnds(master, index.entries, signal);
  if (index.tracks.length === 0 && ends === null) return null;
  await master.fill([...index.always, ...(ends?.ranges ?? [])], signal);
  const known = ends === null ? { tables: index.tracks } : { ends };
  const source = await probeSource(launcher, master.path, file, signal, note, known);
  return withCoded(source, master, index, signal);
}

/** Of a transport stream, by its ends and by looks between; null of anything else, and where it is to be read whole. */
async function describeStream(
  { launcher, scratch, signal, note }: DescribingContext,
  master: PartialMaster,
  file: DescribedFile,
  depth: Depth,
): Promise<Source | null> {
  const ends = await lookAtEnds(master, signal);
  if (ends === null) return null;
  const isSketch = depth === "sketch" && areMany(ends);
  const looks = isSketch ? endsAlone(ends) : await lookBetween(ends, signal);
  const source = await scratch.withDirectory(async (directory) => {
    const path = join(directory, "ends.ts");
    await joinEnds(master.path, master.sizeBytes, looks, path);
    return probeSource(launcher, path, file, signal, note, { looks });
  });
  // Nobody could begin in the middle of such a sketch.
  if (isSketch && source.video.entries === undefined) return null;
  return isSketch ? { ...source, isSketch } : source;
}
