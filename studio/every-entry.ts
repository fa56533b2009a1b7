import type { Page } from "./answers.ts";
import type { Api } from "./api-client.ts";

/** The most that the API answers at a time. */
const PAGE_SIZE = 100;

/** All entries of a list of the API, page by page; the query of `path` says of what. Throws ApiProblem. */
export async function everyEntry<T>(api: Pick<Api, "call">, path: string): Promise<T[]> {
  const entries: T[] = [];
  const query = path.includes("?") ? "&" : "?";
  let cursor = "";
  for (;;) {
    const page = await api.call<Page<T>>("GET", `${path}${query}limit=${PAGE_SIZE}${cursor}`);
    entries.push(...page.data);
    if (page.nextCursor === null) return entries;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}
