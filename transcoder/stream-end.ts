import type { StreamSpan } from "../core/stream-entries.ts";
import { SHAPE_BYTES } from "../core/transport-packets.ts";
import { landBefore } from "./stream-landing.ts";
import { type ReadableStream, shapeOf } from "./stream-pictures.ts";

/**
 * The same stretch of a transport stream, to the first picture that is decoded behind it: where all entries are known it ends at one, where some were looked
 * for the next may be half a minute on. The stretch as it is where nothing better is found.
 */
export async function endedSpan(
  file: ReadableStream["file"],
  span: StreamSpan,
  signal: AbortSignal,
): Promise<StreamSpan> {
  const { entries, untilSeconds, end } = span;
  if (entries.leadAt === undefined || untilSeconds === null) return span;
  await file.fill([{ start: 0, end: SHAPE_BYTES }], signal);
  const shape = await shapeOf(file.path);
  if (shape === null) return span;
  const stream: ReadableStream = { file, shape, packetId: entries.packetId, coding: null };
  const landed = await landBefore(stream, boundsOf(span, untilSeconds), untilSeconds, signal);
  if (landed === null) return span;
  for await (const { at, decodeSeconds } of landed.behind) {
    if (at >= end) break;
    if (decodeSeconds > untilSeconds) return { ...span, end: at };
  }
  return span;
}

/** The entries around the end, on the file's own clock. */
function boundsOf({ entries, zeroSeconds, end }: StreamSpan, untilSeconds: number) {
  const { at, decodeSeconds } = entries;
  const known = at.map((place, index) => ({ at: place, decodeSeconds: zeroSeconds + decodeSeconds[index]! }));
  const low = known.findLast((entry) => entry.decodeSeconds <= untilSeconds) ?? known[0]!;
  const high = known.find((entry) => entry.decodeSeconds > untilSeconds);
  // Behind the last one is the film's end, some seconds on.
  return [low, high ?? { at: end, decodeSeconds: untilSeconds + 1 }] as const;
}
