import type { TitleRecord } from "./records.ts";

/** Whether a title may be watched at `now` by somebody in `country` (null: nobody knows where). */
export function isAvailable(
  title: Pick<TitleRecord, "state" | "availableFrom" | "availableUntil" | "regions">,
  now: Date,
  country: string | null,
): boolean {
  const { state, availableFrom, availableUntil } = title;
  if (state !== "published" && state !== "scheduled") return false;
  if (availableFrom !== null && availableFrom > now) return false;
  if (availableUntil !== null && availableUntil <= now) return false;
  return isShownIn(title, country);
}

/** A title that names regions is shown in those alone; an empty list names none. */
export function isShownIn({ regions }: Pick<TitleRecord, "regions">, country: string | null): boolean {
  if (regions === null || regions.length === 0) return true;
  return country !== null && regions.includes(country);
}
