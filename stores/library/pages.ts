import type { Collection, Filter, Sort } from "mongodb";
import { fromDriver } from "./driver-errors.ts";

/** The place after the last entry of a page: by creation time, the id breaks ties. */
export interface PagePosition {
  createdAt: Date;
  id: string;
}

export interface Page<T> {
  records: T[];
  /** Where the next page starts; null on the last one. */
  next: PagePosition | null;
}

interface Listed {
  _id: string;
  tenant: string;
  createdAt: Date;
}

/** Newest first. `filter` must begin with an equality (tenant), so that an index bounds the scan. */
export async function listNewestFirst<T extends Listed>(
  collection: Collection<T>,
  filter: Filter<T> & { tenant: string },
  limit: number,
  after: PagePosition | null,
): Promise<Page<T>> {
  const behind = after === null ? [] : [behindPosition<T>(after)];
  const newestFirst: Sort = { createdAt: -1, _id: -1 };
  const wanted = { $and: [filter, ...behind] } as Filter<T>;
  const query = collection
    .find(wanted, { maxTimeMS: 2_000 })
    .sort(newestFirst)
    .limit(limit + 1);
  const records = (await fromDriver(query.toArray())) as T[];
  const page = records.slice(0, limit);
  const last = page.at(-1);
  const more = records.length > limit && last !== undefined;
  return { records: page, next: more ? { createdAt: last.createdAt, id: last._id } : null };
}

function behindPosition<T>({ createdAt, id }: PagePosition): Filter<T> {
  return { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] } as Filter<T>;
}
