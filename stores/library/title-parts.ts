import type { TitleRecord } from "../../core/records/title.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

/** Held at a time: one title may have some hundred KiB of words and chapters. */
const PAGE_SIZE = 50;

/** What is directly a part of a title, seasons or episodes, page by page in the order of their ids. */
export async function* titleParts(
  library: Library,
  { tenant, _id: parentId }: Pick<TitleRecord, "tenant" | "_id">,
): AsyncGenerator<TitleRecord[]> {
  let after = "";
  for (;;) {
    const behind = library.titles.find({ tenant, parentId, _id: { $gt: after } }, { maxTimeMS: 5_000 });
    const page = await fromDriver(behind.sort({ _id: 1 }).limit(PAGE_SIZE).toArray());
    if (page.length > 0) yield page;
    if (page.length < PAGE_SIZE) return;
    after = page.at(-1)?._id ?? after;
  }
}
