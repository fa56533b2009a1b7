import { lastDays } from "../core/days.ts";
import type { Library } from "../stores/library/connect.ts";
import { mostPlayed } from "../stores/library/figures.ts";

/** What is played most changes slowly, and asking for it reads a week of a tenant's figures. */
const FRESH_MS = 60_000;
const DAYS = 7;
/** More than the row shows: some of them may not be seen any more, or not by this viewer. */
const MOST = 100;

/** Ids of the titles that the tenant's viewers played most in the last seven days, the most played first. */
export type Trending = (tenant: string) => Promise<string[]>;

/** Reads each tenant's once a minute; while the library is away the row is the last known one, or none. */
export function openTrending(library: Library): Trending {
  const known = new Map<string, { readAt: number; ids: Promise<string[]> }>();
  const read = async (tenant: string): Promise<string[]> => {
    const played = await mostPlayed(library, tenant, lastDays(library.serverNow(), DAYS), MOST);
    return played.filter(({ plays }) => plays > 0).map(({ titleId }) => titleId);
  };
  return (tenant) => {
    const last = known.get(tenant);
    if (last !== undefined && performance.now() - last.readAt < FRESH_MS) return last.ids;
    const ids = read(tenant).catch(() => last?.ids ?? []);
    known.set(tenant, { readAt: performance.now(), ids });
    return ids;
  };
}
