import { readFile } from "node:fs/promises";
import { bars } from "./odd-media.ts";

/** Fragmented MP4 of one track as ffmpeg writes it for us: a fragment per keyframe, the grid's flags. */
export async function fragmentedVideo(
  encoder: readonly string[] = [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-x264-params",
    "keyint=25:scenecut=0",
  ],
): Promise<Uint8Array> {
  const path = await bars({
    seconds: 3,
    audio: false,
    video: [...encoder, "-pix_fmt", "yuv420p", "-video_track_timescale", "25000", "-use_editlist", "0"],
    output: ["-movflags", "+frag_keyframe+empty_moov+default_base_moof+cmaf+frag_discont+skip_trailer"],
  });
  return readFile(path);
}

/** The same for sound. */
export async function fragmentedAudio(): Promise<Uint8Array> {
  const path = await bars({
    seconds: 3,
    video: ["-vn"],
    output: ["-frag_duration", "500000", "-movflags", "+empty_moov+default_base_moof+skip_trailer"],
  });
  return readFile(path);
}
