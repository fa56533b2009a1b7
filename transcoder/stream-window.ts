import { join } from "node:path";
import { coveredBytes } from "../core/byte-ranges.ts";
import type { StreamEntries } from "../core/source.ts";
import type { StreamSpan } from "../core/stream-entries.ts";
import { cutSounds } from "./beside-pictures.ts";
import { BEGINNING_BYTES, bytesOfCut, cutStream } from "./cut-stream.ts";
import type { PartialMaster } from "./scratch.ts";
import type { ReadingContext, Wanted } from "./source-window.ts";
import { endedSpan } from "./stream-end.ts";

/** What is read of a transport stream, in a file of its own without holes. */

/** Of the file: where more is lacking beside the pictures than this, nobody has left it. */
const LARGEST_SHARE = 0.5;

/** Runs `attempt` with what is wanted of a transport stream; null where the whole is here anyway or must be read. */
export async function fromStream<T>(
  context: ReadingContext,
  master: PartialMaster,
  wanted: Wanted,
  attempt: (path: string) => Promise<T | null>,
): Promise<T | null> {
  const { span, beside } = wanted;
  if (span !== null) return withCut(context, master, { ...wanted, span }, attempt);
  return beside === undefined ? null : withSounds(context, master, { ...wanted, beside }, attempt);
}

/** A stretch, behind the file's beginning. */
async function withCut<T>(
  context: ReadingContext,
  master: PartialMaster,
  wanted: Wanted & { span: StreamSpan },
  attempt: (path: string) => Promise<T | null>,
): Promise<T | null> {
  const { signal } = context;
  const span = await endedSpan(master, wanted.span, signal);
  const bytes = bytesOfCut(span);
  if (bytes === null) return null;
  await master.fill(bytes, signal);
  const isLooked = span.entries.leadAt !== undefined;
  // Of others somebody has read the whole anyway.
  if (isLooked) await wanted.leave?.(master, span.entries, [{ start: span.start, end: span.end }]);
  // What was only looked at is seen through in each stretch, also where the whole is here.
  else if (master.isWhole()) return null;
  return inFile(context, (path) => cutStream(master.path, span, path), attempt);
}

/** All but the pictures, behind the file's beginning. */
async function withSounds<T>(
  context: ReadingContext,
  master: PartialMaster,
  { beside, bring }: Wanted & { beside: StreamEntries },
  attempt: (path: string) => Promise<T | null>,
): Promise<T | null> {
  const { path: from, sizeBytes } = master;
  const whole = [{ start: 0, end: sizeBytes }];
  const ranges = (await bring?.(master, beside, whole)) ?? whole;
  if (coveredBytes(master.absent(ranges)) > LARGEST_SHARE * sizeBytes) return null;
  await master.fill([{ start: 0, end: BEGINNING_BYTES }, ...ranges], context.signal);
  if (master.isWhole()) return null;
  const { packetId } = beside;
  const parts = { packetId, beginningBytes: BEGINNING_BYTES };
  return inFile(context, (path) => cutSounds(from, ranges, parts, path), attempt);
}

async function inFile<T>(
  { scratch, log, task }: ReadingContext,
  write: (path: string) => Promise<string | null>,
  attempt: (path: string) => Promise<T | null>,
): Promise<T | null> {
  return scratch.withDirectory(async (directory) => {
    const path = join(directory, "cut.ts");
    const doubt = await write(path);
    if (doubt === null) return attempt(path);
    log.info({ taskId: task._id, doubt }, "not read in part: reading it whole");
    return null;
  });
}
