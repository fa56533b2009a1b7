import { isStill, type SeenPart } from "./seen-parts.ts";
import type { FrameSpan } from "./time-ranges.ts";

/** Which frames of the film are looked at, from `from` on, and which of them are asked for. */
export interface LookedAt extends FrameSpan {
  from: number;
}

/**
 * Reads, line by line, what ffmpeg's `metadata=print` writes behind blackdetect, freezedetect and cropdetect, into frames of
 * the film. Of freezedetect it needs every picture that is held (`d=0`).
 */
export function pictureLogReader(
  { from, first, end }: LookedAt,
  frameRate: number,
): { add(line: string): void; seen(): Omit<SeenPart, "flashing"> } {
  const black: FrameSpan[] = [];
  const still: FrameSpan[] = [];
  const movedBefore = from < first ? [from] : [];
  const lit = new Map<string, number>();
  let frame = from;
  let blackFrom: number | null = null;
  let lastMoved = from;
  const endBlack = (at: number): void => {
    if (blackFrom !== null) black.push({ first: blackFrom, end: at });
    blackFrom = null;
  };
  const move = (): void => {
    const held = { first: lastMoved, end: frame };
    if (isStill(held, frameRate)) still.push(held);
    lastMoved = frame;
    if (frame < first) movedBefore.push(frame);
  };
  return {
    add(line) {
      const at = /^frame:.*pts_time:([\d.]+)/.exec(line)?.[1];
      if (at !== undefined) frame = from + Math.round(Number(at) * frameRate);
      const [key, value] = readPair(line);
      // A start may be repeated on every frame until it ends.
      if (key === "black_start") blackFrom ??= frame;
      else if (key === "black_end") endBlack(frame);
      else if (key === "freezedetect.freeze_end") move();
      // Of all frames so far.
      else if (key.startsWith("cropdetect.")) lit.set(key, value);
    },
    seen() {
      endBlack(end);
      return { first, end, black, still, movedBefore, lastMoved, lit: litArea(lit) };
    },
  };
}

/** Reads what idet says of a few frames: how many hold the lines of two moments, of those that could be told, and how many of one. */
export function combLogReader(): {
  add(line: string): void;
  log(): { combedFrames: number; wholeFrames: number };
} {
  const latest = new Map<string, number>();
  return {
    add(line) {
      latest.set(...readPair(line));
    },
    log: () => ({
      combedFrames: (latest.get("idet.multiple.tff") ?? 0) + (latest.get("idet.multiple.bff") ?? 0),
      wholeFrames: latest.get("idet.multiple.progressive") ?? 0,
    }),
  };
}

/** A key without its prefix; an empty one for what is no number of a filter's. */
function readPair(line: string): [key: string, value: number] {
  const separator = line.indexOf("=");
  const value = Number(line.slice(separator + 1));
  if (!line.startsWith("lavfi.") || separator < 0 || !Number.isFinite(value)) return ["", 0];
  return [line.slice("lavfi.".length, separator), value];
}

function litArea(lit: ReadonlyMap<string, number>): SeenPart["lit"] {
  const [left, right, top, bottom] = ["x1", "x2", "y1", "y2"].map((side) => lit.get(`cropdetect.${side}`));
  if (left === undefined || right === undefined || top === undefined || bottom === undefined) return null;
  return { left, right, top, bottom };
}
