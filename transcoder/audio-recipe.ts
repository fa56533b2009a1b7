import type { AudioTrack } from "../core/plan.ts";
import type { Source } from "../core/source.ts";
import { audioFrameCount, type Timeline } from "../core/timeline.ts";
import type { FfmpegRecipe } from "./ffmpeg-command.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/** ISO/IEC 14496-3: an AAC-LC frame holds 1024 samples. */
export const AAC_SAMPLES_PER_FRAME = 1024;
export const AUDIO_FILE = "/out/audio.mp4";

/**
 * The ffmpeg call that encodes one whole audio track. Once per title, never per chunk: every restart of the
 * encoder would add its priming and the sound would drift.
 */
export function audioRecipe(source: Source, timeline: Timeline, track: AudioTrack): FfmpegRecipe {
  return {
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error"],
    inputs: [{ options: [...SAFE_INPUT_OPTIONS, "-threads", "1"], file: "/in/source" }],
    filterGraph: `[0:${track.streamIndex}]${filters(source, timeline, track).join(",")}[a]`,
    outputs: [
      {
        options: [
          ...["-map", "[a]", "-c:a", "aac", "-b:a", String(track.bitrateBps), "-threads", "1"],
          ...["-map_metadata", "-1", "-map_chapters", "-1"],
          // Fragments of about a second: the file can be read back without a sample table. CMAF's brands and rules.
          ...["-f", "mp4", "-frag_duration", "1000000", "-use_editlist", "0"],
          ...["-movflags", "+empty_moov+default_base_moof+cmaf+skip_trailer"],
        ],
        file: AUDIO_FILE,
      },
    ],
  };
}

function filters(source: Source, timeline: Timeline, track: AudioTrack): string[] {
  const rate = track.sampleRateHz;
  const samples = audioFrameCount(timeline, rate, AAC_SAMPLES_PER_FRAME) * AAC_SAMPLES_PER_FRAME;
  const offset = source.video.startSeconds - source.video.fileStartSeconds;
  return [
    // Time zero is the first picture's, not the file's.
    ...(offset === 0 ? [] : [`asetpts=PTS-${offset.toFixed(6)}/TB`]),
    // Gaps and a late start become silence, sound before the first picture is dropped.
    `aresample=${rate}:async=1:first_pts=0`,
    "aformat=sample_fmts=fltp:channel_layouts=stereo",
    // The full length of the picture, also where the sound ends early.
    `apad=whole_len=${samples}`,
    // The encoder's 1024 samples of priming take the place of the first 1024 of the source: the first packet
    // is then at 0 and everything after it in sync (an edit list would leave it 21 ms late).
    `atrim=start_sample=${AAC_SAMPLES_PER_FRAME}:end_sample=${samples}`,
  ];
}
