import { SOUND_FORMATS } from "../core/accepted-media.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import type { Stretch } from "../core/proof.ts";
import { isIndexed, type Source } from "../core/source.ts";
import type { TimeWindow } from "../core/source-window.ts";
import { audioFrameCount, type Timeline } from "../core/timeline.ts";
import { fixedZero } from "./chunk-entry.ts";
import { type FfmpegRecipe, STDOUT } from "./ffmpeg-command.ts";
import { type LevelChange, PEAK_CEILING_DBTP } from "./loudness.ts";
import { SAFE_INPUT_OPTIONS } from "./video-recipe.ts";

/** ISO/IEC 14496-3: an AAC-LC frame holds 1024 samples. */
export const AAC_SAMPLES_PER_FRAME = 1024;
export const AUDIO_FILE = "/out/audio.mp4";

/** What may open a file of sound beside the master. Of an option that is given twice the last counts. */
export const SOUND_INPUT_OPTIONS = [...SAFE_INPUT_OPTIONS, "-format_whitelist", SOUND_FORMATS.join(",")];

function inputOptions(source: Source, { file }: AudioTrack): readonly string[] {
  return file === null ? [...SAFE_INPUT_OPTIONS, ...fixedZero(source)] : SOUND_INPUT_OPTIONS;
}

/** Sound that nothing is done to. */
export const AS_IT_IS: LevelChange = { gainDb: 0, isLimited: false };

/** The summary that ebur128 logs at its end needs this level; its line for each tenth of a second is a level below. */
const GLOBAL_OPTIONS = ["-hide_banner", "-nostdin", "-nostats", "-v", "info"];
/**
 * The meter's filters ring on in digital silence at levels below any normal number, over which a processor takes many times as long
 * (docs/decisions/audio.md). So it is given -351 dB there, up and down in turn: less than any other sample can show, and nothing to an encoder.
 */
const METER = "adenorm=type=ac,ebur128=framelog=verbose";
/** Digital silence and what dither leaves of it; logs each stretch of two seconds or more when it ends. */
const SILENCE = "silencedetect=n=-60dB:d=2";

/** The ffmpeg call that measures one whole track as it will be encoded, but for the gain that follows from it. */
export function loudnessRecipe(source: Source, timeline: Timeline, track: AudioTrack): FfmpegRecipe {
  const filters = [...placed(source, track), whole(timeline, track), `${METER}:peak=true`];
  return {
    globalOptions: GLOBAL_OPTIONS,
    inputs: [{ options: [...inputOptions(source, track), "-threads", "1"], file: "/in/source" }],
    filterGraph: `[0:${track.streamIndex}]${filters.join(",")}[a]`,
    outputs: [{ options: ["-map", "[a]", "-f", "null"], file: STDOUT }],
  };
}

/**
 * The ffmpeg call that encodes one whole audio track. Once per title, never per chunk: every restart of the
 * encoder would add its priming and the sound would drift. It measures what it encodes.
 */
export function audioRecipe(
  source: Source,
  timeline: Timeline,
  track: AudioTrack,
  change: LevelChange,
): FfmpegRecipe {
  const filters = [
    ...placed(source, track),
    // Before the level is changed: what is told is told of the source.
    SILENCE,
    ...levelled(track, change),
    whole(timeline, track),
    // On the timeline as it will be played: BS.1770's blocks stand at fixed times.
    METER,
    // The encoder's 1024 samples of priming take the place of the first 1024 of the source: the first packet
    // is then at 0 and everything after it in sync (an edit list would leave it 21 ms late).
    `atrim=start_sample=${AAC_SAMPLES_PER_FRAME}`,
  ];
  return {
    globalOptions: GLOBAL_OPTIONS,
    inputs: [{ options: [...inputOptions(source, track), "-threads", "1"], file: "/in/source" }],
    filterGraph: `[0:${track.streamIndex}]${filters.join(",")}[a]`,
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

/** Sound is read from the picture's keyframe on, by whose time ffmpeg enters the file, and a little more. */
const ENTRY_SECONDS = 0.5;
const TAIL_SECONDS = 1.5;

/** The time on the file's own clock in which sound is read for a stretch. */
export function stretchWindow({ startSeconds, seconds }: Stretch, { video }: Source): TimeWindow {
  const keyframe = video.keyframeSeconds.findLast((time) => time <= startSeconds) ?? 0;
  return {
    startSeconds: video.startSeconds + keyframe - ENTRY_SECONDS,
    endSeconds: video.startSeconds + startSeconds + seconds + TAIL_SECONDS,
  };
}

/** Whether a stretch can be entered: of a file without an index only its beginning can. */
export function canEnter(source: Source, { startSeconds }: Stretch): boolean {
  return startSeconds === 0 || isIndexed(source);
}

/**
 * The ffmpeg call that decodes stretches of every track as it would be encoded at its own level, each into the output
 * that `outputOf` gives for a link of the graph, the track and the stretch. All of the stretches must be ones that can be entered.
 */
export function stretchesRecipe(
  source: Source,
  tracks: readonly AudioTrack[],
  stretches: readonly Stretch[],
  outputOf: (link: string, track: AudioTrack, stretch: number) => FfmpegRecipe["outputs"][number],
): FfmpegRecipe {
  const cuts = stretches.flatMap((stretch, input) =>
    tracks.map((track, index) => ({ stretch, input, track, link: `[m${input}-${index}]` })),
  );
  const chains = cuts.map(({ stretch: { startSeconds, seconds }, input, track, link }) => {
    const filters = [
      ...placed(source, track, startSeconds === 0 ? offsetSeconds(source) : 0),
      `apad,atrim=duration=${seconds.toFixed(6)}`,
    ];
    return `[${input}:${track.streamIndex}]${filters.join(",")}${link}`;
  });
  return {
    globalOptions: ["-hide_banner", "-nostdin", "-v", "error", "-filter_complex_threads", "1"],
    inputs: stretches.map((stretch) => ({ options: stretchOptions(source, stretch), file: "/in/source" })),
    filterGraph: chains.join(";"),
    outputs: cuts.map(({ link, track, input }) => outputOf(link, track, input)),
  };
}

function stretchOptions(source: Source, { startSeconds, seconds }: Stretch): string[] {
  const isStart = startSeconds === 0;
  const offset = offsetSeconds(source);
  return [
    ...[...SAFE_INPUT_OPTIONS, ...fixedZero(source), "-threads", "1"],
    ...(isStart ? [] : ["-ss", (startSeconds + offset).toFixed(6)]),
    // A second more than is wanted: sound may begin before the picture does.
    ...["-t", (seconds + Math.max(0, isStart ? offset : 0) + 1).toFixed(6)],
  ];
}

function offsetSeconds({ video }: Source): number {
  return video.startSeconds - video.fileStartSeconds;
}

/** The track at its rate and with its channels, every sample at its time. */
function placed(
  source: Source,
  track: AudioTrack,
  offset = track.file === null ? offsetSeconds(source) : 0,
): string[] {
  return [
    // Time zero is the first picture's, not the file's; a file of its own begins with the film.
    ...(offset === 0 ? [] : [`asetpts=PTS-${offset.toFixed(6)}/TB`]),
    // Gaps and a late start become silence, sound before the first picture is dropped.
    `aresample=${track.sampleRateHz}:async=1:first_pts=0`,
    ...channels(track),
  ];
}

function channels(track: AudioTrack): string[] {
  const layout = track.channels === 6 ? "5.1" : "stereo";
  // ffmpeg's own way from mono to stereo makes it 3 dB quieter.
  return [
    ...(track.sourceChannels === 1 ? ["pan=stereo|c0=c0|c1=c0"] : []),
    `aformat=sample_fmts=fltp:channel_layouts=${layout}`,
  ];
}

function levelled(track: AudioTrack, { gainDb, isLimited }: LevelChange): string[] {
  if (gainDb === 0) return [];
  const ceiling = 10 ** (PEAK_CEILING_DBTP / 20);
  return [
    `volume=${gainDb.toFixed(2)}dB`,
    ...(isLimited
      ? [
          // Four times the rate: a limiter sees samples, and the true peak lies between them (BS.1770 annex 2).
          `aresample=${track.sampleRateHz * 4}`,
          // `level`: it would otherwise raise everything again. `latency`: its look-ahead would delay the sound.
          `alimiter=limit=${ceiling.toFixed(4)}:level=false:latency=true`,
          `aresample=${track.sampleRateHz}`,
        ]
      : []),
  ];
}

/** The full length of the picture and no more, also where the sound ends early. */
function whole(timeline: Timeline, track: AudioTrack): string {
  const frames = audioFrameCount(timeline, track.sampleRateHz, AAC_SAMPLES_PER_FRAME);
  const samples = frames * AAC_SAMPLES_PER_FRAME;
  return `apad=whole_len=${samples},atrim=end_sample=${samples}`;
}
