import type { Attributes } from "../core/conformance/playlist-grammar.ts";
import { envelope } from "../core/envelope.ts";
import type { AudioTrack } from "../core/plan-sounds.ts";
import type { Stretch } from "../core/proof.ts";
import { type OpenSound, stretchesOf } from "./open-sound.ts";
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
  windows: (Stretch & { envelope: number[] })[];
}

/** One channel, few samples. */
export const FINGERPRINT = ["-ac", "1", "-ar", String(FINGERPRINT_HZ), "-f", "s16le"];

/** What was decoded so; null where it could not be opened. */
export async function fingerprint(bench: ProofBench, name: string): Promise<Int16Array | null> {
  const bytes = await takeFile(bench, name);
  if (bytes === null) return null;
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~1)));
}

/** The stretches lie one after the other in what was decoded. */
export function cutWindows(samples: Int16Array, sound: OpenSound): Heard["windows"] {
  const { spans, facts } = sound;
  const at = (ticks: number): number => Math.round((ticks * FINGERPRINT_HZ) / facts.timescale);
  let before = 0;
  return stretchesOf(sound).map((stretch, index) => {
    const start = before;
    before += spans[index]!.ticks;
    return { ...stretch, envelope: envelope(samples.subarray(at(start), at(before)), FINGERPRINT_HZ) };
  });
}
