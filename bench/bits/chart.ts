/** Charts of bits against quality, as one SVG: logarithm of the rate to the right, score upward. */

export interface ChartPoint {
  bps: number;
  score: number;
}

export interface ChartSeries {
  name: string;
  points: readonly ChartPoint[];
  /** A curve of what could be chosen; otherwise each point stands for itself. */
  isLine: boolean;
}

const WIDTH = 360;
const HEIGHT = 240;
const MARGIN = 40;
const LEGEND = 24;
const COLOURS = ["#444", "#c60", "#9bf", "#47d", "#025", "#8c8", "#3a5", "#063"];
const RATES_BPS = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000];
const LEAST_SCORE = 40;

/** One chart for each content, side by side, with one legend. */
export function drawCharts(charts: readonly { title: string; series: readonly ChartSeries[] }[]): string {
  const names = charts[0]?.series.map(({ name }) => name) ?? [];
  const legend = names.map(
    (name, index) => `<text x="${MARGIN + index * 118}" y="16" fill="${COLOURS[index]}">■ ${name}</text>`,
  );
  const bodies = charts.map(
    ({ title, series }, index) =>
      `<g transform="translate(${index * WIDTH},${LEGEND})">${drawChart(title, series)}</g>`,
  );
  const size = `width="${Math.max(1, charts.length) * WIDTH}" height="${HEIGHT + LEGEND}"`;
  const style = 'font-family="sans-serif" font-size="11"';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${style}>\n<rect width="100%" height="100%" fill="#fff"/>\n${[...legend, ...bodies].join("\n")}\n</svg>\n`;
}

function drawChart(title: string, series: readonly ChartSeries[]): string {
  const rates = series.flatMap(({ points }) => points.map(({ bps }) => Math.log(bps)));
  const [least, most] = [Math.min(...rates), Math.max(...rates)];
  const x = (bps: number): number =>
    MARGIN + ((Math.log(bps) - least) / (most - least)) * (WIDTH - MARGIN - 12);
  const y = (score: number): number =>
    HEIGHT -
    MARGIN -
    ((Math.max(LEAST_SCORE, score) - LEAST_SCORE) / (100 - LEAST_SCORE)) * (HEIGHT - 2 * MARGIN);
  const grid = [40, 60, 80, 94].map(
    (score) =>
      `<path d="M${MARGIN} ${y(score)}H${WIDTH - 12}" stroke="#ddd"/><text x="8" y="${y(score) + 4}">${score}</text>`,
  );
  const ticks = RATES_BPS.filter((bps) => Math.log(bps) >= least && Math.log(bps) <= most).map(
    (bps) =>
      `<text x="${x(bps).toFixed(0)}" y="${HEIGHT - 20}" text-anchor="middle">${bps / 1e6} Mbit/s</text>`,
  );
  const shown = series.map(({ points, isLine }, index) => {
    const places = points.map(({ bps, score }) => `${x(bps).toFixed(1)},${y(score).toFixed(1)}`);
    if (isLine)
      return `<polyline points="${places.join(" ")}" fill="none" stroke="${COLOURS[index]}" stroke-width="2"/>`;
    return places
      .map(
        (place) =>
          `<circle cx="${place.split(",")[0]}" cy="${place.split(",")[1]}" r="4" fill="${COLOURS[index]}"/>`,
      )
      .join("");
  });
  return [`<text x="${MARGIN}" y="20" font-weight="bold">${title}</text>`, ...grid, ...ticks, ...shown].join(
    "\n",
  );
}
