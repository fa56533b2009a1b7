import type { TimeRange } from "../core/time-ranges.ts";

/** What the measuring pass found in a whole track (ITU-R BS.1770 through ffmpeg's ebur128). */
export interface Loudness {
  integratedLufs: number;
  /** −Infinity for silence. */
  truePeakDbtp: number;
}

/** What is done to a track: one fixed gain, and a limiter where its peaks would then be too high. */
export interface LevelChange {
  gainDb: number;
  isLimited: boolean;
}

/** Stands after EBU R 128's maximum of −1 dBTP; half a decibel is left for what AAC adds to a peak. */
export const PEAK_CEILING_DBTP = -1.5;
/** How far peaks may be pushed down; beyond it the track stays quieter, which sounds better than a squeezed one. */
const LIMITING_DB = 8;
/** Quieter than this is noise, not programme: raising it would only make it audible. */
const PROGRAMME_LUFS = -50;

/** Reads the summary that ebur128 logs at its end; null where there is none or nothing passed BS.1770's gate. */
export function readLoudness(log: string): Loudness | null {
  const summary = log.slice(log.lastIndexOf("Summary:"));
  const integrated = /\bI:\s+(-?[\d.]+) LUFS/.exec(summary)?.[1];
  const peak = /\bPeak:\s+(-?[\d.]+|-inf) dBFS/.exec(summary)?.[1];
  // −70 LUFS is the absolute gate: the filter's word for silence.
  if (integrated === undefined || Number(integrated) <= -70) return null;
  return {
    integratedLufs: Number(integrated),
    truePeakDbtp: peak === undefined || peak === "-inf" ? Number.NEGATIVE_INFINITY : Number(peak),
  };
}

/** Reads what silencedetect logs, on the film's timeline: each stretch when it ends, the last one at the end of the track. */
export function readSilences(log: string): TimeRange[] {
  return [...log.matchAll(/silence_end: ([\d.]+) \| silence_duration: ([\d.]+)/g)].map((match) => {
    const endSeconds = Number(match[1]);
    return { startSeconds: Math.max(0, endSeconds - Number(match[2])), endSeconds };
  });
}

/** Whether a decoder said, in this log, that it could not read what it was given. */
export function complainsOfSource(log: string): boolean {
  return /Error while decoding|Error submitting packet|Invalid data found|corrupt (decoded|input)/i.test(log);
}

/** The change that brings a track to the target without distortion. Never a dynamic one: the mix stays as it was made. */
export function levelChange(found: Loudness | null, targetLufs: number): LevelChange {
  if (found === null || found.integratedLufs < PROGRAMME_LUFS) return { gainDb: 0, isLimited: false };
  const wanted = targetLufs - found.integratedLufs;
  const headroom = PEAK_CEILING_DBTP - found.truePeakDbtp;
  const gainDb = Math.min(wanted, headroom + LIMITING_DB);
  return { gainDb: Math.round(gainDb * 100) / 100, isLimited: gainDb > headroom };
}
