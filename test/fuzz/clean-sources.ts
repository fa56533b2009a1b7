import { bars } from "../rig/odd-media.ts";

/** Small good films, one for each container and way of writing it: what is damaged starts from these. */

const TINY = { size: "160x90", seconds: 2 } as const;
const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "1", "-g", "25", "-pix_fmt", "yuv420p"];
const AAC = ["-c:a", "aac", "-b:a", "48k"];

export const CLEAN_SOURCES: Readonly<Record<string, () => Promise<string>>> = {
  mp4: () => bars({ ...TINY, video: X264, sound: AAC, output: ["-movflags", "+faststart"] }),
  fmp4: () =>
    bars({
      ...TINY,
      video: X264,
      sound: AAC,
      output: ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
    }),
  mov: () =>
    bars({
      ...TINY,
      extension: "mov",
      video: ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
      sound: ["-c:a", "pcm_s16le"],
    }),
  mkv: () =>
    bars({
      ...TINY,
      extension: "mkv",
      video: [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none",
        "-pix_fmt",
        "yuv420p",
      ],
      sound: ["-c:a", "flac"],
    }),
  webm: () =>
    bars({
      ...TINY,
      extension: "webm",
      video: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "200k"],
      sound: ["-c:a", "libopus", "-b:a", "48k"],
    }),
  ts: () => bars({ ...TINY, extension: "ts", video: X264, sound: AAC }),
  avi: () =>
    bars({
      ...TINY,
      extension: "avi",
      video: ["-c:v", "mpeg4", "-q:v", "5"],
      sound: ["-c:a", "libmp3lame", "-b:a", "64k"],
    }),
  mxf: () =>
    bars({
      ...TINY,
      extension: "mxf",
      video: ["-c:v", "mpeg2video", "-q:v", "5", "-pix_fmt", "yuv420p"],
      sound: ["-c:a", "pcm_s16le"],
    }),
};
