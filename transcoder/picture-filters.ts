import type { Speed } from "../core/encoding.ts";
import type { PicturePlan } from "../core/picture.ts";

/**
 * The filter that makes a rung's pictures of the next larger one's (docs/decisions/per-title.md). Bicubic blurs what Lanczos keeps, which costs the smaller rungs a thirtieth
 * to an eighth of their bits on camera and animation. swscale's Lanczos costs half as much again as its bicubic, zimg's less than either for
 * a point or so more bits: that is for the speed whose CPU counts most.
 */
export function makeSmaller(width: number, height: number, speed: Speed): string {
  // Of frames that are limited, tagged and even already: it then touches nothing but the size.
  if (speed === "fast") return `zscale=${width}:${height}:filter=lanczos:dither=none`;
  return `scale=${width}:${height}:flags=${SWSCALE[speed]}`;
}

/** swscale's way; at `fast` from the master to the top rung alone, which most often has its size: it takes every layout, range and odd size. */
const SWSCALE: Readonly<Record<Speed, string>> = { fast: "bicubic", balanced: "lanczos", small: "lanczos" };

/**
 * Whole frames from fields. `all`: also frames that are not flagged, since every frame must give the same number.
 * The parity is the plan's, for files whose frames do not carry the flag that their container does.
 */
export function deinterlaceFilters({ deinterlace, topFieldFirst }: PicturePlan): string[] {
  if (deinterlace === "none") return [];
  const mode = deinterlace === "fields" ? "send_field" : "send_frame";
  return [`bwdif=mode=${mode}:parity=${topFieldFirst ? "tff" : "bff"}:deint=all`];
}

/**
 * Scales to `width`×`height`, then turns the master's colours into the plan's: scaling first means that the
 * costly part is never done for more pixels than go out.
 */
export function colourFilters(picture: PicturePlan, width: number, height: number, speed: Speed): string[] {
  const { input, output, toneMap } = picture;
  const isConverted =
    toneMap !== "none" || input.primaries !== output.primaries || input.matrix !== output.matrix;
  const pixelFormat = pixelFormatOf(picture);
  return [
    // Full range, and RGB, become limited here.
    [
      `scale=${width}:${height}:flags=${SWSCALE[speed]}:in_range=${input.range}:out_range=limited`,
      ...(input.isRgb ? [`out_color_matrix=${input.matrix.startsWith("bt2020") ? "bt2020" : "bt709"}`] : []),
    ].join(":"),
    // Square pixels: the sample aspect has been scaled away.
    "setsar=1",
    ...(isConverted ? conversion(picture) : []),
    // 4:2:0, the one layout that every player decodes, in 8 bits; HDR needs ten.
    `format=${pixelFormat}`,
    // What the encoder writes into the stream and the box: frames keep the master's tags otherwise.
    `setparams=range=limited:color_primaries=${output.primaries}:color_trc=${output.transfer}:colorspace=${output.matrix}:field_mode=prog`,
  ];
}

/** ffmpeg's name for the layout that goes out. */
function pixelFormatOf({ output }: PicturePlan): string {
  return output.bitDepth === 10 ? "yuv420p10le" : "yuv420p";
}

/** BT.2020 and other gamuts, and high dynamic range, to BT.709; or a wide gamut to BT.2020, its curve kept. */
function conversion({ input, output, toneMap }: PicturePlan): string[] {
  const read = `matrixin=${input.matrix}:primariesin=${input.primaries}:transferin=${input.transfer}:rangein=limited`;
  const write = `matrix=${output.matrix}:transfer=${output.transfer}:range=limited:dither=ordered`;
  // Ten bits into the conversion: eight would band in the darks that it stretches.
  if (toneMap === "none")
    return ["format=yuv420p10le", `zscale=${read}:primaries=${output.primaries}:${write}`];
  return [
    "format=yuv420p10le",
    // Linear light in units of 100 cd/m², what standard dynamic range calls white.
    `zscale=${read}:transfer=linear:npl=100`,
    // Light above white needs floating point.
    "format=gbrpf32le",
    `zscale=primaries=${output.primaries}`,
    // 1,000 cd/m², what most masters are graded on, becomes white; the curve of film below it, hues kept.
    "tonemap=tonemap=hable:peak=10:desat=0",
    `zscale=${write}`,
    // What the master was graded on is no longer true; newer encoders would write it into the stream.
    "sidedata=mode=delete",
  ];
}

/** The encoder's own word on colour, for its headers and the file's `colr` box. */
export function colourTags({ output }: PicturePlan): string[] {
  return [
    ...["-color_primaries", output.primaries, "-color_trc", output.transfer],
    ...["-colorspace", output.matrix, "-color_range", "tv"],
  ];
}
