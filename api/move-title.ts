import type { TitleRecord } from "../core/records/title.ts";
import { findTitle, type Publication, publishTitle } from "../stores/library/titles.ts";
import type { ApiDeps } from "./deps.ts";
import { changedMeanwhile } from "./if-match.ts";

/** Somebody else changing the same title at the same moment is waited out this often. */
const TRIES = 10;

/**
 * Moves a title to another state, whoever else writes: reads again and decides again until its write is the next one. A
 * decision of null leaves it as it is, and what an editor read of it good. Answers null where it is gone by then; throws 412
 * where others never stop changing it, and what `decide` throws.
 */
export async function moveTitle(
  { library, catalog }: Pick<ApiDeps, "library" | "catalog">,
  first: TitleRecord,
  decide: (title: TitleRecord) => Publication | null,
): Promise<TitleRecord | null> {
  let title = first;
  for (let tries = 0; tries < TRIES; tries++) {
    const change = decide(title);
    if (change === null) return title;
    const changed = await publishTitle(library, title, change);
    if (changed !== null) {
      catalog.forget(title.tenant);
      return changed;
    }
    const again = await findTitle(library, title.tenant, title._id);
    if (again === null) return null;
    title = again;
  }
  throw changedMeanwhile("title");
}
