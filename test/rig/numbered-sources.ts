import type { AssetFailureCode } from "../../core/errors.ts";
import { made } from "./media.ts";
import { BRIGHT, DARK, type NumberedPicture, numbered, type Reading } from "./numbered.ts";

/** One master, small and numbered, and what the top rung of its package must be. */
export interface OddSource {
  name: string;
  file(): Promise<string>;
  /** Bytes left off at the beginning. */
  cut?: number;
  failure?: AssetFailureCode;
  size: string;
  rate: string;
  frames: number;
  /** It is to cross a border of chunks. */
  isOverChunks: boolean;
  /** The number that frame `index` of the output shows; of large ones the last ten bits. */
  numberOf(index: number): number;
  /** false: re-timed frames, which may stand one off where two are equally near. */
  isExact: boolean;
  /** Primaries, transfer, matrix. */
  colour: string;
  levels: [number, number];
  reading?: Reading;
}

interface Recipe extends Partial<Omit<OddSource, "name" | "file">> {
  extension?: string;
  picture?: Partial<NumberedPicture>;
  output?: string[];
  /** Copies what was made into another file, with these options before `-i` and after it. */
  copy?: { before?: string[]; after: string[]; extension?: string };
}

const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", "-pix_fmt", "yuv420p"];
const X265 = ["-c:v", "libx265", "-preset", "ultrafast"];
const HEVC = (extra: string, pixelFormat: string): string[] => [
  ...[...X265, "-x265-params", `log-level=none:qp=18:${extra}`, "-pix_fmt", pixelFormat, "-tag:v", "hvc1"],
];
/**
 * At 25 a second three segments and more than half of a fourth, which is two chunks where a keyframe stands near their border. A
 * multiple of three: of frames at uneven times the last then stands as long as the others.
 */
const TWO_CHUNKS = 531;
const OVER_CHUNKS = /over two chunks/;
/** Eight tenths of a second of it before the border: decoded, and not in the chunk. */
const NEAR_BORDER = ["-g", "70"];
const TICK_A_FRAME = ["-video_track_timescale", "25"];
/** No keyframes between, whatever the pictures do. Where a programme stream leaves times out, ffmpeg guesses them by the groups. */
const AT_THEIR_PLACES = ["-sc_threshold", "1000000000"];
/** Small pictures that say nothing are read as standard definition. */
const UNSAID = "bt709 bt709 smpte170m";
const HD = "bt709 bt709 bt709";
const topFirst = { lineOf: (index: number) => (index % 2) as 0 | 1 };
const bottomFirst = { lineOf: (index: number) => (1 - (index % 2)) as 0 | 1 };
const INTERLACED = ["-flags", "+ildct+ilme"];
const tagged = (primaries: string, transfer: string, matrix: string): string[] => [
  ...["-color_primaries", primaries, "-color_trc", transfer, "-colorspace", matrix],
];

function source(name: string, recipe: Recipe = {}): OddSource {
  const { extension = "mp4", picture = {}, output = X264, copy, ...expected } = recipe;
  const input: NumberedPicture = { frames: 50, ...picture };
  const size = input.size ?? "160x90";
  const rate = input.rate ?? "25";
  return {
    name,
    async file() {
      const file = await made(extension, [...numbered(input), ...output, "{out}"]);
      if (copy === undefined) return file;
      const args = [...(copy.before ?? []), "-i", file, "-c", "copy", ...copy.after, "{out}"];
      return made(copy.extension ?? extension, args);
    },
    size,
    rate: rate.includes("/") ? rate : `${rate}/1`,
    frames: input.frames,
    numberOf: (index) => index,
    isOverChunks: OVER_CHUNKS.test(name),
    isExact: true,
    colour: UNSAID,
    levels: [input.dark ?? DARK, input.bright ?? BRIGHT],
    ...expected,
  };
}

const fields = (order: "tff" | "bff", rate: string, frames: number): Partial<NumberedPicture> => ({
  frames,
  rate,
  filters: `interlace=scan=${order}:lowpass=off`,
});

export const SOURCES: readonly OddSource[] = [
  source("H.264 MP4 over two chunks", { picture: { frames: TWO_CHUNKS }, output: [...X264, ...NEAR_BORDER] }),
  source("25i archive: MPEG-2 TS, top field first, over two chunks", {
    extension: "ts",
    picture: fields("tff", "50", 2 * TWO_CHUNKS),
    output: ["-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", ...INTERLACED, "-top", "1"],
    reading: topFirst,
  }),
  source("29.97i: H.264 MP4, bottom field first, over two chunks", {
    picture: { ...fields("bff", "60000/1001", 1272), size: "160x96" },
    output: [...X264, ...INTERLACED, "-g", "60", "-x264-params", "bff=1"],
    reading: bottomFirst,
  }),
  source("H.264 MOV with a tick a frame, a keyframe before the border, over two chunks", {
    extension: "mov",
    picture: { frames: TWO_CHUNKS },
    output: [...X264, ...NEAR_BORDER, ...TICK_A_FRAME],
  }),
  source("H.264 MOV with a tick a frame, an open group at the border, over two chunks", {
    extension: "mov",
    picture: { frames: TWO_CHUNKS },
    output: [...X264, "-bf", "3", "-g", "50", "-x264-params", "open-gop=1", ...TICK_A_FRAME],
  }),
  source("25i: ProRes MOV", {
    extension: "mov",
    picture: fields("tff", "50", 100),
    output: ["-c:v", "prores_ks", "-profile:v", "2", ...INTERLACED, "-top", "1"],
    reading: topFirst,
  }),
  source("MPEG-2 TS, long groups, over two chunks", {
    extension: "ts",
    picture: { frames: TWO_CHUNKS },
    output: ["-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", ...NEAR_BORDER, ...AT_THEIR_PLACES],
  }),
  source("MPEG-2 PS over two chunks", {
    extension: "mpg",
    picture: { frames: TWO_CHUNKS },
    output: ["-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "15", ...AT_THEIR_PLACES],
  }),
  source("MPEG-2 PS, groups of uneven length, over two chunks", {
    extension: "mpg",
    picture: { frames: TWO_CHUNKS },
    output: ["-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "15"],
  }),
  source("H.264 TS, open groups, over two chunks", {
    extension: "ts",
    picture: { frames: TWO_CHUNKS },
    output: [...X264, "-bf", "3", "-g", "70", "-x264-params", "open-gop=1:b-pyramid=normal"],
  }),
  source("H.264 MP4, open groups, over two chunks", {
    picture: { frames: TWO_CHUNKS },
    output: [...X264, "-bf", "3", "-g", "70", "-x264-params", "open-gop=1"],
  }),
  source("HEVC MP4, open groups, over two chunks", {
    picture: { frames: TWO_CHUNKS },
    output: HEVC("open-gop=1:keyint=70:min-keyint=70:bframes=3", "yuv420p"),
  }),
  source("H.264 TS cut in the middle of a group", {
    extension: "ts",
    picture: { frames: 100 },
    output: [...X264, "-g", "30", "-bf", "2"],
    cut: 188 * 20,
    frames: 70,
    numberOf: (index) => index + 30,
  }),
  source("frames at uneven times", {
    extension: "mkv",
    picture: { frames: 100, filters: "settb=1/1000,setpts='PTS+0.012*mod(N,3)/TB'" },
    output: [...X264, "-fps_mode", "passthrough", "-enc_time_base", "1:1000"],
    // The container lets the last frame stand for 4 ms only.
    frames: 99,
    isExact: false,
  }),
  source("frames at uneven times, over two chunks", {
    extension: "mkv",
    picture: { frames: TWO_CHUNKS, filters: "settb=1/1000,setpts='PTS+0.012*mod(N,3)/TB'" },
    output: [...X264, ...NEAR_BORDER, "-fps_mode", "passthrough", "-enc_time_base", "1:1000"],
    isExact: false,
  }),
  source("25i: H.264 TS over two chunks", {
    extension: "ts",
    picture: { ...fields("tff", "50", 2 * TWO_CHUNKS), size: "160x96" },
    output: [...X264, ...INTERLACED, ...NEAR_BORDER, "-bf", "2", "-x264-params", "tff=1:open-gop=1"],
    reading: topFirst,
  }),
  source("120 frames a second, halved", {
    picture: { frames: 240, rate: "120" },
    rate: "60/1",
    frames: 120,
    numberOf: (index) => 2 * index,
    isExact: false,
  }),
  source("a clock that begins at ten seconds", {
    extension: "ts",
    output: [...X264, "-muxdelay", "0", "-output_ts_offset", "10"],
  }),
  source("the first second hidden by an edit list", {
    picture: { frames: 100 },
    output: [...X264, "-g", "100", "-bf", "0"],
    copy: { before: ["-ss", "1"], after: [] },
    frames: 75,
    numberOf: (index) => index + 25,
  }),
  ...([90, 180, 270] as const).map((degrees) =>
    source(`turned by ${degrees}°`, {
      copy: { after: ["-metadata:s:v:0", `rotate=${degrees}`] },
      size: degrees === 180 ? "160x90" : "90x160",
      // ffmpeg writes the tag as a turn to the left.
      reading: { rotationDegrees: (360 - degrees) as 90 | 180 | 270 },
    }),
  ),
  source("anamorphic PAL", {
    picture: { frames: 12, size: "720x576", filters: "setsar=64/45" },
    size: "960x540",
    colour: "bt470bg bt709 smpte170m",
  }),
  source("odd sizes", {
    picture: { size: "321x181" },
    output: ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", "-pix_fmt", "yuv444p"],
    size: "320x180",
  }),
  source("64 pixels", { picture: { size: "64x64" } }),
  source("one frame", { picture: { frames: 1 }, levels: [DARK, DARK] }),
  source("half a second", { picture: { frames: 12 } }),
  source("179/6 frames a second", { picture: { rate: "179/6", frames: 60 } }),
  source("23.976", { picture: { rate: "24000/1001", frames: 48 } }),
  source("59.94", { picture: { rate: "60000/1001", frames: 120 } }),
  source("60", { picture: { rate: "60", frames: 120 } }),
  source("VP9 WebM", { extension: "webm", output: ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-b:v", "1M"] }),
  source("AV1 WebM", { extension: "webm", output: ["-c:v", "libsvtav1", "-preset", "12", "-crf", "20"] }),
  source("VP8 WebM", {
    extension: "webm",
    output: ["-c:v", "libvpx", "-cpu-used", "8", "-b:v", "1M"],
    isExact: false,
  }),
  source("ProRes 422 MOV, 10 bit", { extension: "mov", output: ["-c:v", "prores_ks", "-profile:v", "2"] }),
  source("DNxHR MXF over two chunks", {
    extension: "mxf",
    picture: { size: "320x180", frames: TWO_CHUNKS },
    output: ["-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p"],
    colour: HD,
  }),
  source("MPEG-4 AVI over two chunks", {
    extension: "avi",
    picture: { frames: TWO_CHUNKS },
    output: ["-c:v", "mpeg4", "-q:v", "2", "-bf", "2", "-g", "40"],
  }),
  source("MJPEG AVI, full range", {
    extension: "avi",
    picture: { dark: 0, bright: 255 },
    output: [
      "-vf",
      "scale=in_range=full:out_range=full",
      "-c:v",
      "mjpeg",
      "-q:v",
      "2",
      "-pix_fmt",
      "yuvj420p",
    ],
    colour: "bt709 bt709 bt470bg",
    levels: [16, 235],
  }),
  source("full range H.264", {
    picture: { dark: 0, bright: 255 },
    output: ["-vf", "scale=in_range=full:out_range=full", ...X264, "-color_range", "pc"],
    levels: [16, 235],
  }),
  source("PAL's colours, tagged, kept", {
    output: [...X264, ...tagged("bt470bg", "bt709", "bt470bg")],
    colour: "bt470bg bt709 bt470bg",
  }),
  source("BT.709, tagged, kept", { output: [...X264, ...tagged("bt709", "bt709", "bt709")], colour: HD }),
  source("BT.2020 in standard range becomes BT.709", {
    output: [...HEVC("colorprim=bt2020:transfer=bt2020-10:colormatrix=bt2020nc", "yuv420p10le")],
    colour: HD,
  }),
  source("HDR10 becomes standard range", {
    picture: { dark: 16, bright: 143 },
    output: HEVC("colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc", "yuv420p10le"),
    colour: HD,
    levels: [16, 181],
  }),
  source("HLG becomes standard range", {
    picture: { dark: 16, bright: 180 },
    output: HEVC("colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc", "yuv420p10le"),
    colour: HD,
    levels: [16, 181],
  }),
  source("4:2:2, 10 bit H.264", { output: [...X264, "-pix_fmt", "yuv422p10le"] }),
  source("4:4:4 H.264", { output: [...X264, "-pix_fmt", "yuv444p"] }),
  source("12 bit HEVC", { output: HEVC("keyint=25", "yuv420p12le") }),
  source("RGB in FFV1", {
    extension: "mkv",
    output: ["-c:v", "ffv1", "-pix_fmt", "gbrp"],
    colour: HD,
  }),
  source("odd sizes in HEVC, 10 bit, full range", {
    picture: { size: "211x119", dark: 0, bright: 255 },
    output: [
      ...["-vf", "scale=in_range=full:out_range=full"],
      ...HEVC("range=full", "yuv444p10le"),
      ...["-color_range", "pc"],
    ],
    size: "210x118",
    levels: [16, 235],
  }),
  source("20 pixels", { picture: { size: "20x20" } }),
  source("4K comes down to 1080p in H.264", {
    picture: { frames: 6, filters: "scale=3840:2160:flags=neighbor" },
    size: "1920x1080",
    colour: HD,
  }),
  source("upright anamorphic, turned by 90°", {
    picture: { size: "120x90", filters: "setsar=4/3" },
    copy: { after: ["-metadata:s:v:0", "rotate=90"] },
    size: "90x160",
    reading: { rotationDegrees: 270 },
  }),
  source("pixels higher than wide", { picture: { size: "160x90", filters: "setsar=3/4" }, size: "120x90" }),
  source("a still: one MJPEG frame in MOV", {
    extension: "mov",
    picture: { frames: 1, dark: 0, bright: 255 },
    output: [
      ...["-vf", "scale=in_range=full:out_range=full", "-c:v", "mjpeg", "-q:v", "2"],
      ...["-pix_fmt", "yuvj420p"],
    ],
    colour: "bt709 bt709 bt470bg",
    levels: [16, 16],
  }),
  source("a still: one PNG in MOV", {
    extension: "mov",
    picture: { frames: 1 },
    output: ["-c:v", "png"],
    failure: "unsupported_codec",
  }),
  source("two frames in MKV", { extension: "mkv", picture: { frames: 2 }, levels: [DARK, DARK] }),
  source("12.5 frames a second", { picture: { rate: "25/2" } }),
  source("48", { picture: { rate: "48", frames: 96 } }),
  source("90 frames a second, halved", {
    picture: { frames: 180, rate: "90" },
    rate: "45/1",
    frames: 90,
    numberOf: (index) => 2 * index,
    isExact: false,
  }),
  source("HEVC TS, open groups, cut in the middle of one", {
    extension: "ts",
    picture: { frames: 100 },
    output: HEVC("open-gop=1:keyint=30:min-keyint=30:bframes=3", "yuv420p"),
    cut: 188 * 30,
    frames: 70,
    numberOf: (index) => index + 30,
  }),
  source("HEVC MKV over two chunks", {
    extension: "mkv",
    picture: { frames: TWO_CHUNKS },
    output: HEVC("keyint=60:bframes=3", "yuv420p"),
  }),
  source("25i: H.264 MKV, entered each second, over two chunks", {
    extension: "mkv",
    picture: { ...fields("tff", "50", 2 * TWO_CHUNKS), size: "160x96" },
    output: [...X264, ...INTERLACED, "-top", "1", "-bf", "2", "-g", "25", "-x264-params", "tff=1"],
    reading: topFirst,
  }),
  source("AV1 MP4, 10 bit", {
    output: ["-c:v", "libsvtav1", "-preset", "12", "-crf", "20", "-pix_fmt", "yuv420p10le"],
  }),
  source("VP9 MKV, 4:4:4, 10 bit", {
    extension: "mkv",
    output: ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-b:v", "1M", "-pix_fmt", "yuv444p10le"],
  }),
  source("MPEG-2 MXF, 4:2:2", {
    extension: "mxf",
    picture: { size: "320x180", filters: "format=yuv422p" },
    output: ["-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12", "-pix_fmt", "yuv422p"],
  }),
  source("DNxHR HQX MOV, 10 bit", {
    extension: "mov",
    picture: { size: "320x180" },
    output: ["-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p10le"],
    colour: HD,
  }),
  source("ProRes 4444 with alpha, MOV", {
    extension: "mov",
    output: ["-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le"],
  }),
  source("H.264 AVI", { extension: "avi", output: [...X264, "-bf", "0"] }),
  source("MPEG-4 MOV", { extension: "mov", output: ["-c:v", "mpeg4", "-q:v", "2", "-bf", "2"] }),
  source("grey alone", {
    output: ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "18", "-pix_fmt", "gray"],
  }),
  source("America's colours, tagged, kept", {
    output: [...X264, ...tagged("smpte170m", "smpte170m", "smpte170m")],
    colour: "smpte170m smpte170m smpte170m",
  }),
  source("P3 becomes BT.709", {
    output: [...X264, ...tagged("smpte432", "bt709", "bt709")],
    colour: HD,
  }),
  source("a codec that is not taken", {
    extension: "avi",
    output: ["-c:v", "huffyuv", "-pix_fmt", "yuv422p"],
    failure: "unsupported_codec",
  }),
];
