import type { Filter, IndexDescription } from "mongodb";
import { titleStateAt } from "../../core/availability.ts";
import type { TitleRecord, TitleState, TitleType } from "../../core/records/title.ts";
import { titleOutbox } from "../../core/webhook-event.ts";
import { noteRemoval } from "./catalog-source.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { carryTitle } from "./outbox.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";

export const TITLE_INDEXES: IndexDescription[] = [
  { key: { tenant: 1, createdAt: -1, _id: -1 } },
  { key: { tenant: 1, parentId: 1, _id: 1 } },
  { key: { tenant: 1, assetId: 1, createdAt: -1, _id: -1 } },
  { key: { tenant: 1, updatedAt: 1 } },
  { key: { tellAt: 1 } },
  { key: { availableFrom: 1 } },
  { key: { availableUntil: 1 } },
];

/** What an editor may say of a title; everything else is decided by us. */
export type TitleContent = Pick<
  TitleRecord,
  | "type"
  | "name"
  | "synopsis"
  | "genres"
  | "cast"
  | "releaseYear"
  | "maturity"
  | "artwork"
  | "chapters"
  | "assetId"
  | "parentId"
  | "number"
>;

/** A draft. The same id again (the same request) gives the one that is there. */
export async function createTitle(
  library: Library,
  tenant: string,
  id: string,
  content: TitleContent,
): Promise<TitleRecord> {
  const now = library.serverNow();
  const record: TitleRecord = {
    _id: id,
    tenant,
    state: "draft",
    version: 1,
    ...content,
    availableFrom: null,
    availableUntil: null,
    regions: null,
    createdAt: now,
    updatedAt: now,
    publishedAt: null,
  };
  try {
    await fromDriver(library.titles.insertOne(record));
    return record;
  } catch (thrown) {
    const existing = isDuplicateKey(thrown) ? await findTitle(library, tenant, id) : null;
    if (existing === null) throw thrown;
    return existing;
  }
}

/** The title, or null where the tenant has no such one. */
export async function findTitle(library: Library, tenant: string, id: string): Promise<TitleRecord | null> {
  const title = await fromDriver(library.titles.findOne({ _id: id }));
  return title?.tenant === tenant ? title : null;
}

export async function listTitles(
  library: Library,
  tenant: string,
  options: { type?: TitleType; assetId?: string; limit: number; after: PagePosition | null },
): Promise<Page<TitleRecord>> {
  const { type, assetId, limit, after } = options;
  const filter = {
    tenant,
    ...(type === undefined ? {} : { type }),
    ...(assetId === undefined ? {} : { assetId }),
  };
  return listNewestFirst(library.titles, filter, limit, after);
}

/** Changes what is given, provided the title is still at `version`; null where it is not (or is gone). */
export async function updateTitle(
  library: Library,
  tenant: string,
  id: string,
  version: number,
  change: Partial<TitleContent>,
): Promise<TitleRecord | null> {
  return swapTitle(library, { _id: id, tenant, version }, change);
}

/** Publishes it or takes it down, provided that it is as it was read; null where it is not (or is gone). */
export async function publishTitle(
  library: Library,
  title: TitleRecord,
  change: Publication,
): Promise<TitleRecord | null> {
  const events = titleOutbox(title, { ...title, ...change }, library.serverNow());
  return swapTitle(library, title, { ...change, ...events });
}

async function swapTitle(
  library: Library,
  { _id, tenant, version }: Pick<TitleRecord, "_id" | "tenant" | "version">,
  change: Partial<TitleRecord>,
): Promise<TitleRecord | null> {
  return fromDriver(
    library.titles.findOneAndUpdate(
      { _id, tenant, version },
      { $set: { ...change, updatedAt: library.serverNow() }, $inc: { version: 1 } },
      { returnDocument: "after" },
    ),
  );
}

/** What publishing and unpublishing set. */
export interface Publication {
  state: TitleState;
  publishedAt?: Date;
  availableFrom?: Date | null;
  availableUntil?: Date | null;
  regions?: string[] | null;
}

/** The title as it is once it is taken down, itself where it was not up; null where it was changed since it was read. */
export async function takeDown(library: Library, title: TitleRecord): Promise<TitleRecord | null> {
  const isUp = title.state === "published" || title.state === "scheduled";
  return isUp ? publishTitle(library, title, { state: "unpublished" }) : title;
}

/** Removes the title, once what is to be told of it is told; false where it was changed since it was read. The asset stays. */
export async function removeTitle(library: Library, title: TitleRecord): Promise<boolean> {
  await carryTitle(library, title);
  await noteRemoval(library, title);
  const { _id, tenant, version } = title;
  const { deletedCount } = await fromDriver(library.titles.deleteOne({ _id, tenant, version }));
  return deletedCount === 1;
}

/** From when on viewers may see some title with this asset: a moment gone by where they may now, null where none is to come. */
export async function assetShownFrom(
  library: Library,
  tenant: string,
  assetId: string,
): Promise<Date | null> {
  const titles = await fromDriver(library.titles.find({ tenant, assetId }, { maxTimeMS: 5_000 }).toArray());
  const now = library.serverNow();
  const moments = titles.flatMap((title) => {
    const state = titleStateAt(title, now);
    if (state === "published") return [title.createdAt];
    return state === "scheduled" && title.availableFrom !== null ? [title.availableFrom] : [];
  });
  return moments.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null;
}

/** Titles of all tenants whose span of time ended behind `after` and no later than `until`. */
export async function listEndedWindows(library: Library, after: Date, until: Date): Promise<TitleRecord[]> {
  const ended: Filter<TitleRecord> = { availableUntil: { $gt: after, $lte: until } };
  const titles = await fromDriver(library.titles.find(ended, { maxTimeMS: 5_000 }).toArray());
  return titles.filter(({ state }) => state === "published" || state === "scheduled");
}

/** Gives an asset to the title it was uploaded for, where that has none yet. */
export async function adoptAsset(library: Library, tenant: string, assetId: string): Promise<void> {
  const asset = await fromDriver(
    library.assets.findOne({ _id: assetId, tenant }, { projection: { titleId: 1 } }),
  );
  if (!asset?.titleId) return;
  const childless: Filter<TitleRecord> = { _id: asset.titleId, tenant, assetId: null };
  const adopt = { $set: { assetId, updatedAt: library.serverNow() }, $inc: { version: 1 } };
  await fromDriver(library.titles.updateOne(childless, adopt));
}
