import type { Asset, Rendition, Scores } from "../answers.ts";
import { formatBytes, formatClock } from "../pace.ts";
import { segmentStartSeconds } from "../segment-start.ts";
import { element } from "./element.ts";
import { numberText, pageLanguage, text } from "./strings.ts";
import { tableFrame } from "./table.ts";

/** Both metrics, with the digits that tell their values apart. */
const METRICS = [
  { name: "SSIM", digits: 3, of: ({ quality }: Rendition) => quality },
  { name: "VMAF", digits: 1, of: ({ sampledQuality }: Rendition) => sampledQuality },
];

/**
 * How each rung of pictures came out, by each metric, and what it saves against the fixed table; the time of the worst segment
 * leads there. null where there is no picture.
 */
export function qualityTable(
  { renditions, ladder, source }: Asset,
  seek: (seconds: number) => void,
): HTMLElement | null {
  const rungs = renditions
    .filter(({ kind }) => kind === "video")
    .toSorted((a, b) => (b.height ?? 0) - (a.height ?? 0) || b.averageBps - a.averageBps);
  if (rungs.length === 0) return null;
  const told = (ladder?.ladders ?? []).flatMap((one) => one.rungs);
  const evidence = new Map(told.map((rung) => [rung.id, rung]));
  const spanning = { rowspan: `${METRICS.length}` };
  const bodies = rungs.map((rung) => {
    const rows = METRICS.map(({ name, digits, of }) => {
      const scores = of(rung);
      const link = worstLink(scores, source, `${rung.id}, ${name}`, seek);
      return element("tr", {}, ...cellsOf(name, scores, digits, link));
    });
    rows[0]?.prepend(element("th", { scope: "rowgroup", ...spanning }, rung.id));
    rows[0]?.append(element("td", spanning, savedText(evidence.get(rung.id))));
    return element("tbody", {}, ...rows);
  });
  const made = element("table", { class: "quality" }, heads(), ...bodies);
  return element("div", {}, tableFrame(made), element("p", { class: "note" }, text("scoresText")));
}

function heads(): HTMLElement {
  const keys = ["rung", "metric", "meanScore", "lowScore", "worstScore", "saved"] as const;
  const cells = keys.map((key) => element("th", { scope: "col" }, text(key)));
  return element("thead", {}, element("tr", {}, ...cells));
}

/** The metric's name, mean, 5th percentile, worst segment. */
function cellsOf(
  name: string,
  scores: Scores | undefined,
  digits: number,
  link: HTMLElement | null,
): HTMLElement[] {
  const said = (value: number | undefined) => (value === undefined ? "–" : numberText(value, digits));
  return [
    element("th", { scope: "row" }, name),
    element("td", {}, said(scores?.mean)),
    element("td", {}, said(scores?.p5)),
    element("td", {}, said(scores?.worst?.value), " ", link),
  ];
}

function worstLink(
  scores: Scores | undefined,
  source: Asset["source"],
  what: string,
  seek: (seconds: number) => void,
): HTMLElement | null {
  if (scores?.worst === undefined || source === null) return null;
  return seekButton(segmentStartSeconds(scores.worst.segment, source.video.frameRate), what, seek);
}

function seekButton(seconds: number, what: string, seek: (seconds: number) => void): HTMLElement {
  const time = formatClock(seconds);
  const label = text("lookAt", { what, time });
  const attributes = { type: "button", class: "moment", "aria-label": label, title: label };
  return element("button", { ...attributes, onclick: () => seek(seconds) }, time);
}

type Rung = NonNullable<Asset["ladder"]>["ladders"][number]["rungs"][number];

function savedText(rung: Rung | undefined): string {
  const { savedBytes, averageBps, fixedTableBps } = rung ?? {};
  if (savedBytes == null || averageBps == null || fixedTableBps == null) return "–";
  const sign = savedBytes < 0 ? "−" : "";
  const percent = numberText(Math.abs(1 - averageBps / fixedTableBps) * 100, 0);
  return `${sign}${formatBytes(Math.abs(savedBytes), pageLanguage)} (${sign}${percent} %)`;
}
