import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Pictures whose every frame says which one it is: ten upright bars, the bits of its number, lowest at the left. */

const run = promisify(execFile);
const BITS = 10;
/** After so many they begin anew. */
export const NUMBERS = 2 ** BITS;
/** Brightness of a bar that is 0 and of one that is 1, of 255. */
export const DARK = 40;
export const BRIGHT = 200;

export interface NumberedPicture {
  frames: number;
  rate?: string;
  size?: string;
  dark?: number;
  bright?: number;
  filters?: string;
}

/** ffmpeg's input of numbered frames. */
export function numbered(picture: NumberedPicture): string[] {
  const { frames, rate = "25", size = "160x90", dark = DARK, bright = BRIGHT, filters } = picture;
  const bars = `geq=lum='if(mod(floor(N/pow(2,X)),2),${bright},${dark})':cb=128:cr=128`;
  const [width, height] = size.split("x");
  // An expression for each sample is slow: a bar is one wide while it is worked out.
  const grown = [`scale=${width}:${height}:flags=neighbor`, "setsar=1"];
  const steps = [
    `nullsrc=s=${BITS}x2:r=${rate}`,
    "format=yuv444p",
    bars,
    ...grown,
    `trim=end_frame=${frames}`,
  ];
  return ["-f", "lavfi", "-i", [...steps, ...(filters === undefined ? [] : [filters])].join(",")];
}

/** How a picture came to lie as it does, and which lines of frame `index` hold its own field. */
export interface Reading {
  rotationDegrees?: 0 | 90 | 180 | 270;
  lineOf?: (index: number) => 0 | 1;
}

/** What was read back of a picture: the number of every frame, and how bright its bars are on the whole. */
export interface ReadBack {
  numbers: number[];
  dark: number;
  bright: number;
}

/** Decodes a file of `width`×`height` and reads its frames' numbers. */
export async function readNumbers(
  file: string,
  width: number,
  height: number,
  reading: Reading = {},
): Promise<ReadBack> {
  const args = ["-v", "error", "-i", file, "-fps_mode", "passthrough", "-vf", "extractplanes=y"];
  const { stdout } = await run("ffmpeg", [...args, "-f", "rawvideo", "-pix_fmt", "gray", "-"], {
    encoding: "buffer",
    maxBuffer: 1024 * 2 ** 20,
  });
  const size = width * height;
  const numbers: number[] = [];
  const all: number[] = [];
  for (let start = 0; start + size <= stdout.length; start += size) {
    const line = reading.lineOf?.(numbers.length) ?? 0;
    const samples = Array.from({ length: BITS }, (_, bit) =>
      sample(stdout.subarray(start, start + size), width, height, (bit + 0.5) / BITS, line, reading),
    );
    numbers.push(samples.reduce((sum, light, bit) => sum + (light > 100 ? 2 ** bit : 0), 0));
    all.push(...samples);
  }
  all.sort((a, b) => a - b);
  const middle = (from: number, to: number): number => all[Math.floor((all.length * (from + to)) / 2)] ?? 0;
  return { numbers, dark: middle(0, 0.1), bright: middle(0.8, 1) };
}

function sample(
  frame: Uint8Array,
  width: number,
  height: number,
  share: number,
  line: number,
  { rotationDegrees = 0 }: Reading,
): number {
  const along = rotationDegrees === 180 || rotationDegrees === 270 ? 1 - share : share;
  if (rotationDegrees === 90 || rotationDegrees === 270)
    return frame[Math.floor(along * height) * width + (width >> 1)] ?? 0;
  return frame[((height >> 2) * 2 + line) * width + Math.floor(along * width)] ?? 0;
}
