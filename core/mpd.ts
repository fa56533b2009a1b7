import type { MeasuredBitrate } from "./bitrate.ts";
import { type ContentProtection, protectionElements } from "./clear-key.ts";
import type { VideoRange } from "./ladder.ts";
import { audioSet, textSet, videoSet } from "./mpd-sets.ts";
import type { Colour } from "./picture.ts";
import { type Rational, secondsText } from "./rational.ts";
import type { AudioRole, SubtitleRole } from "./source.ts";
import { element } from "./xml.ts";

/** One video representation: a rung of the ladder. `id` names its folder. */
export interface MpdVideo {
  id: string;
  /** Representations of one ladder may replace one another anywhere. */
  ladderId: string;
  codec: string;
  range: VideoRange;
  colour: Colour;
  width: number;
  height: number;
  timescale: number;
  /** Of each segment, in order, in ticks. */
  durationTicks: readonly number[];
  measured: MeasuredBitrate;
}

/** One sound track. `id` names its folder. */
export interface MpdAudio {
  id: string;
  codec: string;
  language: string;
  label: string;
  role: AudioRole;
  channels: number;
  sampleRateHz: number;
  timescale: number;
  durationTicks: readonly number[];
  measured: MeasuredBitrate;
}

/** One text track, as the one file that it is for DASH players. */
export interface MpdText {
  id: string;
  /** Of the file, relative to the MPD. */
  uri: string;
  language: string;
  label: string;
  role: SubtitleRole;
  bandwidthBps: number;
}

export interface MpdInput {
  video: readonly MpdVideo[];
  audio: readonly MpdAudio[];
  text: readonly MpdText[];
  frameRate: Rational;
  frameCount: number;
  /** The longest segment, rounded: what a player must hold before `bandwidth` is enough. */
  targetDurationSeconds: number;
  /** Of pictures and sound. */
  protection?: ContentProtection | undefined;
}

/** ISO/IEC 23009-1 8.4 (live profile: templates, aligned segments) and 8.12 (CMAF). */
const PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019";

/** The static MPD over the very segments that the HLS playlists name (ISO/IEC 23009-1). */
export function dashManifest(input: MpdInput): string {
  const { num, den } = input.frameRate;
  const duration = `PT${secondsText(input.frameCount * den, num, 6)}S`;
  // The order of 23009-1 table 5: before all other descriptors.
  const secured =
    input.protection === undefined
      ? []
      : protectionElements(input.protection).map((attributes) => element("ContentProtection", attributes));
  const sets = [
    ...byLadder(input.video).map((video) => videoSet(video, input.frameRate, secured)),
    ...input.audio.map((track, index) => audioSet(track, input.audio.slice(0, index), secured)),
    ...input.text.map(textSet),
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    element(
      "MPD",
      {
        xmlns: "urn:mpeg:dash:schema:mpd:2011",
        profiles: PROFILES,
        type: "static",
        mediaPresentationDuration: duration,
        // 5.3.1.2: with this much buffered, `bandwidth` never starves: no run of segments exceeds it.
        minBufferTime: `PT${input.targetDurationSeconds}S`,
        maxSegmentDuration: `PT${longestSeconds([...input.video, ...input.audio])}S`,
      },
      [
        element(
          "Period",
          { id: "0", start: "PT0S", duration },
          sets.map((make, id) => make(id)),
        ),
      ],
    ),
    "",
  ].join("\n");
}

/** 5.3.1.2: no segment is longer, and sound's reach over the grid by a part of a frame; to the next millisecond. */
function longestSeconds(tracks: readonly (MpdVideo | MpdAudio)[]): number {
  const longest = tracks.map(({ durationTicks, timescale }) => Math.max(0, ...durationTicks) / timescale);
  return Math.ceil(Math.max(0, ...longest) * 1_000) / 1_000;
}

/** Representations of one set can replace one another anywhere, so each codec and range has its own (23009-1 5.3.3.1). */
function byLadder(video: readonly MpdVideo[]): MpdVideo[][] {
  return [...Map.groupBy(video, (one) => one.ladderId).values()];
}
