import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { dayCount, lastDays, type Period } from "../core/days.ts";
import { invalidFields, notFound } from "../core/errors.ts";
import { addFigures, type Figures, NO_FIGURES } from "../core/figures.ts";
import {
  type FiguresRecord,
  figuresOfTenant,
  figuresOfTitle,
  mostPlayed,
  type TitleTotals,
} from "../stores/library/figures.ts";
import { findTitle } from "../stores/library/titles.ts";
import { atLeast } from "./auth.ts";
import { BEARER, idParams, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { figuresRow, figuresView, presentFigures } from "./figures-view.ts";

const USUAL_DAYS = 28;
const MOST_DAYS = 92;
const MOST_TITLES = 20;

const day = z.iso.date();
/** Days in UTC, both within; the last 28 unless it is said. */
const periodQuery = { from: day.optional(), to: day.optional() };
const groupings = z.enum(["day", "generation", "rung", "country"]);
type Grouping = z.infer<typeof groupings>;
const period = { from: day, to: day };

const common = { tags: ["Analytics"], security: BEARER, middleware: atLeast("editor") };
const titleRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/analytics/titles/{id}",
  summary: "How a title is watched: by day, generation, rung or country",
  request: { params: idParams, query: z.strictObject({ ...periodQuery, by: groupings.default("day") }) },
  responses: {
    200: jsonAnswer(
      z
        .object({
          titleId: z.string(),
          ...period,
          by: groupings,
          total: figuresView,
          rows: z.array(figuresRow),
        })
        .openapi("TitleFigures"),
      "The whole, and its parts",
    ),
  },
});
const titleTotals = z.object({
  titleId: z.string(),
  /** By language; empty where the title is gone. */
  name: z.record(z.string(), z.string()),
  plays: z.number().int(),
  watchSeconds: z.number(),
  errorRate: z.number().nullable(),
  rebufferRatio: z.number().nullable(),
  averageBps: z.number().nullable(),
});
const overviewRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/analytics/overview",
  summary: "How everything is watched, and which titles most",
  request: { query: z.strictObject(periodQuery) },
  responses: {
    200: jsonAnswer(
      z
        .object({ ...period, total: figuresView, days: z.array(figuresRow), titles: z.array(titleTotals) })
        .openapi("OverviewFigures"),
      "The whole, day by day, and the most played titles",
    ),
  },
});

/** How films are watched, for the content team. Sessions that are over count; those under way do not yet. */
export function analyticsRoutes({ library }: ApiDeps) {
  const asked = (query: { from?: string | undefined; to?: string | undefined }): Period => {
    const usual = lastDays(library.serverNow(), USUAL_DAYS);
    const to = query.to ?? usual.to;
    const from = query.from ?? lastDays(new Date(to), USUAL_DAYS).from;
    const days = dayCount({ from, to });
    if (days < 1 || days > MOST_DAYS)
      throw invalidFields([
        { path: "from", message: `must be at most ${MOST_DAYS} days before \`to\`, and not after it` },
      ]);
    return { from, to };
  };
  return new OpenAPIHono<ApiEnv>()
    .openapi(titleRoute, async (c) => {
      const { tenant } = c.get("caller");
      const titleId = c.req.valid("param").id;
      const { by, ...query } = c.req.valid("query");
      if ((await findTitle(library, tenant, titleId)) === null) throw notFound("title");
      const span = asked(query);
      const figures = await putTogether(by, figuresOfTitle(library, tenant, titleId, span));
      return c.json({ titleId, ...span, by, ...figures }, 200);
    })
    .openapi(overviewRoute, async (c) => {
      const { tenant } = c.get("caller");
      const span = asked(c.req.valid("query"));
      const { total, rows } = await putTogether("day", figuresOfTenant(library, tenant, span));
      const totals = await mostPlayed(library, tenant, span, MOST_TITLES);
      const names = await Promise.all(totals.map(({ titleId }) => findTitle(library, tenant, titleId)));
      const titles = totals.map((one, index) => presentTotals(one, names[index]?.name ?? {}));
      return c.json({ ...span, total, days: rows, titles }, 200);
    });
}

/** The whole, and one row for each value of what it is put together by, in its order. */
async function putTogether(
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

function presentTotals(totals: TitleTotals, name: Record<string, string>): z.infer<typeof titleTotals> {
  const { titleId } = totals;
  const { plays, watchSeconds, errorRate, rebufferRatio, averageBps } = presentFigures({
    ...NO_FIGURES,
    ...totals,
  });
  return { titleId, name, plays, watchSeconds, errorRate, rebufferRatio, averageBps };
}
