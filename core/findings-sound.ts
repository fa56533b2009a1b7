import { findingsAt, lastingRanges } from "./findings.ts";
import type { Finding } from "./records/asset.ts";
import type { HeardTrack } from "./records/task-result.ts";
import type { SourceAudio } from "./source.ts";
import { secondsOf, type TimeRange } from "./time-ranges.ts";

/** Pauses in speech and music are shorter. */
const LEAST_SILENCE_SECONDS = 5;
const WHOLE_SHARE = 0.98;
/** EBU R 128 asks for −23 and cinemas for −27 or less; streams for −14 to −18. Outside of this something went wrong. */
const QUIETEST_LUFS = -36;
const LOUDEST_LUFS = -8;
/** Full scale: above it, what is between the samples is cut off in any player. */
const HIGHEST_PEAK_DBTP = 0;

/** What a person should know of one sound track, from what was measured while it was encoded. Pure. */
export function soundFindings(
  track: SourceAudio,
  heard: HeardTrack,
  film: { startSeconds: number; durationSeconds: number },
): Finding[] {
  const start = Math.max(0, track.startSeconds - film.startSeconds);
  const end = Math.min(film.durationSeconds, track.startSeconds + track.durationSeconds - film.startSeconds);
  // What the track does not cover is silent too, and is said elsewhere.
  const span = { startSeconds: start, endSeconds: end };
  const name = nameOf(track);
  return [...silenceFindings(heard.silences, span, name), ...loudnessFindings(heard, name)];
}

/** How a message names a track. */
export function nameOf({ label, language, streamIndex }: SourceAudio): string {
  return label ?? (language === "und" ? `Sound track ${streamIndex}` : `The sound in ${language}`);
}

function silenceFindings(silences: readonly TimeRange[], span: TimeRange, name: string): Finding[] {
  return findingsAt(
    lastingRanges(silences, span, Math.min(LEAST_SILENCE_SECONDS, secondsOf(span))),
    (range) => ({
      code: "silence",
      severity: "warning",
      message:
        secondsOf(range) >= WHOLE_SHARE * secondsOf(span)
          ? `${name} is silent throughout.`
          : `${name} is silent for ${secondsOf(range).toFixed(1)} s.`,
    }),
  );
}

function loudnessFindings({ loudness }: HeardTrack, name: string): Finding[] {
  // Silence has no loudness, and was not always measured.
  if (loudness === null) return [];
  const { integratedLufs, truePeakDbtp } = loudness;
  const found: string[] = [];
  if (integratedLufs < QUIETEST_LUFS) found.push(`is very quiet (${integratedLufs} LUFS)`);
  if (integratedLufs > LOUDEST_LUFS) found.push(`is very loud (${integratedLufs} LUFS)`);
  if (truePeakDbtp !== null && truePeakDbtp > HIGHEST_PEAK_DBTP)
    found.push(`has peaks above full scale (${truePeakDbtp} dBTP)`);
  if (found.length === 0) return [];
  return [{ code: "loudness", severity: "warning", message: `${name} ${found.join(" and ")}.` }];
}
