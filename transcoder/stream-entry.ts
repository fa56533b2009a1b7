import {
  type Aim,
  areInOrder,
  entryFinder,
  hasNearer,
  isBehind,
  type Known,
  type LookedEntry,
} from "../core/stream-aims.ts";
import { type Landed, landBefore } from "./stream-landing.ts";
import type { ReadableStream } from "./stream-pictures.ts";

/** One look into a transport stream for a place at which its picture can be entered. */

/** Where no entry is met for longer there is none. */
const LONGEST_GROUP_SECONDS = 30;

/** `group`: how long groups of pictures are thought to be, at most. */
export type Wanted = Aim & { group: number };

/** The entry that is wanted; null where there is none, or what is met leaves a doubt. */
export async function lookFor(
  stream: ReadableStream,
  between: readonly [Known, Known],
  wanted: Wanted,
  signal: AbortSignal,
): Promise<LookedEntry | null> {
  const landed = await landBefore(stream, between, wanted.fromSeconds, signal);
  return landed && entryBehind(landed, wanted);
}

/** Goes on from a picture to the entry that is wanted, as long as each is decoded behind the one before it. */
async function entryBehind({ first, behind }: Landed, wanted: Wanted): Promise<LookedEntry | null> {
  const finder = entryFinder(false);
  finder.add(first);
  let last = first;
  let found: LookedEntry | null = null;
  for await (const picture of behind) {
    if (found !== null && isBehind(picture, wanted)) break;
    if (!areInOrder([last, picture])) return null;
    if (picture.decodeSeconds - first.decodeSeconds > LONGEST_GROUP_SECONDS) break;
    found = finder.add(picture) ?? found;
    if (found?.at === picture.at && !hasNearer(found, wanted, wanted.group)) break;
    last = picture;
  }
  return found;
}
