import { createHash } from "node:crypto";
import type { FrameRange } from "./timeline.ts";

/** Scores of pictures against what they were made from, and what is told of many of them. Pure. */

/**
 * `ssim`: every frame against the picture that went into its encoder, at the rung's own size, 0..1: what compression
 * costs. `vmaf`: sampled frames, scaled up to the largest rung's size, 0..100: what a viewer in front of a large screen
 * loses, by scaling too. The two say different things and are never compared.
 */
export type QualityMetric = "ssim" | "vmaf";

/** What is told of one rendition by one metric. */
export interface Quality {
  metric: QualityMetric;
  mean: number;
  /** The 5th percentile of its frames: a mean hides the scenes that people complain of. */
  p5: number;
  /** The segment whose mean is the lowest. */
  worst?: { segment: number; value: number };
  /** How many frames were looked at. */
  frames: number;
}

/** SSIM of one cell's frames, as a record keeps them. */
export interface CellScores {
  mean: number;
  /** One letter or two for each frame, in steps of a fifth of a decibel: see `unpackScores`. */
  packed: string;
}

/** Scores of some frames of one segment. */
export interface SegmentScores {
  segment: number;
  frames: readonly number[];
}

/** −10·log10(1 − SSIM) in steps of this many decibels: a film's scores then cost a byte a frame. */
const STEP_DB = 0.2;

/** A cell's scores as its record keeps them. */
export function packScores(frames: readonly number[]): CellScores {
  const steps = frames.map((score) => Math.min(255, Math.round((-10 * Math.log10(1 - score)) / STEP_DB)));
  return { mean: round(mean(frames), 5), packed: Buffer.from(steps).toString("base64") };
}

/** The scores of a cell's frames, in the order of coding, within a tenth of a decibel. */
export function unpackScores({ packed }: CellScores): number[] {
  return [...Buffer.from(packed, "base64")].map((step) => 1 - 10 ** ((-step * STEP_DB) / 10));
}

/** What is told of frames over a whole rendition; null where none was scored. `means` replace those of the frames where they are known exactly. */
export function summarize(
  metric: QualityMetric,
  segments: readonly SegmentScores[],
  means: ReadonlyMap<number, number> = new Map(),
): Quality | null {
  const scored = segments.filter(({ frames }) => frames.length > 0);
  const all = scored.flatMap(({ frames }) => frames);
  if (all.length === 0) return null;
  const digits = metric === "ssim" ? 4 : 2;
  const bySegment = scored.map(({ segment, frames }) => ({
    segment,
    frames: frames.length,
    value: means.get(segment) ?? mean(frames),
  }));
  const worst = bySegment.reduce((least, one) => (one.value < least.value ? one : least));
  const total = bySegment.reduce((sum, one) => sum + one.value * one.frames, 0);
  return {
    metric,
    mean: round(total / all.length, digits),
    p5: round(percentile(all, 0.05), digits),
    worst: { segment: worst.segment, value: round(worst.value, digits) },
    frames: all.length,
  };
}

/** SSIM of a whole rendition from its cells' records; null where some cell was never scored. */
export function qualityOfCells(cells: readonly { segment: number; ssim?: CellScores }[]): Quality | null {
  const scored = cells.flatMap(({ segment, ssim }) => (ssim === undefined ? [] : [{ segment, ssim }]));
  if (scored.length < cells.length) return null;
  return summarize(
    "ssim",
    scored.map(({ segment, ssim }) => ({ segment, frames: unpackScores(ssim) })),
    new Map(scored.map(({ segment, ssim }) => [segment, ssim.mean])),
  );
}

/** The value below which this share of `values` (≥ 1 of them) lies, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** A stretch of a segment that is looked at closely, and why it was chosen. */
export interface Window {
  segment: number;
  chosen: "sample" | "worst";
}

/** A window for so many seconds of film: what scoring costs then stays a small share of the encode. */
const SECONDS_PER_WINDOW = 80;
/** Beyond this many more say nothing new: an estimate's error depends on their number, not on the film's length. */
const MOST_WINDOWS = 24;

/** How many windows of a film are looked at, where it has as many segments. */
export function windowCount(filmSeconds: number): number {
  return Math.min(MOST_WINDOWS, Math.max(1, Math.floor(filmSeconds / SECONDS_PER_WINDOW)));
}

/** Windows that are scored in one go: what follows the last picture of a long film is then seconds, and not a minute. */
const WINDOWS_TOGETHER = 4;

/** In how many goes so many windows are scored, and which of them are one. */
export function scoringGoes(windows: number): { first: number; end: number }[] {
  return Array.from({ length: Math.ceil(windows / WINDOWS_TOGETHER) }, (_, go) => ({
    first: go * WINDOWS_TOGETHER,
    end: Math.min(windows, (go + 1) * WINDOWS_TOGETHER),
  }));
}

/**
 * The segments to look at closely: at least one drawn by the seed (evenly over the film, one from each equal part), and
 * as many with the lowest scores. The same seed draws the same ones, on any machine.
 */
export function chooseWindows(
  segments: readonly { segment: number; score: number }[],
  filmSeconds: number,
  seed: string,
): Window[] {
  const wanted = Math.min(segments.length, windowCount(filmSeconds));
  const samples = Math.ceil(wanted / 2);
  const stride = segments.length / samples;
  const drawn = new Set(
    Array.from({ length: samples }, (_, part) => {
      const first = Math.floor(part * stride);
      const count = Math.max(1, Math.floor((part + 1) * stride) - first);
      return segments[first + (drawnNumber(`${seed} ${part}`) % count)]!.segment;
    }),
  );
  const worst = segments
    .filter(({ segment }) => !drawn.has(segment))
    .sort((a, b) => a.score - b.score || a.segment - b.segment)
    .slice(0, wanted - samples);
  return [
    ...[...drawn].map((segment): Window => ({ segment, chosen: "sample" })),
    ...worst.map(({ segment }): Window => ({ segment, chosen: "worst" })),
  ].sort((a, b) => a.segment - b.segment);
}

/** Of a window: a second at the usual rates. At 60 frames a second twice as many would cost twice as much, and tell no more of the film. */
const MOST_WINDOW_FRAMES = 30;

/**
 * The frames of a segment that are scored: the first half of its first group of pictures, which holds what the encoder does
 * well and what it does badly, and no more than thirty.
 */
export function windowFrames({ firstFrame, frameCount }: FrameRange, framesPerKeyframe: number): FrameRange {
  const half = Math.ceil(framesPerKeyframe / 2);
  return { firstFrame, frameCount: Math.min(frameCount, half, MOST_WINDOW_FRAMES) };
}

/** A number that is anywhere, and always the same for one seed. */
function drawnNumber(seed: string): number {
  return createHash("sha256").update(seed).digest().readUInt32BE(0);
}

/**
 * What sampled windows tell: mean and 5th percentile from those that were drawn alone (the others were chosen for being
 * bad), the worst from all.
 */
export function qualityOfWindows(
  metric: QualityMetric,
  scored: readonly { window: Window; frames: readonly number[] }[],
): Quality | null {
  const told = (some: typeof scored) =>
    summarize(
      metric,
      some.map(({ window, frames }) => ({ segment: window.segment, frames })),
    );
  const sampled = told(scored.filter(({ window }) => window.chosen === "sample"));
  const all = told(scored);
  if (sampled === null || all?.worst === undefined) return null;
  return { ...sampled, worst: all.worst, frames: all.frames };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
