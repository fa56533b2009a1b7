import { isNear, type Known, placeBetween } from "../core/stream-aims.ts";
import type { StreamPicture } from "../core/stream-pictures.ts";
import { picturesFrom, type ReadableStream } from "./stream-pictures.ts";

/** The first picture from a place on, and those behind it as they are read. */
export interface Landed {
  first: StreamPicture;
  behind: AsyncIterable<StreamPicture>;
}

/** Bytes that do not go with time are halved into, until it is not worth more requests. */
const MOST_LANDINGS = 8;

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
  for (let landing = 0; landing < MOST_LANDINGS; landing++) {
    const at = placeBetween(low, high, seconds);
    const behind = picturesFrom(stream, at, signal);
    const { value: first } = await behind.next();
    if (first === undefined) return null;
    if (isNear(first, seconds)) return { first, behind };
    await behind.return(undefined);
    if (first.decodeSeconds > seconds) high = { at, decodeSeconds: first.decodeSeconds };
    else low = first;
    if (low.at >= high.at || low.decodeSeconds >= high.decodeSeconds) break;
  }
  const behind = picturesFrom(stream, low.at, signal);
  const { value: first } = await behind.next();
  return first === undefined ? null : { first, behind };
}
