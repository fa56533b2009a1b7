import { dayOf } from "../../core/days.ts";
import {
  addRunged,
  type Figures,
  figuresOf,
  figuresSince,
  lineFigures,
  NO_RUNGED,
  type RungedFigures,
} from "../../core/figures.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { type FiguresPlace, generationFiguresId } from "./figures.ts";
import { generationId } from "./generations.ts";
import type { EdgeReportRecord, SessionReportRecord } from "./reports.ts";

/** What the reports of one batch come to, and where it belongs. */

/** A generation that somebody has watched. */
export interface WatchedGeneration {
  tenant: string;
  assetId: string;
  generation: string;
}

export async function addSessions(
  library: Library,
  sums: Sums,
  sessions: readonly SessionReportRecord[],
): Promise<void> {
  const rates = await ratesOf(library, sessions);
  for (const session of sessions) {
    const { assetId, generation, startedAt, report, counted } = session;
    const averageBps = rates.get(generationId(assetId, generation)) ?? new Map();
    const news =
      counted === undefined ? figuresOf(report, averageBps) : figuresSince(counted, report, averageBps);
    sums.add({ ...session, day: dayOf(startedAt) }, news);
  }
}

/** An edge knows packages, not titles: its figures go to the first title that shows the asset. */
export async function addEdges(
  library: Library,
  sums: Sums,
  reports: readonly EdgeReportRecord[],
): Promise<void> {
  const rows = reports.flatMap(({ at, rows: told }) => told.map((row) => ({ ...row, day: dayOf(at) })));
  const rates = await ratesOf(library, rows);
  const titles = await titlesOf(library, [...new Set(rows.map(({ assetId }) => assetId))]);
  for (const row of rows) {
    const title = titles.get(row.assetId);
    const { assetId, generation, renditionId, country, day, ...line } = row;
    if (title === undefined) continue;
    const place = { tenant: title.tenant, titleId: title._id, assetId, generation, country, day };
    sums.add(
      place,
      lineFigures(renditionId, line, rates.get(generationId(assetId, generation)) ?? new Map()),
    );
  }
}

interface Watched {
  tenant: string;
  titleId: string;
  assetId: string;
  generation: string;
  country: string;
  day: string;
}

/** The sums of one batch, by where they belong. */
export class Sums {
  readonly #sums = new Map<string, [place: FiguresPlace, figures: RungedFigures]>();

  add({ tenant, titleId, assetId, generation, country, day }: Watched, figures: RungedFigures): void {
    const { all } = figures;
    this.#put(
      {
        _id: `title.${titleId}.${generation}.${country}.${day}`,
        scope: "title",
        tenant,
        titleId,
        assetId,
        generation,
        country,
        day,
      },
      figures,
    );
    this.#put({ _id: `tenant.${tenant}.${day}`, scope: "tenant", tenant, day }, { all, rungs: {} });
    const _id = generationFiguresId(assetId, generation);
    this.#put({ _id, scope: "generation", tenant, assetId, generation }, figures);
  }

  #put(place: FiguresPlace, figures: RungedFigures): void {
    const [, known = NO_RUNGED] = this.#sums.get(place._id) ?? [];
    this.#sums.set(place._id, [place, addRunged(known, figures)]);
  }

  all(): Iterable<[FiguresPlace, RungedFigures]> {
    return this.#sums.values();
  }

  whole(): Figures {
    const ofTenants = [...this.all()].filter(([{ scope }]) => scope === "tenant");
    return ofTenants.reduce((sum, [, figures]) => addRunged(sum, figures), NO_RUNGED).all;
  }

  generations(): WatchedGeneration[] {
    return [...this.all()].flatMap(([{ scope, tenant, assetId, generation }]) =>
      scope === "generation" && assetId !== undefined && generation !== undefined
        ? [{ tenant, assetId, generation }]
        : [],
    );
  }
}

/** The average rate of every picture of these packages, by the package and the rendition's id. */
async function ratesOf(
  library: Library,
  packages: readonly { assetId: string; generation: string }[],
): Promise<Map<string, Map<string, number>>> {
  const ids = [...new Set(packages.map(({ assetId, generation }) => generationId(assetId, generation)))];
  const found = await fromDriver(
    library.generations.find({ _id: { $in: ids } }, { projection: { renditions: 1 } }).toArray(),
  );
  return new Map(
    found.map(({ _id, renditions }) => {
      const pictures = renditions.filter(({ kind }) => kind === "video");
      return [_id, new Map(pictures.map(({ id, averageBps }) => [id, averageBps]))];
    }),
  );
}

/** By asset: the first title that shows it. Nobody watches a draft. */
async function titlesOf(
  library: Library,
  assetIds: readonly string[],
): Promise<Map<string, { _id: string; tenant: string }>> {
  const ids = { $in: [...assetIds] };
  const assets = await fromDriver(library.assets.find({ _id: ids }, { projection: { tenant: 1 } }).toArray());
  const tenant = { $in: [...new Set(assets.map((asset) => asset.tenant))] };
  const shown = { tenant, assetId: ids, state: { $ne: "draft" as const } };
  const projection = { tenant: 1, assetId: 1 };
  const titles = await fromDriver(library.titles.find(shown, { projection }).sort({ _id: -1 }).toArray());
  // The last that is said of an asset stays.
  return new Map(titles.map((title) => [title.assetId ?? "", title]));
}
