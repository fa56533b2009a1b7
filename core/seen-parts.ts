import { type Flashing, type FlashingFrames, joinFlashing } from "./flash-meter.ts";
import { type Rational, toNumber } from "./rational.ts";
import { type FrameSpan, joinRanges, shownFor, type TimeRange } from "./time-ranges.ts";

/** A picture that is held for less is motion. */
const LEAST_STILL_SECONDS = 0.5;

/** What was seen in one part of a film, in frames of the whole of it. */
export interface SeenPart extends FrameSpan {
  /** As well as in what was looked at before the part. */
  black: FrameSpan[];
  /** Where one picture was held for a while, until another differed; the first may begin in what was looked at before the part. */
  still: FrameSpan[];
  /** Of the frames before the part, those that the following ones were held against; in order. */
  movedBefore: number[];
  /** The frame that the last ones were held against, to the end. */
  lastMoved: number;
  flashing: FlashingFrames[];
  /** The outermost columns and rows that were lit in any frame; where none was, the left one is right of the other. null: nothing was measured. */
  lit: { left: number; right: number; top: number; bottom: number } | null;
}

/** The part of the picture that is not bars, in the measured picture's own samples. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What was seen in a film. */
export interface SeenFilm {
  black: TimeRange[];
  frozen: TimeRange[];
  flashing: Flashing[];
  /** null where the picture was black throughout. */
  content: Region | null;
}

/**
 * What was seen in all of a film, from its parts in order: the same, however it is cut (docs/decisions/findings.md says of what that
 * does not hold). Pure.
 */
export function joinSeen(parts: readonly SeenPart[], frameRate: Rational): SeenFilm {
  const shown = (spans: readonly FrameSpan[]): TimeRange[] => spans.map((span) => shownFor(span, frameRate));
  const flashing = joinFlashing(parts.flatMap((part) => part.flashing));
  return {
    black: joinRanges(shown(parts.flatMap(({ black }) => black))),
    frozen: joinRanges(shown(joinStill(parts, toNumber(frameRate)))),
    flashing: flashing.map(({ share, ...span }) => ({ ...shownFor(span, frameRate), share })),
    content: contentOf(parts.flatMap(({ lit }) => lit ?? [])),
  };
}

/**
 * A picture is held until one differs from it, so that what stands still depends on where one began to look. From a frame
 * on that two parts both hold they go on alike: then the later one, which began before its own first frame, tells the rest. Where
 * the picture stood all that time there is no such frame, and they meet at the border.
 */
function joinStill(parts: readonly SeenPart[], frameRate: number): FrameSpan[] {
  const joined: FrameSpan[] = [];
  const add = (span: FrameSpan, from: number): void => {
    if (span.end > from && isStill(span, frameRate))
      joined.push({ ...span, first: Math.max(from, span.first) });
  };
  let held = parts[0]?.first ?? 0;
  let from = held;
  for (const [index, part] of parts.entries()) {
    const goesOn = index === 0 || part.movedBefore.includes(held);
    if (!goesOn) add({ first: held, end: part.first }, from);
    from = goesOn ? held : part.first;
    for (const span of part.still) add(span, from);
    held = part.lastMoved;
  }
  add({ first: held, end: parts.at(-1)?.end ?? 0 }, from);
  return joined;
}

/** Whether a picture is held for so long that it stands still. */
export function isStill({ first, end }: FrameSpan, frameRate: number): boolean {
  return (end - first) / frameRate >= LEAST_STILL_SECONDS - 1e-6;
}

/** As cropdetect gives it, of even places and sizes. */
function contentOf(lit: readonly NonNullable<SeenPart["lit"]>[]): Region | null {
  if (lit.length === 0) return null;
  const x = even(Math.min(...lit.map(({ left }) => left)) + 1);
  const y = even(Math.min(...lit.map(({ top }) => top)) + 1);
  const width = even(Math.max(...lit.map(({ right }) => right)) - x + 1);
  const height = even(Math.max(...lit.map(({ bottom }) => bottom)) - y + 1);
  return width > 0 && height > 0 ? { x, y, width, height } : null;
}

function even(size: number): number {
  return size - (size % 2);
}
