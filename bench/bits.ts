import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Speed, VideoCodec } from "../core/encoding.ts";
import { launcherForTest } from "../test/rig/launcher.ts";
import { findRecentAv1 } from "../transcoder/recent-av1.ts";
import { type ChartSeries, drawCharts } from "./bits/chart.ts";
import { contentsIn, fileOf, MEDIA_FOLDER } from "./bits/content.ts";
import { measureAppleTable, measureOurs, measurePeerTube, ratioAtEqualScore } from "./bits/ladders.ts";
import { type Measured, makeReference, type Reference, type Tools } from "./bits/measure.ts";
import { figure, printTable } from "./table.ts";

/**
 * Bits at equal VMAF: what the best rungs of each film cost beside Apple's fixed table of H.264 and beside PeerTube's
 * defaults, for one group of pictures of each content, all scored at the content's own size. Rates in between are interpolated in their
 * logarithm. `node bench/bits.ts [--media DIR] [--only WORDS] [--curves WORDS] [--kept FILE] [--chart FILE]`; what
 * DIR (without it the folder that MATINEE_BENCH_MEDIA names) does not have is named and left out. It is heavy: with `--kept` it
 * can be run content by content (`--only`) and with fewer curves (`--curves h264`), and the chart is of all that the file has
 * come to hold.
 */

const { values } = parseArgs({
  options: {
    media: { type: "string" },
    only: { type: "string" },
    curves: { type: "string" },
    kept: { type: "string" },
    chart: { type: "string" },
  },
});

const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const scorer = process.env.MATINEE_VMAF_FFMPEG_PATH;
if (!scorer) throw new Error("Without an ffmpeg that has libvmaf there is nothing to compare by.");

const CONTENTS = contentsIn(values.media ?? MEDIA_FOLDER);
const OURS: readonly [VideoCodec, Speed][] = [
  ["h264", "fast"],
  ["h264", "balanced"],
  ["h264", "small"],
  ["av1", "fast"],
  ["av1", "balanced"],
  ["av1", "small"],
];

interface Chart {
  title: string;
  series: ChartSeries[];
}

/** Of one content: its curves, and a row of the table for each of ours. */
interface Comparison {
  series: ChartSeries[];
  told: string[][];
}

const folder = await mkdtemp(join(tmpdir(), "matinee-bits-"));
try {
  const recentAv1 = await findRecentAv1(await launcherForTest());
  process.stdout.write(`AV1 by ${recentAv1?.build ?? "what encodes H.264"}\n`);
  await compareAll({ ffmpeg, scorer, recentAv1, folder });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function compareAll(tools: Tools): Promise<void> {
  const charts: Chart[] = [];
  const rows: string[][] = [];
  for (const content of CONTENTS.filter(({ name }) => name.includes(values.only ?? ""))) {
    const file = fileOf(content);
    if (file !== null && !existsSync(file)) {
      process.stdout.write(`left out: ${content.name}, there is no ${file}\n`);
      continue;
    }
    const { series, told } = await compare(await makeReference(tools, content));
    charts.push({ title: content.name, series });
    rows.push(...told);
  }
  printTable(["content", "ours", "÷ Apple's table", "÷ PeerTube", "CPU ÷ H.264 fast"], rows);
  const known = await keep(charts);
  if (values.chart !== undefined) await writeFile(values.chart, drawCharts(known));
}

/** What was measured now and, of other contents, what the file kept of earlier runs; in the order of the contents. */
async function keep(measured: readonly Chart[]): Promise<Chart[]> {
  if (values.kept === undefined) return [...measured];
  const kept = existsSync(values.kept) ? (JSON.parse(await readFile(values.kept, "utf8")) as Chart[]) : [];
  const all = CONTENTS.flatMap(({ name }) => {
    const chart = [...measured, ...kept].find(({ title }) => title === name);
    return chart === undefined ? [] : [chart];
  });
  await writeFile(values.kept, JSON.stringify(all));
  return all;
}

async function compare(reference: Reference): Promise<Comparison> {
  const apple = await measureAppleTable(reference);
  const peertube = await measurePeerTube(reference);
  const series: ChartSeries[] = [
    { name: "Apple's table", points: apple, isLine: false },
    { name: "PeerTube", points: peertube, isLine: false },
  ];
  const told: string[][] = [];
  let basis = 0;
  const wanted = OURS.filter(([codec, speed]) => `${codec} ${speed}`.includes(values.curves ?? ""));
  for (const [codec, speed] of wanted) {
    const name = `${codec} ${speed}`;
    const { edge, cpuSeconds } = await measureOurs(reference, codec, speed);
    basis ||= cpuSeconds;
    const points = edge.map(({ averageBps, score }) => ({ bps: averageBps, score }));
    series.push({ name, points, isLine: true });
    const beside = (others: readonly Measured[]): string => percent(ratioAtEqualScore(edge, others));
    const row = [
      reference.content.name,
      name,
      beside(apple),
      beside(peertube),
      figure(cpuSeconds / basis, 1),
    ];
    told.push(row);
    process.stderr.write(`${row.join(" | ")}\n`);
  }
  return { series, told };
}

function percent(ratio: number | null): string {
  return ratio === null ? "–" : `${ratio < 1 ? "−" : "+"}${Math.abs(Math.round((ratio - 1) * 100))} %`;
}
