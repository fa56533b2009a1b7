import type { z } from "@hono/zod-openapi";
import { isAvailable } from "../core/availability.ts";
import { Failure, type FieldError, invalidFields, notFound, requestFailure } from "../core/errors.ts";
import { drawnCode } from "../core/link-code.ts";
import type { Caller } from "../core/records/account.ts";
import type { LinkRecord } from "../core/records/link.ts";
import { countLinks, createLink, findMadeLink } from "../stores/library/links.ts";
import type { Shown } from "../stores/library/session-desk.ts";
import type { ApiDeps } from "./deps.ts";
import type { newLink } from "./link-view.ts";

/** More than anybody shares; what one account can fill the library with. Those that are over count until they are forgotten. */
const LINKS_PER_ACCOUNT = 1_000;

/**
 * Makes a link to a title that the caller may see: viewers what is available to them now, editors any, since an
 * invitation is sent before the premiere. `id` names it: the same one again gives the link that is there, whatever has changed since.
 * Throws 404 where there is no such title, 400 on a place outside of the film or a time that is over, 409 on words that are taken.
 */
export async function makeLink(
  deps: ApiDeps,
  caller: Caller,
  country: string | null,
  body: z.infer<typeof newLink>,
  id: string,
): Promise<LinkRecord> {
  const { library, desk, log } = deps;
  const { tenant, subject: ownerId, role } = caller;
  const now = library.serverNow();
  const { titleId, startSeconds = null, alias } = body;
  const named = { _id: alias ?? drawnCode(id), tenant, madeAs: id };
  // Before anything is asked of it: the limit may count this very link, and what it leads to may be down by now.
  const made = await findMadeLink(library, named);
  if (made !== null) return made;
  const shown = await desk.shown({ tenant, id: titleId });
  if (shown === null || (role === "viewer" && !isAvailable(shown.title, now, country)))
    throw notFound("title");
  const expiresAt = body.expiresAt === undefined ? null : new Date(body.expiresAt);
  const faults = faultsOf(shown, startSeconds, expiresAt, now);
  if (faults.length > 0) throw invalidFields(faults);
  if ((await countLinks(library, tenant, ownerId, LINKS_PER_ACCOUNT)) >= LINKS_PER_ACCOUNT)
    throw requestFailure(409, "too_many_links", "Delete some of your links first.");
  const link = await createLink(library, {
    ...named,
    ...{ ownerId, titleId, startSeconds, isAlias: alias !== undefined, expiresAt },
  });
  if (link === null) throw codeTaken(alias);
  log.info({ tenant, subject: ownerId, code: link._id, titleId }, "link made");
  return link;
}

function faultsOf(
  { title, asset }: Shown,
  startSeconds: number | null,
  expiresAt: Date | null,
  now: Date,
): FieldError[] {
  const faults: FieldError[] = [];
  const isFilm = title.type === "movie" || title.type === "episode";
  const durationSeconds = asset?.published?.durationSeconds ?? Number.POSITIVE_INFINITY;
  if (startSeconds !== null && !isFilm)
    faults.push({ path: "startSeconds", message: "is of films alone: this title has none of its own" });
  else if (startSeconds !== null && startSeconds >= durationSeconds)
    faults.push({ path: "startSeconds", message: `must be below ${durationSeconds}, the film's length` });
  if (expiresAt !== null && expiresAt <= now)
    faults.push({ path: "expiresAt", message: "must lie in the future" });
  return faults;
}

function codeTaken(alias: string | undefined): Failure {
  if (alias !== undefined) return requestFailure(409, "alias_taken", "Another link has these words already.");
  // One in 2^60 for each link there is: the next try draws another.
  return new Failure("transient", "code_drawn_twice", "The link could not be made; try again.", {
    retryAfterSeconds: 1,
  });
}
