import type { Plan } from "../core/plan.ts";
import type { PinnedSource, Source } from "../core/source.ts";
import { isBehind, type LookedEntry } from "../core/stream-aims.ts";
import { entryBefore, withEntry } from "../core/stream-entries.ts";
import type { FrameRange } from "../core/timeline.ts";
import { firstDecodedSeconds } from "./entry-place.ts";
import type { PartialMaster } from "./scratch.ts";
import type { ReadingContext } from "./source-window.ts";
import { lookFor } from "./stream-entry.ts";
import { openStream } from "./stream-pictures.ts";

/** What is decoded for nothing from an entry that is nearer costs less than to look for a better one. */
const NEAR_SECONDS = 3;
/** How long before the frames it is looked for, most groups being short. */
const LOOKS_SECONDS = [2, 10, 30];
/** More than all roundings, less than any two pictures are apart. */
const SAME_TIME_SECONDS = 0.001;
/** What tells which stream is the picture stands at a file's beginning. */
const BEGINNING_BYTES = 2 ** 20;

/**
 * The source with one entry more where it was only looked for some (transcoder/stream-looks.ts), and the last of these is far before `frames`: looks
 * are for the beginnings of chunks, and who is at a few seconds in the middle of one would decode half a minute for them.
 */
export async function withNearEntry(
  { scratch, signal }: Pick<ReadingContext, "scratch" | "signal">,
  pinned: PinnedSource,
  source: Source,
  plan: Plan,
  frames: FrameRange,
): Promise<Source> {
  const { entries, keyframeSeconds } = source.video;
  if (entries?.leadAt === undefined) return source;
  const firstSeconds = firstDecodedSeconds(plan, frames);
  const noted = entryBefore(entries, keyframeSeconds, firstSeconds) ?? 0;
  if (firstSeconds - keyframeSeconds[noted]! <= NEAR_SECONDS) return source;
  const found = await scratch.withParts(pinned, (master) =>
    entryNear(master, source, { noted, firstSeconds }, signal),
  );
  return found === null ? source : { ...source, video: withEntry(source.video, found) };
}

/** null where none is found that is nearer than the one that was noted. */
async function entryNear(
  master: PartialMaster,
  { video }: Source,
  { noted, firstSeconds }: { noted: number; firstSeconds: number },
  signal: AbortSignal,
): Promise<LookedEntry | null> {
  const { startSeconds, entries } = video;
  const { at, decodeSeconds } = entries!;
  const known = at.map((place, index) => ({
    at: place,
    decodeSeconds: startSeconds + decodeSeconds[index]!,
  }));
  const [low, high] = [known[noted]!, known[noted + 1]];
  const stream = await openStream(master, BEGINNING_BYTES, signal);
  if (stream === null || high === undefined) return null;
  // When a picture that is entered is decoded that is shown no later than the first frame.
  const untilSeconds = startSeconds + firstSeconds + decodeSeconds[0]! + SAME_TIME_SECONDS;
  for (const earlier of LOOKS_SECONDS) {
    const wanted = { fromSeconds: untilSeconds - earlier, untilSeconds, group: 0 };
    if (wanted.fromSeconds <= low.decodeSeconds) return null;
    const entry = await lookFor(stream, [low, high], wanted, signal);
    const isNearer = entry !== null && entry.decodeSeconds >= wanted.fromSeconds && !isBehind(entry, wanted);
    if (isNearer) return entry;
  }
  return null;
}
