import { type Cue, segmentsOf } from "./subtitle-cues.ts";
import { timeText } from "./subtitle-markup.ts";

/**
 * Apple 5.3, RFC 8216bis 3.5: cue time 0 is the instant 0 of the media, where the first frame is shown (its `tfdt` is 0 and
 * so is its composition offset).
 */
const TIMESTAMP_MAP = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000";

/** A whole track as one WebVTT file, for players that take one (DASH). */
export function wholeText(cues: readonly Cue[]): string {
  return ["WEBVTT", "", ...cues.map(cueText)].join("\n");
}

/**
 * A WebVTT file for each segment of the grid. RFC 8216bis 3.5: each holds every cue that is shown during it, with its own
 * whole times; one without cues is valid.
 */
export function segmentTexts(cues: readonly Cue[], borders: readonly number[]): string[] {
  const members: string[][] = Array.from({ length: borders.length - 1 }, () => []);
  for (const cue of cues) {
    const { first, last } = segmentsOf(cue, borders);
    const text = cueText(cue);
    for (let segment = first; segment <= last; segment++) members[segment]?.push(text);
  }
  return members.map((texts) => ["WEBVTT", TIMESTAMP_MAP, "", ...texts].join("\n"));
}

function cueText({ startMs, endMs, settings, text }: Cue): string {
  const timing = `${timeText(startMs)} --> ${timeText(endMs)}`;
  return `${settings === "" ? timing : `${timing} ${settings}`}\n${text}\n`;
}
