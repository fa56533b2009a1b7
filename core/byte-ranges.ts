/** Spans of a file's bytes: what is there, what is missing, what is read together. All spans are half open. */

export interface ByteRange {
  start: number;
  /** One past the last byte. */
  end: number;
}

/** The same bytes as few spans in order: overlapping ones joined, and those at most `gapBytes` apart with what lies between. */
export function joined(ranges: readonly ByteRange[], gapBytes = 0): ByteRange[] {
  const sorted = ranges.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start);
  const out: ByteRange[] = [];
  for (const { start, end } of sorted) {
    const last = out.at(-1);
    if (last !== undefined && start <= last.end + gapBytes) last.end = Math.max(last.end, end);
    else out.push({ start, end });
  }
  return out;
}

/** What of `wanted` is not in `held`, in order. Both are gone through once: the pieces of a long film's sound are a hundred thousand. */
export function missing(wanted: readonly ByteRange[], held: readonly ByteRange[]): ByteRange[] {
  const have = joined(held);
  let next = 0;
  return joined(wanted).flatMap((range) => {
    const out: ByteRange[] = [];
    let at = range.start;
    while (next < have.length && have[next]!.end <= at) next++;
    for (; next < have.length && have[next]!.start < range.end; next++) {
      const { start, end } = have[next]!;
      if (start > at) out.push({ start: at, end: start });
      at = end;
      // It may reach into the range behind this one.
      if (end > range.end) break;
    }
    if (at < range.end) out.push({ start: at, end: range.end });
    return out;
  });
}

/** How many bytes the spans cover, each byte once. */
export function coveredBytes(ranges: readonly ByteRange[]): number {
  return joined(ranges).reduce((sum, { start, end }) => sum + end - start, 0);
}

/** The same spans, none longer than `mostBytes`. */
export function inPieces(ranges: readonly ByteRange[], mostBytes: number): ByteRange[] {
  return ranges.flatMap(({ start, end }) =>
    Array.from({ length: Math.ceil((end - start) / mostBytes) }, (_, index) => ({
      start: start + index * mostBytes,
      end: Math.min(end, start + (index + 1) * mostBytes),
    })),
  );
}

/** The same spans in the same order, in groups of at most so many that are at most `mostBytes` together. A longer span is one by itself. */
export function inLoads(ranges: readonly ByteRange[], mostBytes: number, mostRanges: number): ByteRange[][] {
  const loads: ByteRange[][] = [];
  let room = 0;
  for (const range of ranges) {
    const last = loads.at(-1);
    room -= range.end - range.start;
    if (last !== undefined && room >= 0 && last.length < mostRanges) last.push(range);
    else {
      loads.push([range]);
      room = mostBytes - (range.end - range.start);
    }
  }
  return loads;
}
