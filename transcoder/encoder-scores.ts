/**
 * What x264 says of each frame it has coded, read from ffmpeg's log. The encoder compares what it was given with what
 * a decoder will show while it has both at hand: SSIM of every frame at hardly any cost, and no other byte in the file
 * (docs/decisions/quality.md).
 */

/** How loud ffmpeg must be to be heard, each line with its level in front. */
export const TALKATIVE = "level+debug";
/** The level of a line; what nobody needs once the encoders have been heard is all below an error. */
const LEVEL = /^(?:\[[^\]]* @ \w+\] )?\[(\w+)\] /;
const NEEDED = new Set(["panic", "fatal", "error"]);
/** `[libx264 @ 0x5581] [debug] frame=  12 QP=21.4 … size=5749 bytes SSIM Y:0.98123` */
const FRAME = /^\[libx264 @ (\w+)\] \[debug\] frame=\s*\d+ .* size=(\d+) bytes .*SSIM Y:([\d.]+)/;
/** Of an encoder's frames and a file's, this many are of one size where the one wrote the other: headers join first frames only. */
const SAME_SHARE = 0.8;

interface HeardFrame {
  sizeBytes: number;
  ssim: number;
}

export interface EncoderScores {
  /** Takes a line of ffmpeg's log; true where it is chatter and may be forgotten. */
  take(line: string): boolean;
  /**
   * The frames' SSIM, in the order of coding, of the encoder that wrote a file with samples of these sizes; null where
   * none did. Sizes, since nothing else in the log ties an encoder to its file, and they prove that the scores belong to it.
   */
  of(sampleBytes: readonly number[]): number[] | null;
}

/** Listens to one run of ffmpeg with any number of x264 encoders in it. */
export function listenToEncoders(): EncoderScores {
  const heard = new Map<string, HeardFrame[]>();
  // Until ffmpeg itself speaks, what is said is the sandbox's.
  let isChatter = false;
  return {
    take(line) {
      const [, encoder, size, ssim] = FRAME.exec(line) ?? [];
      if (encoder !== undefined) {
        const frames = heard.get(encoder) ?? [];
        frames.push({ sizeBytes: Number(size), ssim: Number(ssim) });
        heard.set(encoder, frames);
      }
      const level = LEVEL.exec(line)?.[1];
      // A line without a level goes on with the one before it.
      if (level !== undefined) isChatter = !NEEDED.has(level);
      return isChatter;
    },
    of(sampleBytes) {
      const alike = (frames: readonly HeardFrame[]): number =>
        frames.filter(({ sizeBytes }, index) => sizeBytes === sampleBytes[index]).length;
      const candidates = [...heard.values()].filter((frames) => frames.length === sampleBytes.length);
      const [best, next] = candidates.sort((a, b) => alike(b) - alike(a));
      if (best === undefined || (next !== undefined && alike(next) === alike(best))) return null;
      // The file's first sample also carries x264's own notes.
      if (alike(best) < SAME_SHARE * (sampleBytes.length - 1)) return null;
      return best.map(({ ssim }) => ssim);
    },
  };
}
