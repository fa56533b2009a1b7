import { findingsAt, lastingRanges } from "./findings.ts";
import { DANGEROUS_SHARE, type Flashing } from "./flash-meter.ts";
import type { Finding } from "./records/asset.ts";
import type { Region, SeenFilm } from "./seen-parts.ts";
import { clipRange, secondsOf, type TimeRange } from "./time-ranges.ts";

/** Fades between scenes are shorter. */
const LEAST_BLACK_SECONDS = 2;
/** Titles and still shots are held for three or four seconds. */
const LEAST_FROZEN_SECONDS = 5;
/** An encoder's keyframes make a still picture twitch for one frame. */
const TWITCH_SECONDS = 0.15;
/** All but a few frames of it. */
const WHOLE_SHARE = 0.98;
/** A strobe over half of the picture or more is stopped; from a quarter on it is shown to a person. */
const BLOCKING_SHARE = 0.5;
/** Bars that take less of a side are overscan or rounding. */
const LEAST_BARS_SHARE = 0.04;
/** Combed frames of those that could be told: fewer are a cross-fade or noise. */
const LEAST_COMBED_FRAMES = 8;

export interface MeasuredPicture extends SeenFilm {
  durationSeconds: number;
  /** Of the frames that could be told: with the lines of two moments in them, and of one. */
  combedFrames: number;
  wholeFrames: number;
  /** The picture that `content` is measured in, and the picture as it is shown. */
  measuredSize: { width: number; height: number };
  shownSize: { width: number; height: number };
  /** The plan takes every frame for a moment of its own. */
  isTakenForProgressive: boolean;
}

/** What a person should know of the picture, from what the filters measured. Pure; nothing for an ordinary film. */
export function pictureFindings(measured: MeasuredPicture): Finding[] {
  const film = { startSeconds: 0, endSeconds: measured.durationSeconds };
  const black = lastingRanges(measured.black, film, LEAST_BLACK_SECONDS, TWITCH_SECONDS);
  return [
    ...findingsAt(black, (range) => describeBlack(range, film)),
    ...frozenFindings(measured.frozen, black, film),
    ...flashingFindings(measured.flashing),
    ...barFindings(measured),
    ...combingFindings(measured),
  ];
}

function describeBlack(range: TimeRange, film: TimeRange): Pick<Finding, "code" | "severity" | "message"> {
  const code = "black";
  if (isWhole(range, film)) return { code, severity: "error", message: "The picture is black throughout." };
  const isAtStart = range.startSeconds < TWITCH_SECONDS;
  const isAtEnd = range.endSeconds > film.endSeconds - TWITCH_SECONDS;
  const length = `${secondsOf(range).toFixed(1)} s`;
  if (isAtStart) return { code, severity: "info", message: `The film begins with ${length} of black.` };
  if (isAtEnd) return { code, severity: "info", message: `The film ends with ${length} of black.` };
  return { code, severity: "warning", message: `The picture is black for ${length}.` };
}

/** What is black is frozen too, and said already. */
function frozenFindings(
  frozen: readonly TimeRange[],
  black: readonly TimeRange[],
  film: TimeRange,
): Finding[] {
  const ranges = lastingRanges(frozen, film, LEAST_FROZEN_SECONDS, TWITCH_SECONDS).filter((range) => {
    const dark = black.map((one) => clipRange(one, range)).filter((one) => one !== null);
    return dark.reduce((sum, one) => sum + secondsOf(one), 0) < secondsOf(range) / 2;
  });
  return findingsAt(ranges, (range) => ({
    code: "freeze",
    severity: "warning",
    message: isWhole(range, film)
      ? "The picture does not move at all."
      : `The picture stands still for ${secondsOf(range).toFixed(1)} s.`,
  }));
}

function flashingFindings(flashing: readonly Flashing[]): Finding[] {
  return findingsAt(flashing, ({ share }) => ({
    code: "flashing",
    severity: share >= BLOCKING_SHARE ? "error" : "warning",
    message: `More than three flashes a second over ${Math.round(share * 100)} % of the picture may bring on seizures (limit: ${DANGEROUS_SHARE * 100} %).`,
  }));
}

function barFindings({ content, measuredSize, shownSize }: MeasuredPicture): Finding[] {
  if (content === null) return [];
  const bars = {
    across: (measuredSize.width - content.width) / measuredSize.width,
    down: (measuredSize.height - content.height) / measuredSize.height,
  };
  if (Math.max(bars.across, bars.down) < LEAST_BARS_SHARE) return [];
  const region = scaled(content, measuredSize, shownSize);
  const kind =
    bars.across < LEAST_BARS_SHARE
      ? "Black bars above and below"
      : bars.down < LEAST_BARS_SHARE
        ? "Black bars at the sides"
        : "Black bars all around";
  return [
    {
      code: "crop_bars",
      severity: "info",
      message: `${kind}: the picture in them is about ${region.width}×${region.height} at ${region.x},${region.y}.`,
      region,
    },
  ];
}

function scaled(region: Region, from: { width: number; height: number }, to: typeof from): Region {
  const across = to.width / from.width;
  const down = to.height / from.height;
  return {
    x: Math.round(region.x * across),
    y: Math.round(region.y * down),
    width: Math.round(region.width * across),
    height: Math.round(region.height * down),
  };
}

function combingFindings({ combedFrames, wholeFrames, isTakenForProgressive }: MeasuredPicture): Finding[] {
  if (!isTakenForProgressive || combedFrames < LEAST_COMBED_FRAMES || combedFrames <= wholeFrames) return [];
  const message =
    "Frames hold two moments each, in alternate lines, though the file does not say so: motion looks combed.";
  return [{ code: "combing", severity: "warning", message }];
}

function isWhole(range: TimeRange, film: TimeRange): boolean {
  return secondsOf(range) >= WHOLE_SHARE * secondsOf(film);
}
