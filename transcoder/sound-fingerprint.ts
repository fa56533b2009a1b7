import type { Attributes } from "../core/conformance/playlist-grammar.ts";
import { envelope } from "../core/envelope.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import { type ProofBench, takeFile } from "./proof-bench.ts";

/** What a track sounds like, in little: enough to tell it from others and to see where it stands. */

/** Enough to tell voices apart, and little to move. */
export const FINGERPRINT_HZ = 8_000;

/** A track as the playlist names it, with what was heard of it. */
export interface Heard {
  part: string;
  attributes: Attributes;
  track: AudioTrack | undefined;
  /** The stretches that were decoded: where each begins on the film's clock, and how loud it is from moment to moment. */
  windows: { startSeconds: number; seconds: number; envelope: number[] }[];
}

/** One channel, few samples. */
export const FINGERPRINT = ["-ac", "1", "-ar", String(FINGERPRINT_HZ), "-f", "s16le"];

export async function fingerprint(bench: ProofBench, name: string): Promise<Int16Array> {
  const bytes = await takeFile(bench, name);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
}

/** The stretches lie one after the other in what was decoded. */
export function cutWindows(
  samples: Int16Array,
  spans: readonly { start: number; ticks: number }[],
  timescale: number,
): Heard["windows"] {
  let before = 0;
  return spans.map(({ start, ticks }) => {
    const at = (ticksBefore: number): number => Math.round((ticksBefore * FINGERPRINT_HZ) / timescale);
    const part = samples.subarray(at(before), at(before + ticks));
    before += ticks;
    return {
      startSeconds: start / timescale,
      seconds: ticks / timescale,
      envelope: envelope(part, FINGERPRINT_HZ),
    };
  });
}
