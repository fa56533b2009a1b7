import type { Filter } from "mongodb";
import type { TitleRecord } from "../../core/records/title.ts";
import { mendedOutbox, scheduleSpan } from "../../core/schedule-events.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** Where the moments stand by which the clock publishes titles and takes them down, or is to tell of it. */
const MOMENTS = ["availableFrom", "availableUntil", "tellAt"] as const;

/**
 * Has every title whose schedule falls due soon, or did of late, foretell what it will do, whoever wrote it; how many did not. May
 * be done by several at once.
 */
export async function mendSchedules(library: Library): Promise<number> {
  let mended = 0;
  for (const moment of MOMENTS) mended += await mendBy(library, moment);
  return mended;
}

async function mendBy(library: Library, moment: (typeof MOMENTS)[number]): Promise<number> {
  const now = library.serverNow();
  const { from, to } = scheduleSpan(now);
  const near: Filter<TitleRecord> = { [moment]: { $gt: from, $lte: to } };
  const fields = ["version", "state", "availableFrom", "availableUntil", "outbox", "tellAt"] as const;
  const projection = Object.fromEntries(fields.map((field) => [field, 1]));
  const titles = await fromDriver(library.titles.find(near, { projection, maxTimeMS: 5_000 }).toArray());
  let mended = 0;
  for (const title of titles) {
    const outbox = mendedOutbox(title, now);
    if (outbox === null) continue;
    const { _id, version, tellAt = null } = title;
    const change = { $set: outbox, $inc: { version: 1 } };
    const { modifiedCount } = await fromDriver(library.titles.updateOne({ _id, version, tellAt }, change));
    mended += modifiedCount;
  }
  return mended;
}
