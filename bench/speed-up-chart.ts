/** Speed-up over workers as one SVG, both axes logarithmic: what is linear is a straight line. */

export interface SpeedUp {
  workers: number;
  speedUp: number;
}

const SIZE = 360;
const MARGIN = 44;
const LEGEND = 24;
const MOST = 1000;
const COLOURS = ["#47d", "#c60", "#a2a", "#080"];
const TICKS = [1, 2, 8, 32, 128, 512];

/** Simulated films and libraries as lines, what was measured as points, and the ideal beside them. */
export function drawSpeedUp(
  simulated: readonly { name: string; points: readonly SpeedUp[] }[],
  measured: readonly SpeedUp[],
): string {
  const x = (workers: number): number => MARGIN + (Math.log(workers) / Math.log(MOST)) * (SIZE - MARGIN - 12);
  const y = (speedUp: number): number =>
    LEGEND + SIZE - MARGIN - (Math.log(speedUp) / Math.log(MOST)) * (SIZE - MARGIN - 12);
  const place = ({ workers, speedUp }: SpeedUp): string =>
    `${x(workers).toFixed(1)},${y(speedUp).toFixed(1)}`;
  const grid = TICKS.map(
    (tick) =>
      `<path d="M${MARGIN} ${y(tick).toFixed(1)}H${SIZE - 12}" stroke="#ddd"/>` +
      `<text x="${MARGIN - 6}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${tick}×</text>` +
      `<text x="${x(tick).toFixed(1)}" y="${LEGEND + SIZE - MARGIN + 16}" text-anchor="middle">${tick}</text>`,
  );
  const ends: SpeedUp[] = [1, MOST].map((workers) => ({ workers, speedUp: workers }));
  const ideal = `<polyline points="${ends.map(place).join(" ")}" fill="none" stroke="#999" stroke-dasharray="4"/>`;
  const lines = simulated.map(
    ({ points }, index) =>
      `<polyline points="${points.map(place).join(" ")}" fill="none" stroke="${COLOURS[index]}" stroke-width="2"/>`,
  );
  const dots = measured.map((one) => {
    const [cx, cy] = place(one).split(",");
    return `<circle cx="${cx}" cy="${cy}" r="4" fill="#222"/>`;
  });
  const names: [string, string][] = [
    ...simulated.map(({ name }, index): [string, string] => [`${name}, simulated`, COLOURS[index]!]),
    ...(measured.length > 0 ? [["measured", "#222"] as [string, string]] : []),
    ["ideal", "#999"],
  ];
  const legend = names.map(
    ([name, colour], index) =>
      `<text x="${MARGIN + 6}" y="${LEGEND + 16 + 16 * index}" fill="${colour}">■ ${name}</text>`,
  );
  const axis = `<text x="${SIZE / 2}" y="${LEGEND + SIZE - 8}" text-anchor="middle">workers of one core</text>`;
  const size = `width="${SIZE}" height="${SIZE + LEGEND}"`;
  const title = `<text x="${MARGIN}" y="16" font-weight="bold">Speed-up over workers</text>`;
  const body = [title, ...grid, ideal, ...lines, ...dots, ...legend, axis].join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="#fff"/>\n${body}\n</svg>\n`;
}
