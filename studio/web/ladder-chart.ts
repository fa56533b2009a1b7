import type { LadderEvidence } from "../answers.ts";
import { formatBytes } from "../pace.ts";
import { element, svg } from "./element.ts";
import { numberText, pageLanguage, text } from "./strings.ts";

const WIDTH = 420;
const HEIGHT = 200;
const MARGIN = 34;

/** Why an asset has its rungs: quality over bits of all that could be chosen, and what was; null where the table chose. */
export function ladderChart(evidence: LadderEvidence): HTMLElement | null {
  const { edge, rungs, metric } = evidence;
  const chosen = rungs.flatMap(({ predicted }) => predicted ?? []);
  if (metric === null || edge.length < 2 || chosen.length === 0) return null;
  const name = `${evidence.codec.toUpperCase()}, ${metric.toUpperCase()}`;
  const saved = rungs.reduce((sum, { savedBytes }) => sum + (savedBytes ?? 0), 0);
  const note = saved > 0 ? text("ladderSaved", { bytes: formatBytes(saved, pageLanguage) }) : "";
  return element(
    "figure",
    { class: "ladder-chart" },
    drawing(evidence, name),
    element("figcaption", {}, `${name}. ${text("ladderText")} ${note}`),
  );
}

function drawing({ edge, points, rungs }: LadderEvidence, name: string): Element {
  const all = [...edge, ...points];
  const x = scale(
    all.map(({ averageBps }) => Math.log(averageBps)),
    MARGIN,
    WIDTH - MARGIN,
  );
  const y = scale(
    all.map(({ score }) => score),
    HEIGHT - MARGIN,
    MARGIN / 2,
  );
  const at = (one: { averageBps: number; score: number }): string =>
    `${x(Math.log(one.averageBps)).toFixed(1)},${y(one.score).toFixed(1)}`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name });
  picture.append(svg("polyline", { points: edge.map(at).join(" "), class: "edge" }));
  for (const { id, predicted } of rungs) {
    if (predicted === null) continue;
    const [cx, cy] = at(predicted).split(",") as [string, string];
    const dot = svg("circle", { cx, cy, r: "5" });
    const label = svg("text", { x: cx, y: String(HEIGHT - 8), "text-anchor": "middle" });
    label.textContent = numberText(predicted.averageBps / 1e6, 1);
    const title = svg("title", {});
    title.textContent = `${id}: ${Math.round(predicted.averageBps / 1000)} kbit/s, ${predicted.score}`;
    dot.append(title);
    picture.append(dot, label);
  }
  return picture;
}

/** Brings what lies between the least and the greatest of `values` between two places. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return (value) => from + ((value - least) / Math.max(1e-9, most - least)) * (to - from);
}
