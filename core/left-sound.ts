import { createHash } from "node:crypto";
import { type ByteRange, coveredBytes, joined, missing } from "./byte-ranges.ts";

/**
 * Sound that whoever encodes a chunk leaves in the store for whoever encodes the sound, who would else read all of the master
 * for it. An object of one chunk's: a line that says of which master and has the digest of what follows, a line of spans, and their bytes.
 */

export interface LeftSound {
  /** In the master, in order and apart. */
  spans: ByteRange[];
  /** Theirs, one after the other. */
  bytes: Uint8Array;
}

const FIRST_LINE = "matinee-sound-1";
/** The first line, and the spans of far more pieces than a chunk has. */
const LONGEST_LINE_BYTES = 4 * 2 ** 20;
/** Where sound is more of a stretch than this, uncompressed beside a small picture, to leave it costs what it saves. */
const LARGEST_SHARE = 0.2;
const LARGEST_BYTES = 64 * 2 ** 20;

/** What stands for the sounds `streams` of one version of a master: nothing of another one, or of other tracks, has the same. */
export function soundMark({ key, etag }: { key: string; etag: string }, streams: readonly number[]): string {
  const ordered = [...new Set(streams)].sort((a, b) => a - b);
  return createHash("sha256")
    .update(JSON.stringify([key, etag, ordered]))
    .digest("hex")
    .slice(0, 32);
}

/**
 * The spans that are left of `pieces` by who has read `window` of the master, its gaps perhaps not: those between its first byte and its last. None
 * where they are too large a part of it.
 */
export function spansToLeave(
  pieces: readonly ByteRange[],
  window: readonly ByteRange[],
  absent: (spans: readonly ByteRange[]) => readonly ByteRange[],
): ByteRange[] {
  const read = joined(window);
  const start = read[0]?.start ?? 0;
  const end = read.at(-1)?.end ?? 0;
  const inside = pieces.filter((piece) => piece.start >= start && piece.end <= end);
  const here = missing(inside, absent(inside));
  const bytes = coveredBytes(here);
  return bytes > LARGEST_SHARE * (end - start) || bytes > LARGEST_BYTES ? [] : here;
}

/** What lies between the first byte and the last of what was left: of a stretch that was left but for its pictures, these. */
export function betweenSpans(spans: readonly ByteRange[]): ByteRange[] {
  const [first, last] = [spans[0], spans.at(-1)];
  return first === undefined || last === undefined
    ? []
    : missing([{ start: first.start, end: last.end }], spans);
}

/** What is stored: `spans` must be in order and apart, and `bytes` as long as they are together. */
export function packSound(mark: string, { spans, bytes }: LeftSound): Uint8Array {
  const numbers = spans.flatMap(({ start, end }, index) => [
    start - (spans[index - 1]?.end ?? 0),
    end - start,
  ]);
  const body = Buffer.concat([Buffer.from(`${numbers.join(" ")}\n`), bytes]);
  return Buffer.concat([Buffer.from(`${FIRST_LINE} ${mark} ${digestOf(body)}\n`), body]);
}

/** The same taken apart; null of whatever is damaged, cut off, of another mark, or names bytes that a master of this size does not have. */
export function unpackSound(object: Uint8Array, mark: string, sizeBytes: number): LeftSound | null {
  const first = lineOf(object);
  if (first === null) return null;
  const body = object.subarray(first.length + 1);
  if (first !== `${FIRST_LINE} ${mark} ${digestOf(body)}`) return null;
  const second = lineOf(body);
  if (second === null || !/^\d{1,16}( \d{1,16})*$/.test(second)) return null;
  const spans = spansOf(second.split(" ").map(Number));
  const bytes = body.subarray(second.length + 1);
  const fits =
    spans !== null && (spans.at(-1)?.end ?? 0) <= sizeBytes && coveredBytes(spans) === bytes.length;
  return fits ? { spans, bytes } : null;
}

/** From what lies before each and how long it is; null where one is empty. */
function spansOf(numbers: readonly number[]): ByteRange[] | null {
  const spans: ByteRange[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    const start = (spans.at(-1)?.end ?? 0) + numbers[at]!;
    const length = numbers[at + 1] ?? 0;
    if (length === 0) return null;
    spans.push({ start, end: start + length });
  }
  return spans;
}

function lineOf(bytes: Uint8Array): string | null {
  const end = bytes.subarray(0, LONGEST_LINE_BYTES).indexOf(0x0a);
  return end < 0 ? null : Buffer.from(bytes.subarray(0, end)).toString("latin1");
}

function digestOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}
