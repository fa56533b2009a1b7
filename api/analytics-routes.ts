import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { dayCount, lastDays, type Period } from "../core/days.ts";
import { invalidFields, notFound } from "../core/errors.ts";
import { NO_FIGURES } from "../core/figures.ts";
import { figuresOfTenant, figuresOfTitle, mostPlayed, type TitleTotals } from "../stores/library/figures.ts";
import { findTitle } from "../stores/library/titles.ts";
import { forRole } from "./auth.ts";
import { idParams, jsonAnswer } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { figuresRow, figuresView, presentFigures } from "./figures-view.ts";
import { groupings, ofRung, putTogether } from "./grouped-figures.ts";

const USUAL_DAYS = 28;
const MOST_DAYS = 92;
const MOST_TITLES = 20;

const day = z.iso.date();
/** Days in UTC, both within; the last 28 unless it is said. */
const periodQuery = { from: day.optional(), to: day.optional() };
const period = { from: day, to: day };
/** Exact values, as the rows name them. All that are given hold at once, whatever the rows are put together by. */
const figureFilters = {
  generation: z.string().min(1).max(100).optional(),
  country: z.string().min(1).max(100).optional(),
  /** A session that played several rungs is one of each. */
  rung: z.string().min(1).max(100).optional(),
};

const common = { tags: ["Analytics"], ...forRole("editor") };
const titleRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/analytics/titles/{id}",
  summary: "How a title is watched: by day, generation, rung or country, all of it or of one of these alone",
  request: {
    params: idParams,
    query: z.strictObject({ ...periodQuery, by: groupings.default("day"), ...figureFilters }),
  },
  responses: {
    200: jsonAnswer(
      z
        .object({
          titleId: z.string(),
          ...period,
          by: groupings,
          ...figureFilters,
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
      const { by, generation, country, rung, ...query } = c.req.valid("query");
      if ((await findTitle(library, tenant, titleId)) === null) throw notFound("title");
      const span = asked(query);
      const records = figuresOfTitle(library, tenant, titleId, { ...span, generation, country });
      const figures = await putTogether(by, rung === undefined ? records : ofRung(records, rung));
      return c.json({ titleId, ...span, by, generation, country, rung, ...figures }, 200);
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

function presentTotals(totals: TitleTotals, name: Record<string, string>): z.infer<typeof titleTotals> {
  const { titleId } = totals;
  const { plays, watchSeconds, errorRate, rebufferRatio, averageBps } = presentFigures({
    ...NO_FIGURES,
    ...totals,
  });
  return { titleId, name, plays, watchSeconds, errorRate, rebufferRatio, averageBps };
}
