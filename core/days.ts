/** Days in UTC as `YYYY-MM-DD`: they sort as they follow each other. */

const DAY_MS = 86_400_000;

/** A span of days, both ends within. */
export interface Period {
  from: string;
  to: string;
}

export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** The `days` days that end with the one of `now`. */
export function lastDays(now: Date, days: number): Period {
  return { from: dayOf(new Date(now.getTime() - (days - 1) * DAY_MS)), to: dayOf(now) };
}

/** How many days a period has; below 1 where it ends before it begins. */
export function dayCount({ from, to }: Period): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
}
