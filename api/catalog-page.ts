import { z } from "@hono/zod-openapi";
import type { CatalogEntry } from "./catalog-entry.ts";
import { decodePlace, encodePlace } from "./list-cursor.ts";

const place = z.strictObject({ id: z.string().max(200), index: z.number().int().min(0) });

/**
 * The page of a list behind the cursor: behind the title it names or, where that is gone, where it stood. `list` is the list's digest.
 * Throws 400 where the cursor is another list's.
 */
export function catalogPage(
  entries: readonly CatalogEntry[],
  { cursor, limit }: { cursor?: string | undefined; limit: number },
  list: string,
): { page: CatalogEntry[]; nextCursor: string | null } {
  const after = cursor === undefined ? null : decodePlace(place, cursor, list);
  const known = after === null ? -1 : entries.findIndex(({ title }) => title._id === after.id);
  const start = after === null ? 0 : known >= 0 ? known + 1 : after.index;
  const page = entries.slice(start, start + limit);
  const last = page.at(-1);
  const more = start + limit < entries.length && last !== undefined;
  const next = more ? { id: last.title._id, index: start + limit } : null;
  return { page, nextCursor: next === null ? null : encodePlace(next, list) };
}
