import type { Figures, TitleFigures } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { formatClock } from "../pace.ts";
import { element, svg } from "./element.ts";
import { problemOf, saidNodes } from "./problem-text.ts";
import { numberText, text } from "./strings.ts";
import type { StringKey } from "./strings-en.ts";

const WIDTH = 420;
const HEIGHT = 90;
const BASE = 74;
const DAY_MS = 86_400_000;

/** How the title is watched: figures of the last four weeks, and plays day by day. Read when it is shown. */
export function viewing(api: Api) {
  const root = element("div", { class: "viewing" });
  let shownTitle: string | null = null;
  return {
    root,
    /** True where there is a title to tell of. */
    update(titleId: string | null): boolean {
      if (titleId !== null && titleId !== shownTitle) {
        shownTitle = titleId;
        const tell = (...told: Element[]) => {
          // Another one may have been chosen meanwhile.
          if (shownTitle === titleId) root.replaceChildren(...told);
        };
        void api.call<TitleFigures>("GET", `/v1/analytics/titles/${titleId}`).then(
          (figures) => tell(...shown(figures)),
          (thrown) => tell(element("p", { class: "note" }, ...saidNodes(problemOf(thrown)))),
        );
      }
      return titleId !== null;
    },
  };
}

function shown(figures: TitleFigures): Element[] {
  if (figures.total.sessions === 0) return [element("p", { class: "note" }, text("viewingNone"))];
  const words = text("viewingChart", { from: figures.from, to: figures.to });
  const chart = element("figure", { class: "viewing-chart" }, drawing(figures, words));
  chart.append(element("figcaption", {}, words));
  return [factsOf(figures.total), chart];
}

function factsOf(total: Figures): HTMLElement {
  const { startup } = total;
  const facts: [StringKey, string][] = [
    ["plays", String(total.plays)],
    ["watched", formatClock(total.watchSeconds)],
    [
      "startupTime",
      startup === null
        ? "–"
        : `${numberText(startup.p50Seconds, 1)} s, ${numberText(startup.p95Seconds, 1)} s`,
    ],
    ["rebuffering", percent(total.rebufferRatio)],
    ["errorsOf", percent(total.errorRate)],
    ["averageBits", total.averageBps === null ? "–" : `${numberText(total.averageBps / 1e6, 2)} Mbit/s`],
  ];
  const entries = facts.flatMap(([key, value]) => [element("dt", {}, text(key)), element("dd", {}, value)]);
  return element("dl", { class: "facts-list" }, ...entries);
}

/** A share for people. */
export function percent(share: number | null): string {
  return share === null ? "–" : `${numberText(share * 100, 1)} %`;
}

/** A bar for each day, days without plays too. */
function drawing({ from, to, rows }: TitleFigures, words: string): Element {
  const days = Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
  const most = Math.max(1, ...rows.map(({ plays }) => plays));
  const step = WIDTH / days;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  picture.append(svg("line", { x1: "0", x2: String(WIDTH), y1: String(BASE), y2: String(BASE) }));
  for (const { key, plays, rebufferRatio } of rows) {
    const height = (plays / most) * (BASE - 8);
    const x = (Date.parse(key) - Date.parse(from)) / DAY_MS;
    const bar = svg("rect", {
      x: (x * step + step * 0.15).toFixed(1),
      y: (BASE - height).toFixed(1),
      width: (step * 0.7).toFixed(1),
      height: height.toFixed(1),
      rx: "1.5",
    });
    const title = svg("title", {});
    title.textContent = `${key}: ${plays} ${text("plays")}, ${percent(rebufferRatio)} ${text("rebuffering")}`;
    bar.append(title);
    picture.append(bar);
  }
  for (const [x, anchor, label] of [
    [0, "start", from],
    [WIDTH, "end", to],
  ] as const) {
    const mark = svg("text", { x: String(x), y: String(HEIGHT - 3), "text-anchor": anchor });
    mark.textContent = label;
    picture.append(mark);
  }
  return picture;
}
