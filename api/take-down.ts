import { titleStateAt } from "../core/availability.ts";
import { notFound, requestFailure } from "../core/errors.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { titleParts } from "../stores/library/title-parts.ts";
import type { Publication } from "../stores/library/titles.ts";
import type { ApiDeps } from "./deps.ts";
import { moveTitle } from "./move-title.ts";

type Parts = Pick<ApiDeps, "library" | "catalog" | "revoker">;

/**
 * Takes a title down, and what is a part of it: each season and episode as if it were taken down itself, drafts excepted. The title goes
 * first, so that nobody finds the rest by it. Whatever a process that dies in between has not done, the same call again does: it
 * goes through all parts whatever state the title is in. Answers the title; throws 404 where it is gone, 409 where it was never published.
 */
export async function takeDownWhole(deps: Parts, title: TitleRecord): Promise<TitleRecord> {
  const down = await moveTitle(deps, title, (present) => {
    if (present.state === "draft")
      throw requestFailure(409, "title_not_published", "The title was never published.");
    return unlessDown(deps, present);
  });
  if (down === null) throw notFound("title");
  // Again too: who took it down may have died before this.
  await deps.revoker.withdraw([down]);
  await takeDownParts(deps, down);
  return down;
}

async function takeDownParts(deps: Parts, whole: TitleRecord): Promise<void> {
  if (whole.type !== "series" && whole.type !== "season") return;
  for await (const page of titleParts(deps.library, whole)) {
    const moved = await Promise.all(
      page.map((part) =>
        moveTitle(deps, part, (present) => (present.state === "draft" ? null : unlessDown(deps, present))),
      ),
    );
    // All of the page are down before anybody is stopped: two of them may show one asset.
    await deps.revoker.withdraw(
      moved.flatMap((part) => (part === null || part.state === "draft" ? [] : part)),
    );
    for (const part of page) await takeDownParts(deps, part);
  }
}

function unlessDown({ library }: Parts, present: TitleRecord): Publication | null {
  return titleStateAt(present, library.serverNow()) === "unpublished" ? null : { state: "unpublished" };
}
