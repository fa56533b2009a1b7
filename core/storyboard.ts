import { fitWithin, type Size } from "./image-size.ts";

/** Small pictures of the whole film in a few sheets, and the WebVTT that says where each moment stands. */
export interface Storyboard {
  /** Every how many of the pictures for seeking one is taken. */
  stride: number;
  count: number;
  /** Pictures beside and above each other in a sheet; every sheet is that large, the last one may be part black. */
  columns: number;
  rows: number;
  thumb: Size;
}

/** What a film of any length gets at most. */
const MOST_THUMBNAILS = 240;
/** Pictures a side: a sheet of about 100 kB, so that the first ones are there soon. */
const SIDE = 5;
const LONGEST_SIDE = 240;

/** The storyboard for so many pictures for seeking (≥ 1) of this size. Pure. */
export function planStoryboard(picture: Size, pictureCount: number): Storyboard {
  const stride = Math.ceil(pictureCount / MOST_THUMBNAILS);
  const count = Math.ceil(pictureCount / stride);
  const columns = Math.min(SIDE, count);
  const rows = Math.min(SIDE, Math.ceil(count / columns));
  return { stride, count, columns, rows, thumb: fitWithin(picture, LONGEST_SIDE) };
}

export function sheetCount({ count, columns, rows }: Storyboard): number {
  return Math.ceil(count / (columns * rows));
}

export function sheetSize({ columns, rows, thumb }: Storyboard): Size {
  return { width: columns * thumb.width, height: rows * thumb.height };
}

/** `storyboard-000.jpg`: relative, so that whoever may read the text may read the sheets. */
export function sheetName(sheet: number): string {
  return `storyboard-${String(sheet).padStart(3, "0")}.jpg`;
}

/**
 * The WebVTT: one cue for each picture, from its own instant to the next one's, the last to `endSeconds`. What it says is
 * a media fragment (W3C Media Fragments 4.2.2, `#xywh=`) of a sheet.
 */
export function storyboardVtt(
  board: Storyboard,
  startsSeconds: readonly number[],
  endSeconds: number,
): string {
  const perSheet = board.columns * board.rows;
  const cues = startsSeconds.map((start, index) => {
    const place = index % perSheet;
    const x = (place % board.columns) * board.thumb.width;
    const y = Math.floor(place / board.columns) * board.thumb.height;
    const box = `${x},${y},${board.thumb.width},${board.thumb.height}`;
    const span = `${timestamp(start)} --> ${timestamp(startsSeconds[index + 1] ?? endSeconds)}`;
    return `${span}\n${sheetName(Math.floor(index / perSheet))}#xywh=${box}\n`;
  });
  return ["WEBVTT\n", ...cues].join("\n");
}

/** WebVTT 4.1: `hh:mm:ss.ttt`. */
function timestamp(seconds: number): string {
  const millis = Math.round(seconds * 1000);
  const two = (value: number): string => String(Math.floor(value) % 60).padStart(2, "0");
  const hours = String(Math.floor(millis / 3_600_000)).padStart(2, "0");
  return `${hours}:${two(millis / 60_000)}:${two(millis / 1000)}.${String(millis % 1000).padStart(3, "0")}`;
}

const CUE =
  /^(\d+):(\d\d):(\d\d\.\d{3}) --> (\d+):(\d\d):(\d\d\.\d{3})\n([^\s#]+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;

/**
 * What is wrong with a storyboard's text, in words; null where its cues cover the film from its beginning to its end
 * without a gap and each shows a place inside one of the sheets.
 */
export function storyboardFault(
  text: string,
  sheets: ReadonlyMap<string, Size>,
  durationSeconds: number,
): string | null {
  let reached = 0;
  for (const [, h1, m1, s1, h2, m2, s2, name = "", ...box] of text.matchAll(CUE)) {
    const start = Number(h1) * 3600 + Number(m1) * 60 + Number(s1);
    if (start !== reached) return `a gap before ${start} s`;
    reached = Number(h2) * 3600 + Number(m2) * 60 + Number(s2);
    const sheet = sheets.get(name);
    const [x = 0, y = 0, width = 0, height = 0] = box.map(Number);
    if (sheet === undefined || x + width > sheet.width || y + height > sheet.height)
      return `nothing at ${name}#xywh=${box.join(",")}`;
  }
  return Math.abs(reached - durationSeconds) <= 0.001 ? null : `it ends at ${reached} s`;
}
