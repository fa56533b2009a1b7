/** What a rendition's bytes say about its bit rates: measured, never declared. */
export interface MeasuredBitrate {
  averageBps: number;
  peakBps: number;
}

/**
 * Average and peak of a run of segments. RFC 8216bis 4.4.6.2: the peak segment bit rate is the largest bit
 * rate of any contiguous set of segments whose total duration is between 0.5 and 1.5 times the target
 * duration. Where nothing is that long (a clip of one short segment) it is that of the whole.
 */
export function measureBitrate(
  segments: readonly { bytes: number; durationSeconds: number }[],
  targetDurationSeconds: number,
): MeasuredBitrate {
  const total = sum(segments);
  let peakBps = 0;
  for (let first = 0; first < segments.length; first++) {
    let bytes = 0;
    let seconds = 0;
    for (let last = first; last < segments.length; last++) {
      bytes += segments[last]!.bytes;
      seconds += segments[last]!.durationSeconds;
      if (seconds > targetDurationSeconds * 1.5) break;
      if (seconds >= targetDurationSeconds * 0.5) peakBps = Math.max(peakBps, (bytes * 8) / seconds);
    }
  }
  const averageBps = total.seconds > 0 ? (total.bytes * 8) / total.seconds : 0;
  return { averageBps: Math.round(averageBps), peakBps: Math.ceil(peakBps || averageBps) };
}

function sum(segments: readonly { bytes: number; durationSeconds: number }[]): {
  bytes: number;
  seconds: number;
} {
  let bytes = 0;
  let seconds = 0;
  for (const segment of segments) {
    bytes += segment.bytes;
    seconds += segment.durationSeconds;
  }
  return { bytes, seconds };
}
