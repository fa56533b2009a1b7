import { obtain, type Recipe, type Workbench } from "../install.ts";
import { findScorer } from "./scorer.ts";

const FFMPEG: Recipe = {
  part: "ffmpeg",
  setting: "MATINEE_FFMPEG_PATH",
  binaries: ["ffmpeg"],
  installers: [
    { by: "apt", package: "ffmpeg", binary: "ffmpeg" },
    { by: "brew", package: "ffmpeg", binary: "ffmpeg" },
  ],
  advice: "there is no ffmpeg. Type: sudo apt-get install ffmpeg (or: brew install ffmpeg).",
};

// It comes with ffmpeg everywhere but in static builds.
const FFPROBE: Recipe = {
  ...FFMPEG,
  part: "ffprobe",
  setting: "MATINEE_FFPROBE_PATH",
  binaries: ["ffprobe"],
  advice:
    "there is an ffmpeg without its ffprobe. Install ffmpeg's own package, or set MATINEE_FFPROBE_PATH.",
};

const SANDBOX: Recipe = {
  part: "sandbox",
  setting: "MATINEE_BWRAP_PATH",
  binaries: ["bwrap"],
  installers: [{ by: "apt", package: "bubblewrap", binary: "bwrap" }],
  advice:
    "there is no bubblewrap, so hostile media could not be contained. Type: sudo apt-get install bubblewrap, or set MATINEE_ALLOW_UNSANDBOXED=yes to run without.",
};

const CHROMIUM: Recipe = {
  part: "chromium",
  setting: "MATINEE_TEST_CHROMIUM",
  binaries: ["chromium", "chromium-browser", "google-chrome"],
  installers: [{ by: "apt", package: "chromium", binary: "chromium" }],
  advice: "there is no Chromium. Type: sudo apt-get install chromium, or set MATINEE_TEST_CHROMIUM.",
};

export interface MediaTools {
  ffmpegPath: string;
  ffprobePath: string;
  /** Null where media runs uncontained, which the person has agreed to. */
  bwrapPath: string | null;
  /** An ffmpeg with libvmaf; null where there is none. */
  scorerPath: string | null;
}

/** ffmpeg, ffprobe and the sandbox around them. Throws where one is missing and cannot be installed. */
export async function findMediaTools(bench: Workbench): Promise<MediaTools> {
  const { machine, report } = bench;
  const ffmpegPath = await programOf(FFMPEG, bench);
  const ffprobePath = await programOf(FFPROBE, bench);
  report.done(FFMPEG.part, ffmpegPath);
  const scorerPath = await findScorer(bench, ffmpegPath);
  if (machine.environment.MATINEE_ALLOW_UNSANDBOXED === "yes" && machine.find("bwrap") === null) {
    report.note(
      SANDBOX.part,
      "NONE: media is decoded without a sandbox, as MATINEE_ALLOW_UNSANDBOXED allows",
    );
    return { ffmpegPath, ffprobePath, bwrapPath: null, scorerPath };
  }
  const bwrapPath = await programOf(SANDBOX, bench);
  report.done(SANDBOX.part, bwrapPath);
  return { ffmpegPath, ffprobePath, bwrapPath, scorerPath };
}

/** The browser of the tests. */
export async function findChromium(bench: Workbench): Promise<string> {
  return programOf(CHROMIUM, bench);
}

async function programOf(recipe: Recipe, bench: Workbench): Promise<string> {
  const found = await obtain(recipe, bench);
  return "url" in found ? found.url : found.program;
}
