/** What can be found in a master; pages have words for each in every language of theirs. */
export const FINDING_CODES = [
  "black",
  "combing",
  "crop_bars",
  "damage",
  "duration_mismatch",
  "flashing",
  "freeze",
  "gaps",
  "hdr",
  "ignored_streams",
  "interlaced",
  "long_audio",
  "loudness",
  "missing_audio",
  "odd_sample_aspect",
  "rotated",
  "short_audio",
  "silence",
  "subtitle_not_convertible",
  "variable_frame_rate",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];
