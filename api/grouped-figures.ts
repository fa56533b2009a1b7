import { z } from "@hono/zod-openapi";
import { addFigures, type Figures, NO_FIGURES } from "../core/figures.ts";
import type { FiguresRecord } from "../stores/library/figures.ts";
import { type figuresRow, type figuresView, presentFigures } from "./figures-view.ts";

/** What figures are put together by. */
export const groupings = z.enum(["day", "generation", "rung", "country"]);
type Grouping = z.infer<typeof groupings>;

/** The same of one rung alone; where it was not shown there is nothing. */
export async function* ofRung(
  records: AsyncIterable<FiguresRecord>,
  rung: string,
): AsyncGenerator<FiguresRecord> {
  for await (const record of records) {
    const figures = Object.hasOwn(record.rungs, rung) ? record.rungs[rung] : undefined;
    if (figures !== undefined) yield { ...record, all: figures, rungs: { [rung]: figures } };
  }
}

/** The whole, and one row for each value of what it is put together by, in its order. */
export async function putTogether(
  by: Grouping,
  records: AsyncIterable<FiguresRecord>,
): Promise<{ total: z.infer<typeof figuresView>; rows: z.infer<typeof figuresRow>[] }> {
  let total = NO_FIGURES;
  const groups = new Map<string, Figures>();
  for await (const record of records) {
    total = addFigures(total, record.all);
    const parts = by === "rung" ? Object.entries(record.rungs) : [[record[by] ?? "", record.all] as const];
    for (const [key, figures] of parts) groups.set(key, addFigures(groups.get(key) ?? NO_FIGURES, figures));
  }
  const sorted = [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  const rows = sorted.map(([key, figures]) => ({ key, ...presentFigures(figures) }));
  return { total: presentFigures(total), rows };
}
