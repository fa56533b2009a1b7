import { Failure, notFound } from "../core/errors.ts";
import { leaveTitle } from "../stores/library/asset-titles.ts";
import { deleteLinksOfTitle } from "../stores/library/links.ts";
import { findTitle, removeTitle, takeDown } from "../stores/library/titles.ts";
import type { ApiDeps } from "./deps.ts";

/** Somebody else changing the same title at the same moment is waited out this often. */
const TRIES = 10;

/**
 * Deletes a title; its asset stays and names it no more. It is taken down, its viewers' grants are called back, its links removed and its
 * asset told before it goes itself: whatever a process that dies in between has not done, the title is still there, and the same call again does all of it.
 * Throws 404 where there is no such title.
 */
export async function deleteTitle(
  { library, catalog, revoker }: Pick<ApiDeps, "library" | "catalog" | "revoker">,
  tenant: string,
  id: string,
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const found = await findTitle(library, tenant, id);
    if (found === null) throw notFound("title");
    const down = await takeDown(library, found);
    if (down === null) continue;
    catalog.forget(tenant);
    await revoker.withdraw([down]);
    await deleteLinksOfTitle(library, tenant, id);
    await leaveTitle(library, tenant, id);
    if (!(await removeTitle(library, down))) continue;
    catalog.forget(tenant);
    // An editor may have made another link, or sent another film for it, in between.
    await deleteLinksOfTitle(library, tenant, id);
    await leaveTitle(library, tenant, id);
    return;
  }
  throw new Failure("transient", "title_busy", "The title is being changed by others; try again.", {
    retryAfterSeconds: 1,
  });
}
