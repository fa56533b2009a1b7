import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Installer, install, type Machine, toolsDirectory, type Workbench } from "../install.ts";

const PART = "vmaf";
/** A static build with libvmaf, which distributions' ffmpegs often lack. */
export const SCORER_PACKAGE: Installer & { by: "python" } = {
  by: "python",
  requirement: "imageio-ffmpeg==0.8.1",
  binary: "python3",
};
const ASK_PACKAGE = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())";

const run = promisify(execFile);

/**
 * An ffmpeg that can take VMAF: the one that was named, the one that encodes, or that of the Python package
 * `imageio-ffmpeg`, which is put into our own folder where Python is there. Null where none of these will do: pictures
 * then have SSIM alone, which a start must not fail for.
 */
export async function findScorer(bench: Workbench, ffmpegPath: string): Promise<string | null> {
  const { machine, report } = bench;
  if (machine.environment.MATINEE_VMAF === "off") return null;
  const named = machine.environment.MATINEE_VMAF_FFMPEG_PATH;
  if (named) return named;
  const found = (await hasVmaf(ffmpegPath))
    ? ffmpegPath
    : ((await ofPackage(machine)) ?? (await installed(bench)));
  if (found === null)
    report.note(PART, "NONE: no ffmpeg with libvmaf here, pictures are scored by SSIM alone");
  else report.done(PART, found);
  return found;
}

async function installed(bench: Workbench): Promise<string | null> {
  if (bench.machine.find("python3") === null) return null;
  try {
    await install(SCORER_PACKAGE, PART, bench);
  } catch (error) {
    if (bench.signal.aborted) throw error;
    return null;
  }
  return ofPackage(bench.machine);
}

/** What the package says in our own Python, or else in the system's. */
async function ofPackage(machine: Machine): Promise<string | null> {
  const own = join(toolsDirectory(machine.environment), "venv/bin/python3");
  for (const python of [own, machine.find("python3")]) {
    if (python === null) continue;
    const answer = await run(python, ["-c", ASK_PACKAGE]).catch(() => null);
    const path = answer?.stdout.trim();
    if (path && (await hasVmaf(path))) return path;
  }
  return null;
}

async function hasVmaf(ffmpegPath: string): Promise<boolean> {
  const answer = await run(ffmpegPath, ["-hide_banner", "-filters"]).catch(() => null);
  return answer?.stdout.includes(" libvmaf ") ?? false;
}
