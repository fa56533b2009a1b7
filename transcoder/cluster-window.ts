import type { ByteRange } from "../core/byte-ranges.ts";
import { cueRanges, type SourceEntries } from "../core/cue-index.ts";
import { READ_AHEAD_SECONDS, type TimeWindow } from "../core/source-window.ts";
import { HEAD_BYTES, type ReadHead, walkFrames, withHeads } from "./matroska-blocks.ts";
import type { PartialFile } from "./partial-file.ts";

/** A picture may lie before others that are shown earlier, which a decoder needs in order to show these: a few places. */
const REORDERED_SECONDS = 0.25;
/** Read behind it, since where pictures stand for long the next one is asked for, and comes out of a decoder a few later. */
const PICTURES_BEHIND = 3;
/** What is fetched at once of a group whose end is looked for. */
const STEP_BYTES = 2 ** 20;

/**
 * What is read of the file when anything in it is decoded over `window`: from the cluster that is entered on to the first pictures that are
 * shown after it, which are looked for in the group that it ends in. `cueRanges` alone would know the next keyframes only, ten seconds on or more.
 */
export async function clusterWindow(
  file: Pick<PartialFile, "path" | "fill">,
  { cues, picture, secondsOfTick, sizeBytes }: SourceEntries,
  window: TimeWindow,
  signal: AbortSignal,
): Promise<ByteRange[]> {
  const [most] = cueRanges(cues, window, sizeBytes);
  const last = cues.findLast(({ seconds }) => seconds <= window.endSeconds) ?? cues[0];
  if (most === undefined || last === undefined) return [];
  const from = Math.max(most.start, last.clusterAt);
  const lastTicks = (window.endSeconds + READ_AHEAD_SECONDS + REORDERED_SECONDS) / secondsOfTick;
  let there = from;
  let end = most.end;
  let behind = 0;
  await withHeads(file.path, async (readThere) => {
    const read: ReadHead = async (at) => {
      const until = Math.min(most.end, at + HEAD_BYTES);
      if (until > there) {
        const further = { start: there, end: Math.min(most.end, until + STEP_BYTES) };
        await file.fill([further], signal);
        there = further.end;
      }
      return readThere(at);
    };
    await walkFrames(read, { start: from, end: most.end }, ({ track, ticks, start }) => {
      if (track !== picture.number || ticks <= lastTicks || ++behind <= PICTURES_BEHIND) return false;
      end = start;
      return true;
    });
  });
  return [{ start: most.start, end }];
}
