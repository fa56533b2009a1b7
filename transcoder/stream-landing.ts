import { halfwayBetween, isNear, type Known, placeBetween } from "../core/stream-aims.ts";
import type { StreamPicture } from "../core/stream-pictures.ts";
import { picturesFrom, type ReadableStream } from "./stream-pictures.ts";

/** The first picture from a place on, and those behind it as they are read. */
export interface Landed {
  first: StreamPicture;
  behind: AsyncIterable<StreamPicture>;
}

/** Until it is not worth more requests. */
const MOST_LANDINGS = 16;
/** Of landings on one side, one behind the other: then bytes do not go with time here, and are halved. */
const STUCK_LANDINGS = 2;

/**
 * Lands in a stream a little before what is decoded at `seconds`, which lies between two places that are known; at the last place that is surely
 * before it where that is not found. null where no picture is met at one of the places.
 */
export async function landBefore(
  stream: ReadableStream,
  between: readonly [Known, Known],
  seconds: number,
  signal: AbortSignal,
): Promise<Landed | null> {
  let [low, high] = between;
  /** How many in a row fell behind the aim, or with a minus before it. */
  let inARow = 0;
  for (let landing = 0; landing < MOST_LANDINGS; landing++) {
    const isStuck = Math.abs(inARow) >= STUCK_LANDINGS;
    const at = isStuck ? halfwayBetween(low, high) : placeBetween(low, high, seconds);
    const behind = picturesFrom(stream, at, signal);
    const { value: first } = await behind.next();
    if (first === undefined) return null;
    if (isNear(first, seconds)) return { first, behind };
    await behind.return(undefined);
    const isBehind = first.decodeSeconds > seconds;
    inARow = isBehind ? Math.max(0, inARow) + 1 : Math.min(0, inARow) - 1;
    if (isBehind) high = { at, decodeSeconds: first.decodeSeconds };
    else low = first;
    if (low.at >= high.at || low.decodeSeconds >= high.decodeSeconds) break;
  }
  const behind = picturesFrom(stream, low.at, signal);
  const { value: first } = await behind.next();
  return first === undefined ? null : { first, behind };
}
