import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RecentAv1 } from "../../transcoder/recent-av1.ts";
import { timed } from "../cpu.ts";
import type { ChartPoint } from "./chart.ts";
import { type Content, widthOf } from "./content.ts";

const run = promisify(execFile);
const SECONDS = 2;

/** What encodes, what takes VMAF, and a folder for their files. */
export interface Tools {
  ffmpeg: string;
  scorer: string;
  /** Which of them makes AV1, as a worker finds it; null where neither is recent. */
  recentAv1: RecentAv1 | null;
  folder: string;
}

/** A content as plain pictures in a file, which encodes are made of and scored beside. */
export interface Reference {
  content: Content;
  path: string;
  tools: Tools;
}

/** What one encode came to: its rate, its mean VMAF at the content's own size, and what it cost. */
export interface Measured extends ChartPoint {
  cpuSeconds: number;
}

export async function makeReference(tools: Tools, content: Content): Promise<Reference> {
  const path = join(tools.folder, "reference.y4m");
  const { width, height, fps, input } = content;
  await run(tools.ffmpeg, [
    ...["-v", "error", "-nostdin", "-y", ...input, "-frames:v", String(fps * SECONDS)],
    ...["-vf", `fps=${fps},scale=${width}:${height}:flags=bicubic,format=yuv420p`, path],
  ]);
  return { content, path, tools };
}

/** Encodes it at this short side with these options of the encoder, made smaller as ffmpeg does unasked or by another way. */
export async function measure(
  reference: Reference,
  shortSide: number,
  options: readonly string[],
  { program = reference.tools.ffmpeg, scaler = bicubic } = {},
): Promise<Measured> {
  const { content, path, tools } = reference;
  const out = join(tools.folder, "out.mkv");
  const { cpuSeconds } = await timed(program, [
    ...["-v", "error", "-nostdin", "-y", "-i", path],
    ...["-vf", scaler(widthOf(content, shortSide), shortSide), ...options, out],
  ]);
  return { bps: (8 * (await codedBytes(out))) / SECONDS, score: await vmafOf(reference, out), cpuSeconds };
}

function bicubic(width: number, height: number): string {
  return `scale=${width}:${height}:flags=bicubic`;
}

async function codedBytes(path: string): Promise<number> {
  const listed = await run("ffprobe", [
    "-v",
    "error",
    "-show_entries",
    "packet=size",
    "-of",
    "csv=p=0",
    path,
  ]);
  return listed.stdout.split("\n").reduce((sum, line) => sum + (Number.parseInt(line, 10) || 0), 0);
}

async function vmafOf({ content, path, tools }: Reference, encoded: string): Promise<number> {
  const counted = `settb=1/${content.fps},setpts=N`;
  const { stderr } = await run(tools.scorer, [
    ...["-hide_banner", "-nostdin", "-i", encoded, "-i", path, "-lavfi"],
    `[0:v]${counted},scale=${content.width}:${content.height}:flags=bicubic[a];[1:v]${counted}[b];[a][b]libvmaf=n_subsample=5:n_threads=1`,
    ...["-f", "null", "-"],
  ]);
  return Number(/VMAF score: ([\d.]+)/.exec(stderr)?.[1]);
}
