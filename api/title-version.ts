import type { Context } from "hono";
import { requestFailure } from "../core/errors.ts";
import type { TitleRecord } from "../core/records/title.ts";
import { presentTitle } from "./title-view.ts";

/** The title as its editors see it, with its version as the answer's ETag. */
export function presentTagged(c: Context, title: TitleRecord, now: Date) {
  c.header("ETag", `"${title.version}"`);
  return presentTitle(title, now);
}

/** RFC 9110 §13.1.1 If-Match; RFC 6585 §3: 428 where it is needed and absent. */
export function expectedVersion(ifMatch: string | undefined, title: TitleRecord): number {
  if (ifMatch === undefined) {
    throw requestFailure(428, "precondition_required", "Send the ETag of the title you saw as If-Match.");
  }
  if (ifMatch.trim() === "*") return title.version;
  const matches = ifMatch.split(",").some((tag) => tag.trim() === `"${title.version}"`);
  if (!matches) throw changedMeanwhile();
  return title.version;
}

/** 412: another write came first. */
export function changedMeanwhile() {
  return requestFailure(412, "version_conflict", "The title was changed meanwhile; read it again.");
}
