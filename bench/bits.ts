import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { PRESETS, type Speed, type VideoCodec } from "../core/encoding.ts";
import type { Ladder, Rung } from "../core/ladder.ts";
import { type Candidate, candidatesOf, decibels, upperEdge } from "../core/quality-curve.ts";
import { rational } from "../core/rational.ts";
import { buildTimeline } from "../core/timeline.ts";
import { TRIAL_CRFS, type TrialPoint, trialSizes } from "../core/title-analysis.ts";
import { FIXED_TABLE } from "../core/title-ladder.ts";
import { BIG_BUCK_BUNNY } from "../test/rig/media.ts";
import { encoderOptions } from "../transcoder/encoders.ts";
import { type ChartPoint, type ChartSeries, drawCharts } from "./bits-chart.ts";
import { timed } from "./cpu.ts";
import { figure, printTable } from "./table.ts";

/**
 * Bits at equal VMAF: what the best rungs of each film cost beside Apple's fixed table of H.264 and beside PeerTube's
 * defaults, for one group of pictures of each content, all scored at the content's own size. Rates in between are interpolated in their
 * logarithm. `node bench/bits.ts [--media DIR] [--only WORDS] [--curves WORDS] [--kept FILE] [--chart FILE]`; what
 * DIR does not have is named and left out. It is heavy: with `--kept` it can be run content by content (`--only`) and with fewer
 * curves (`--curves h264`), and the chart is of all that the file has come to hold.
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
const run = promisify(execFile);
const ffmpeg = process.env.MATINEE_FFMPEG_PATH || "ffmpeg";
const scorer = process.env.MATINEE_VMAF_FFMPEG_PATH;
if (!scorer) throw new Error("Without an ffmpeg that has libvmaf there is nothing to compare by.");

interface Content {
  name: string;
  width: number;
  height: number;
  fps: number;
  input: string[];
}

/** Two seconds of each, the cheapest first. */
const CONTENTS: readonly Content[] = [
  film("fixed camera, 360p30", join(values.media ?? "media", "bottle-detection.mp4"), "10", 640, 360, 30),
  {
    ...{ name: "hard: fractal and grain, 720p24", width: 1280, height: 720, fps: 24 },
    input: [
      ...["-f", "lavfi", "-i"],
      "mandelbrot=size=1280x720:rate=24:start_scale=0.5:end_scale=0.1:end_pts=60,noise=alls=3:allf=t:all_seed=1",
    ],
  },
  film("animation, 1080p24", BIG_BUCK_BUNNY, "12", 1920, 1080, 24),
  film("animation, 1080p60", BIG_BUCK_BUNNY.replace("-30sec", "-60fps-30sec"), "12", 1920, 1080, 60),
];

const OURS: readonly [VideoCodec, Speed][] = [
  ["h264", "fast"],
  ["h264", "balanced"],
  ["h264", "small"],
  ["av1", "fast"],
  ["av1", "small"],
];
/** PeerTube's bits a pixel on average (its cap, beside crf 23), by short side. */
const PEERTUBE: readonly [number, number][] = [
  [1080, 0.1],
  [720, 0.11],
  [480, 0.12],
  [360, 0.15],
];

interface Measured extends ChartPoint {
  cpuSeconds: number;
}

interface Chart {
  title: string;
  series: ChartSeries[];
}

const folder = await mkdtemp(join(tmpdir(), "matinee-bits-"));
try {
  const charts: Chart[] = [];
  const rows: string[][] = [];
  for (const content of CONTENTS.filter(({ name }) => name.includes(values.only ?? ""))) {
    const file = content.input.at(-1)!;
    if (!file.startsWith("mandelbrot") && !existsSync(file)) {
      process.stdout.write(`left out: ${content.name}, there is no ${file}\n`);
      continue;
    }
    const { series, told } = await compare(content);
    charts.push({ title: content.name, series });
    rows.push(...told);
  }
  printTable(["content", "ours", "÷ Apple's table", "÷ PeerTube", "CPU ÷ H.264 fast"], rows);
  const known = await keep(charts);
  if (values.chart !== undefined) await writeFile(values.chart, drawCharts(known));
} finally {
  await rm(folder, { recursive: true, force: true });
}

function film(name: string, path: string, from: string, width: number, height: number, fps: number): Content {
  return { name, width, height, fps, input: ["-ss", from, "-i", path] };
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

async function compare(content: Content): Promise<{ series: ChartSeries[]; told: string[][] }> {
  const reference = join(folder, "reference.y4m");
  await run(ffmpeg, [
    ...["-v", "error", "-nostdin", "-y", ...content.input, "-frames:v", String(content.fps * 2)],
    ...[
      "-vf",
      `fps=${content.fps},scale=${content.width}:${content.height}:flags=bicubic,format=yuv420p`,
      reference,
    ],
  ]);
  const apple: Measured[] = [];
  for (const { shortSide, bitrateBps } of FIXED_TABLE.filter((row) => row.shortSide <= content.height)) {
    const rate = String(bitrateBps);
    const options = [
      ...x264("veryfast", content),
      "-b:v",
      rate,
      "-maxrate",
      String(bitrateBps * 1.5),
      "-bufsize",
      rate,
    ];
    apple.push(await measure(content, reference, shortSide, options));
  }
  const peertube: Measured[] = [];
  for (const [shortSide, bitsPerPixel] of PEERTUBE.filter(([side]) => side <= content.height)) {
    const cap = Math.round(bitsPerPixel * shortSide * widthOf(content, shortSide) * content.fps);
    const options = [
      ...x264("veryfast", content),
      "-crf",
      "23",
      "-maxrate",
      String(cap),
      "-bufsize",
      String(2 * cap),
      "-bf",
      "16",
    ];
    peertube.push(await measure(content, reference, shortSide, options));
  }
  const series: ChartSeries[] = [
    { name: "Apple's table", points: apple, isLine: false },
    { name: "PeerTube", points: peertube, isLine: false },
  ];
  const told: string[][] = [];
  let basis = 0;
  const wanted = OURS.filter(([codec, speed]) => `${codec} ${speed}`.includes(values.curves ?? ""));
  for (const [codec, speed] of wanted) {
    const { edge, cpuSeconds } = await ourEdge(content, reference, codec, speed);
    basis ||= cpuSeconds;
    series.push({
      name: `${codec} ${speed}`,
      points: edge.map(({ averageBps, score }) => ({ bps: averageBps, score })),
      isLine: true,
    });
    const beside = (others: readonly Measured[]): string => percent(ratioAtEqualScore(edge, others));
    told.push([
      content.name,
      `${codec} ${speed}`,
      beside(apple),
      beside(peertube),
      figure(cpuSeconds / basis, 1),
    ]);
    process.stderr.write(`${told.at(-1)!.join(" | ")}\n`);
  }
  return { series, told };
}

/** The film's own curve, made as its analysis makes it. */
async function ourEdge(content: Content, reference: string, codec: VideoCodec, speed: Speed) {
  const timeline = buildTimeline(rational(content.fps, 1), content.fps * 2);
  const coding = { timeline, speed, preset: PRESETS[speed].h264 };
  const points: TrialPoint[] = [];
  let cpuSeconds = 0;
  for (const crf of TRIAL_CRFS[codec]) {
    for (const size of trialSizes(content.width, content.height, codec)) {
      const rung: Rung = { ...size, crf, maxBitrateBps: size.maxBitrateBps * 10 };
      const ladder: Ladder = { id: codec, codec, range: "SDR", rungs: [rung] };
      const options = [...encoderOptions(coding, ladder, rung), "-threads", "1"];
      const made = await measure(content, reference, Math.min(size.width, size.height), options);
      cpuSeconds += made.cpuSeconds;
      points.push({ width: size.width, height: size.height, crf, averageBps: made.bps, score: made.score });
    }
  }
  return { edge: upperEdge(candidatesOf({ codec, speed, metric: "vmaf", points })), cpuSeconds };
}

async function measure(
  content: Content,
  reference: string,
  shortSide: number,
  options: readonly string[],
): Promise<Measured> {
  const out = join(folder, "out.mkv");
  const { cpuSeconds } = await timed(ffmpeg, [
    ...["-v", "error", "-nostdin", "-y", "-i", reference],
    ...["-vf", `scale=${widthOf(content, shortSide)}:${shortSide}:flags=bicubic`, ...options, out],
  ]);
  const listed = await run("ffprobe", ["-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0", out]);
  const bytes = listed.stdout.split("\n").reduce((sum, line) => sum + (Number.parseInt(line, 10) || 0), 0);
  const counted = `settb=1/${content.fps},setpts=N`;
  const { stderr } = await run(scorer!, [
    ...["-hide_banner", "-nostdin", "-i", out, "-i", reference, "-lavfi"],
    `[0:v]${counted},scale=${content.width}:${content.height}:flags=bicubic[a];[1:v]${counted}[b];[a][b]libvmaf=n_subsample=5:n_threads=1`,
    ...["-f", "null", "-"],
  ]);
  return { bps: (bytes * 8) / 2, score: Number(/VMAF score: ([\d.]+)/.exec(stderr)?.[1]), cpuSeconds };
}

function x264(preset: string, { fps }: Content): string[] {
  return ["-c:v", "libx264", "-preset", preset, "-profile:v", "high", "-g", String(fps * 2), "-threads", "1"];
}

function widthOf({ width, height }: Content, shortSide: number): number {
  return 2 * Math.round((width * shortSide) / height / 2);
}

/** Ours over theirs: the geometric mean over their rungs whose score the edge reaches; null where it reaches none. */
function ratioAtEqualScore(edge: readonly Candidate[], others: readonly Measured[]): number | null {
  const logs = others.flatMap(({ bps, score }) => {
    const above = edge.findIndex((one) => one.score >= score);
    if (above < 1) return [];
    const [low, high] = [edge[above - 1]!, edge[above]!];
    const at = (one: number): number => decibels("vmaf", one);
    const share = (at(score) - at(low.score)) / (at(high.score) - at(low.score));
    return [Math.log(low.averageBps) + share * Math.log(high.averageBps / low.averageBps) - Math.log(bps)];
  });
  return logs.length === 0 ? null : Math.exp(logs.reduce((sum, one) => sum + one, 0) / logs.length);
}

function percent(ratio: number | null): string {
  return ratio === null ? "–" : `${ratio < 1 ? "−" : "+"}${Math.abs(Math.round((ratio - 1) * 100))} %`;
}
