import type { TimeRange } from "./time-ranges.ts";

/** The part of the picture that is not bars, in the measured picture's own samples. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What ffmpeg's filters found in a picture. */
export interface PictureLog {
  black: TimeRange[];
  frozen: TimeRange[];
  /** null where the picture was black throughout. */
  content: Region | null;
  /** Of the frames that could be told: with the lines of two moments in them, and of one. */
  combedFrames: number;
  wholeFrames: number;
}

/**
 * Reads, line by line, what ffmpeg's `metadata=print` writes behind blackdetect, freezedetect, cropdetect and idet. A
 * range without an end lasts to the end of the picture, `durationSeconds`.
 */
export function pictureLogReader(durationSeconds: number): { add(line: string): void; log(): PictureLog } {
  const black = rangeReader();
  const frozen = rangeReader();
  const latest = new Map<string, number>();
  return {
    add(line) {
      const separator = line.indexOf("=");
      if (!line.startsWith("lavfi.") || separator < 0) return;
      const key = line.slice("lavfi.".length, separator);
      const value = Number(line.slice(separator + 1));
      if (!Number.isFinite(value)) return;
      if (key === "black_start") black.start(value);
      else if (key === "black_end") black.end(value);
      else if (key === "freezedetect.freeze_start") frozen.start(value);
      else if (key === "freezedetect.freeze_end") frozen.end(value);
      // These are of all frames so far.
      else latest.set(key, value);
    },
    log: () => ({
      black: black.ranges(durationSeconds),
      frozen: frozen.ranges(durationSeconds),
      content: contentOf(latest),
      combedFrames: (latest.get("idet.multiple.tff") ?? 0) + (latest.get("idet.multiple.bff") ?? 0),
      wholeFrames: latest.get("idet.multiple.progressive") ?? 0,
    }),
  };
}

function rangeReader() {
  const ranges: TimeRange[] = [];
  let open: number | null = null;
  return {
    // A start is repeated on every frame until it ends.
    start: (seconds: number) => {
      open ??= seconds;
    },
    end: (seconds: number) => {
      if (open !== null) ranges.push({ startSeconds: open, endSeconds: seconds });
      open = null;
    },
    ranges: (durationSeconds: number): TimeRange[] =>
      open === null
        ? ranges
        : [...ranges, { startSeconds: open, endSeconds: Math.max(open, durationSeconds) }],
  };
}

function contentOf(latest: ReadonlyMap<string, number>): Region | null {
  const [x, y, width, height] = ["x", "y", "w", "h"].map((side) => latest.get(`cropdetect.${side}`));
  if (x === undefined || y === undefined || width === undefined || height === undefined) return null;
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}
