/** What a master may be made of. One table for the probe's answers and for what ffmpeg may open at all. */

/** Demuxers that may open a master: a playlist or script named .mp4 is refused before it is read (T01). */
export const ACCEPTED_FORMATS: readonly string[] = "mov matroska avi mpegts mpeg mxf ogg asf flv".split(" ");

/** The same in people's words. */
export const ACCEPTED_CONTAINERS = "MP4, MOV, MKV, WebM, MPEG-TS, MPEG-PS, MXF, AVI, OGG, ASF, FLV";

/** Demuxers that may open a file of sound beside the master: those, and what holds sound alone. */
export const SOUND_FORMATS: readonly string[] = [
  ...ACCEPTED_FORMATS,
  ..."wav w64 aiff flac mp3 aac ac3 eac3".split(" "),
];

/** ffprobe's `codec_name` of a picture that is taken. */
export const VIDEO_CODECS: ReadonlySet<string> = new Set(
  "h264 hevc av1 vp8 vp9 mpeg1video mpeg2video mpeg4 msmpeg4v3 mjpeg prores dnxhd ffv1 rawvideo v210 theora wmv3 vc1 h263 flv1 dvvideo".split(
    " ",
  ),
);

/** ffprobe's `codec_name` of a sound that is taken. */
export const AUDIO_CODECS: ReadonlySet<string> = new Set(
  [
    "aac aac_latm mp1 mp2 mp3 ac3 eac3 opus vorbis flac alac dts truehd wmav2 wmapro",
    "pcm_u8 pcm_s8 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be pcm_f32le pcm_f32be",
    "pcm_f64le pcm_f64be pcm_alaw pcm_mulaw pcm_bluray pcm_dvd",
  ]
    .join(" ")
    .split(" "),
);

/** ffprobe's `codec_name` of a subtitle that is text. All others are pictures of text, or need fonts of their own. */
export const TEXT_CODECS: ReadonlySet<string> = new Set("subrip srt ass ssa mov_text webvtt text".split(" "));

/** Decoders whose name is not their codec's, and those of tracks that are listed but never decoded into a title. */
const OTHER_DECODERS = [
  "libdav1d libaom-av1 libvpx libvpx-vp9 msmpeg4 flv mp1float mp2float mp3float dca libopus libvorbis",
  // Text and bitmap subtitles: ffprobe opens their decoders to list them.
  "ass ssa srt subrip text webvtt mov_text dvdsub dvbsub pgssub cc_dec libzvbi_teletextdec",
  // Cover art.
  "png",
];

/**
 * Decoders that may be opened on a master (T05): a rare one is a large target that no master needs. A file with
 * any other is refused before a byte of it is decoded.
 */
export const ACCEPTED_DECODERS: readonly string[] = [
  ...VIDEO_CODECS,
  ...AUDIO_CODECS,
  ...OTHER_DECODERS.join(" ").split(" "),
];
