import type { Context } from "hono";
import type { TitleRecord } from "../core/records/title.ts";
import { presentTitle } from "./title-view.ts";

/** The title as its editors see it, with its version as the answer's ETag. */
export function presentTagged(c: Context, title: TitleRecord, now: Date) {
  c.header("ETag", `"${title.version}"`);
  return presentTitle(title, now);
}
