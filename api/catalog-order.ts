import { z } from "@hono/zod-openapi";
import type { CatalogEntry } from "./catalog.ts";
import { inLanguage } from "./title-view.ts";

export const sorts = z.enum(["new", "name", "year"]);

type Order = (a: CatalogEntry, b: CatalogEntry) => number;

const shownSince = ({ title }: CatalogEntry): number =>
  (title.availableFrom ?? title.publishedAt ?? title.createdAt).getTime();
const byId: Order = (a, b) => (a.title._id < b.title._id ? -1 : 1);
export const newestFirst: Order = (a, b) => shownSince(b) - shownSince(a) || byId(a, b);

/** By name means: by the name that this viewer is shown. */
export function orderOf(sort: z.infer<typeof sorts>, languages: string[]): Order {
  if (sort === "new") return newestFirst;
  if (sort === "year") return (a, b) => (b.title.releaseYear ?? 0) - (a.title.releaseYear ?? 0) || byId(a, b);
  const shown = ({ title }: CatalogEntry): string => inLanguage(title.name, languages);
  return (a, b) => shown(a).localeCompare(shown(b), languages[0]) || byId(a, b);
}
