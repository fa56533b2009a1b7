import { join } from "node:path";
import { BIG_BUCK_BUNNY } from "../../test/rig/media.ts";

/** A film or a made picture that is compared on: size and frame rate, and what ffmpeg reads. */
export interface Content {
  name: string;
  width: number;
  height: number;
  fps: number;
  input: string[];
}

/** What is hard for every coder, as a source of ffmpeg's. */
export const FRACTAL =
  "mandelbrot=size=1280x720:rate=24:start_scale=0.5:end_scale=0.1:end_pts=60,noise=alls=3:allf=t:all_seed=1";

/** The folder of films that do not come with the tests. */
export const MEDIA_FOLDER = process.env.MATINEE_BENCH_MEDIA || "media";

/** A camera that stands still, 360p30 without sound, of Intel's `sample-videos`: where it lies in such a folder. */
export function fixedCamera(media: string): string {
  return join(media, "bottle-detection.mp4");
}

/** Two seconds of each, the cheapest first. `media` is the folder of films that do not come with the tests. */
export function contentsIn(media: string): Content[] {
  return [
    film("fixed camera, 360p30", fixedCamera(media), "10", 640, 360, 30),
    {
      ...{ name: "hard: fractal and grain, 720p24", width: 1280, height: 720, fps: 24 },
      input: [...["-f", "lavfi", "-i"], FRACTAL],
    },
    film("animation, 1080p24", BIG_BUCK_BUNNY, "12", 1920, 1080, 24),
    film("animation, 1080p60", BIG_BUCK_BUNNY.replace("-30sec", "-60fps-30sec"), "12", 1920, 1080, 60),
  ];
}

function film(name: string, path: string, from: string, width: number, height: number, fps: number): Content {
  return { name, width, height, fps, input: ["-ss", from, "-i", path] };
}

/** The file that it needs; null where it is made. */
export function fileOf({ input }: Content): string | null {
  return input.includes("lavfi") ? null : input.at(-1)!;
}

/** Of a picture of the content's shape: even, as coders want it. */
export function widthOf({ width, height }: Content, shortSide: number): number {
  return 2 * Math.round((width * shortSide) / height / 2);
}
