import type { VideoRange } from "./ladder.ts";
import type { Rational } from "./rational.ts";
import { rational, toNumber } from "./rational.ts";
import type { SourceVideo } from "./source.ts";

/** What samples mean, in the words of ITU-T H.273 as ffmpeg spells them. */
export interface Colour {
  primaries: string;
  transfer: string;
  matrix: string;
}

/**
 * What is done to the picture before it is scaled. What goes out is 4:2:0, limited range, progressive, and says which
 * colours it has. A plan's own is standard dynamic range in 8 bits; `pictureFor` makes that of an HDR ladder from it.
 */
export interface PicturePlan {
  /** `fields`: every field becomes a frame, and the timeline has twice the master's rate; `frames`: every two. */
  deinterlace: "none" | "frames" | "fields";
  /** Which field of a frame is shown first; means nothing where nothing is deinterlaced. */
  topFieldFirst: boolean;
  /** The curve that is brought down to standard dynamic range. */
  toneMap: "none" | "pq" | "hlg";
  /** How the master's samples are read: what it says of them, and where it says nothing what players would assume. */
  input: Colour & { range: "limited" | "full"; isRgb: boolean };
  output: Colour & { bitDepth: 8 | 10 };
}

/** Rates that fields are worth being kept at: Apple HLS authoring 1.15, and 1.19's limit of 60. */
const FIELD_RATES: readonly Rational[] = [rational(50, 1), rational(60_000, 1001), rational(60, 1)];
/** Fewer lines than this no deinterlacer takes. */
const FEWEST_LINES = 4;

const BT709: Colour = { primaries: "bt709", transfer: "bt709", matrix: "bt709" };
/** HDR10 and HLG are BT.2020 by definition (ITU-R BT.2100; Apple HLS authoring 1.7). */
const WIDE = { primaries: "bt2020", matrix: "bt2020nc", bitDepth: 10 } as const;
/** Sent on as they are: every player knows them, and a conversion would only cost (docs/decisions/colour.md). */
const KEPT = {
  primaries: new Set(["bt709", "smpte170m", "bt470bg"]),
  transfer: new Set(["bt709", "smpte170m", "iec61966-2-1"]),
  matrix: new Set(["bt709", "smpte170m", "bt470bg"]),
};
/** What can be converted. Anything else that a file says is taken for not said. */
const CONVERTED = {
  primaries: new Set(["bt2020", "smpte240m", "film", "bt470m", "smpte431", "smpte432"]),
  matrix: new Set(["bt2020nc", "bt2020c", "smpte240m", "fcc"]),
};

/** Decides what becomes of the picture. Pure. */
export function planPicture(video: SourceVideo): PicturePlan {
  const input = inputColour(video);
  const toneMap = toneMapOf(video.colorTransfer);
  const isKept = toneMap === "none" && KEPT.primaries.has(input.primaries) && KEPT.matrix.has(input.matrix);
  return {
    deinterlace: deinterlaceOf(video),
    // H.273's order of display: tt and bt show the top field first, bb and tb the bottom one.
    topFieldFirst: video.fieldOrder === "tt" || video.fieldOrder === "bt",
    toneMap,
    input,
    output: isKept
      ? { primaries: input.primaries, transfer: input.transfer, matrix: input.matrix, bitDepth: 8 }
      : { ...BT709, bitDepth: 8 },
  };
}

/** The dynamic range that a master has: what an HDR ladder of it keeps. */
export function rangeOf({ toneMap }: PicturePlan): VideoRange {
  if (toneMap === "none") return "SDR";
  return toneMap === "pq" ? "PQ" : "HLG";
}

/** The picture of a ladder of this range: the plan's own, or the master's HDR left as it is. */
export function pictureFor(picture: PicturePlan, range: VideoRange): PicturePlan {
  if (range === "SDR") return picture;
  return { ...picture, toneMap: "none", output: { ...WIDE, transfer: picture.input.transfer } };
}

/** The timeline's rate and length: the master's, or twice both where fields become frames. */
export function shownTiming(
  video: SourceVideo,
  deinterlace: PicturePlan["deinterlace"],
): { frameRate: Rational; frameCount: number } {
  const factor = deinterlace === "fields" ? 2 : 1;
  const { num, den } = video.frameRate;
  return { frameRate: rational(num * factor, den), frameCount: video.frameCount * factor };
}

function deinterlaceOf(video: SourceVideo): PicturePlan["deinterlace"] {
  const isInterlaced = ["tt", "bb", "tb", "bt"].includes(video.fieldOrder);
  if (!isInterlaced || video.codedHeight < FEWEST_LINES) return "none";
  const fieldRate = 2 * toNumber(video.frameRate);
  return FIELD_RATES.some((rate) => Math.abs(toNumber(rate) - fieldRate) < 1e-6) ? "fields" : "frames";
}

/** Whether a curve is one of high dynamic range (ITU-R BT.2100). */
export function isHdrTransfer(transfer: string | null | undefined): boolean {
  return toneMapOf(transfer ?? null) !== "none";
}

function toneMapOf(transfer: string | null): PicturePlan["toneMap"] {
  if (transfer === "smpte2084") return "pq";
  return transfer === "arib-std-b67" ? "hlg" : "none";
}

function inputColour(video: SourceVideo): PicturePlan["input"] {
  const isRgb = /^(gbr|rgb|bgr|argb|abgr|0rgb|0bgr|pal8)/.test(video.pixelFormat);
  const isFull = isRgb || video.colorRange === "pc" || video.pixelFormat.startsWith("yuvj");
  const isHdr = isHdrTransfer(video.colorTransfer);
  const isWide = isHdr || video.colorPrimaries === "bt2020";
  // What Chromium, mpv and VLC assume of a picture that does not say.
  const isStandardDefinition = video.codedWidth < 1280 && video.codedHeight <= 576;
  const unsaidMatrix = isWide ? "bt2020nc" : isStandardDefinition && !isRgb ? "smpte170m" : "bt709";
  const matrix = known(video.colorSpace, KEPT.matrix, CONVERTED.matrix) ?? unsaidMatrix;
  const primaries =
    known(video.colorPrimaries, KEPT.primaries, CONVERTED.primaries) ??
    (isWide || matrix.startsWith("bt2020") ? "bt2020" : unsaidPrimaries(matrix, video.codedHeight));
  // BT.2020's curve for 10 and 12 bits is BT.709's; the rest of H.273's are read as it by every player.
  const transfer = isHdr ? video.colorTransfer! : (known(video.colorTransfer, KEPT.transfer) ?? "bt709");
  return { primaries, transfer, matrix, range: isFull ? "full" : "limited", isRgb };
}

/** The line count tells Europe's standard definition from America's; other sizes come from computers. */
function unsaidPrimaries(matrix: string, lines: number): string {
  if (matrix !== "smpte170m" && matrix !== "bt470bg") return "bt709";
  if (lines === 576) return "bt470bg";
  return lines === 480 || lines === 486 ? "smpte170m" : "bt709";
}

function known(value: string | null, ...sets: ReadonlySet<string>[]): string | null {
  return value !== null && sets.some((set) => set.has(value)) ? value : null;
}
