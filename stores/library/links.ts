import type { IndexDescription } from "mongodb";
import type { LinkRecord } from "../../core/records/link.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { listNewestFirst, type Page, type PagePosition } from "./pages.ts";

/** So long a link that is over is still known as one that was; then its words are free for another. */
const KNOWN_AFTER_EXPIRY_SECONDS = 90 * 86_400;

export const LINK_INDEXES: IndexDescription[] = [
  { key: { tenant: 1, createdAt: -1, _id: -1 } },
  { key: { tenant: 1, ownerId: 1, createdAt: -1, _id: -1 } },
  { key: { tenant: 1, titleId: 1, createdAt: -1, _id: -1 } },
  { key: { expiresAt: 1 }, expireAfterSeconds: KNOWN_AFTER_EXPIRY_SECONDS },
];

export type NewLink = Omit<LinkRecord, "createdAt" | "hits" | "lastHitAt">;

/** Keeps the link: null where its code is another's already. The same request again gives the one that is there. */
export async function createLink(library: Library, link: NewLink): Promise<LinkRecord | null> {
  const record: LinkRecord = { ...link, createdAt: library.serverNow(), hits: 0, lastHitAt: null };
  try {
    await fromDriver(library.links.insertOne(record));
    return record;
  } catch (thrown) {
    if (!isDuplicateKey(thrown)) throw thrown;
    return findMadeLink(library, link);
  }
}

/** The link under this code, where this very request has made it before; null otherwise. */
export async function findMadeLink(
  library: Library,
  { _id: code, tenant, madeAs }: Pick<LinkRecord, "_id" | "tenant" | "madeAs">,
): Promise<LinkRecord | null> {
  const [link = null] = await findLinks(library, [code]);
  return link?.tenant === tenant && link.madeAs === madeAs ? link : null;
}

/** By their codes, of whatever tenant: null for each that there is not. */
export async function findLinks(
  library: Library,
  codes: readonly string[],
): Promise<readonly (LinkRecord | null)[]> {
  const records = await fromDriver(library.links.find({ _id: { $in: [...new Set(codes)] } }).toArray());
  const byCode = new Map(records.map((record) => [record._id, record]));
  return codes.map((code) => byCode.get(code) ?? null);
}

export async function listLinks(
  library: Library,
  tenant: string,
  options: { ownerId?: string; titleId?: string; limit: number; after: PagePosition | null },
): Promise<Page<LinkRecord>> {
  const { ownerId, titleId, limit, after } = options;
  const filter = {
    tenant,
    ...(ownerId === undefined ? {} : { ownerId }),
    ...(titleId === undefined ? {} : { titleId }),
  };
  return listNewestFirst(library.links, filter, limit, after);
}

/** How many links of the account there are, as far as `limit`. */
export async function countLinks(
  library: Library,
  tenant: string,
  ownerId: string,
  limit: number,
): Promise<number> {
  return fromDriver(library.links.countDocuments({ tenant, ownerId }, { limit, maxTimeMS: 2_000 }));
}

/** Removes the link; false where the tenant has no such one. Its words are free again at once. */
export async function deleteLink(library: Library, tenant: string, code: string): Promise<boolean> {
  const { deletedCount } = await fromDriver(library.links.deleteOne({ _id: code, tenant }));
  return deletedCount === 1;
}

/** Removes what led to a title that is gone for good. */
export async function deleteLinksOfTitle(library: Library, tenant: string, titleId: string): Promise<void> {
  await fromDriver(library.links.deleteMany({ tenant, titleId }));
}

/** Counts a visit for each code named, the same one as often as it is named, in one call. */
export async function countHits(library: Library, codes: readonly string[]): Promise<void> {
  const hits = new Map<string, number>();
  for (const code of codes) hits.set(code, (hits.get(code) ?? 0) + 1);
  const lastHitAt = library.serverNow();
  const operations = [...hits].map(([code, count]) => ({
    updateOne: { filter: { _id: code }, update: { $inc: { hits: count }, $set: { lastHitAt } } },
  }));
  await fromDriver(library.links.bulkWrite(operations, { ordered: false }));
}
