import type { TitleRecord, TitleState } from "./records/title.ts";

type Window = Pick<TitleRecord, "state" | "availableFrom" | "availableUntil">;

/** The state as it is now: a scheduled title whose time has come is published, one whose time is over is not. */
export function titleStateAt({ state, availableFrom, availableUntil }: Window, now: Date): TitleState {
  if (state !== "published" && state !== "scheduled") return state;
  if (availableUntil !== null && availableUntil <= now) return "unpublished";
  return availableFrom !== null && availableFrom > now ? "scheduled" : "published";
}

/** Whether a title may be watched at `now` by somebody in `country` (null: nobody knows where). */
export function isAvailable(
  title: Window & Pick<TitleRecord, "regions">,
  now: Date,
  country: string | null,
): boolean {
  return titleStateAt(title, now) === "published" && isShownIn(title, country);
}

/** A title that names regions is shown in those alone; an empty list names none. */
export function isShownIn({ regions }: Pick<TitleRecord, "regions">, country: string | null): boolean {
  if (regions === null || regions.length === 0) return true;
  return country !== null && regions.includes(country);
}
