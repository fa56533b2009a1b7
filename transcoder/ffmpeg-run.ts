import { Failure, sourceFailure } from "../core/errors.ts";
import { assemble, type FfmpegRecipe } from "./ffmpeg-command.ts";
import type { RunOutcome, RunRequest } from "./launcher.ts";
import type { RunLimit } from "./run-limit.ts";
import { complaintsIn } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";

/** Limits of one ffmpeg run, from what it is expected to make. */
export interface RunBudget {
  /** Seconds of media that it decodes; time limits grow with it. */
  mediaSeconds: number;
  outputBytes: number;
  /** Frames it will make, for progress; null where that says nothing. */
  frames: number | null;
}

/** Which ffmpeg, what it may use, and who listens to what it says while it runs. */
export type RunManner = Partial<Pick<RunRequest, "program" | "onStderrLine" | "niceness" | "devices">>;

/** ffmpeg killed from outside (an operator, the kernel) is started again at once this often. */
const KILLS_FORGIVEN = 25;
/** Seconds of CPU and of wall clock per second of media that even the slowest picture does not need. */
const CPU_RATIO = 60;
const WALL_RATIO = 120;
const FLOOR_SECONDS = 120;
/** Each attempt may hold twice as much as the one before; four times the usual is the most. */
const LARGEST_MEMORY_CLASS = 2;
/** Below this a full disk is the likely reason of a failure. */
const NEARLY_FULL_BYTES = 4 * 2 ** 20;

/**
 * Runs a recipe on a master in the sandbox and returns when it has ended well. Throws a typed Failure
 * otherwise: `resource` for limits and full disks, `source` where ffmpeg cannot read the master.
 */
export async function runFfmpeg(
  context: TaskContext,
  recipe: FfmpegRecipe,
  sourcePath: string,
  outputDirectory: string,
  budget: RunBudget,
  manner: RunManner = {},
): Promise<RunOutcome> {
  for (let kills = 0; ; kills++) {
    const run = await context.launcher.run({
      program: "ffmpeg",
      ...manner,
      args: assemble(recipe),
      source: sourcePath,
      outputDirectory,
      limits: {
        wallSeconds: FLOOR_SECONDS + budget.mediaSeconds * WALL_RATIO,
        cpuSeconds: Math.ceil(FLOOR_SECONDS + budget.mediaSeconds * CPU_RATIO),
        outputBytes: budget.outputBytes,
        memoryClass: Math.min(LARGEST_MEMORY_CLASS, context.task.failures),
      },
      signal: context.signal,
      onProgress: ({ frame }) => {
        if (budget.frames !== null && frame !== null) context.report(Math.min(0.99, frame / budget.frames));
      },
    });
    context.note(run);
    context.signal.throwIfAborted();
    if (run.ending === "exited" && run.exitCode === 0) return run;
    if (run.ending === "killed" && kills < KILLS_FORGIVEN) {
      context.log.warn(
        { taskId: context.task._id, kills: kills + 1 },
        "ffmpeg was killed; starting it again",
      );
      continue;
    }
    throw await explain(context, run);
  }
}

async function explain(context: TaskContext, run: RunOutcome): Promise<Failure> {
  const cause = new Error(`${run.shellLine}\n${run.stderrTail}`);
  if (run.limit !== "disk" && (run.ending === "limit" || run.ending === "killed")) {
    return new Failure(
      "resource",
      "encode_failed",
      `The encoder ran into a limit of this machine (${LIMIT_WORDS[run.limit ?? "none"]}).`,
      { cause },
    );
  }
  if (await isShortOfDisk(context, run.stderrTail)) {
    return new Failure("resource", "scratch_full", "The worker's disk is full.", { cause });
  }
  if (
    /Invalid data found|could not find codec parameters|not in allowed list|Decoder .* not found/i.test(
      run.stderrTail,
    )
  ) {
    return sourceFailure("source_damaged", "The encoder could not read the source to its end.", cause);
  }
  return new Failure("ours", "encode_failed", "The encoder failed on this source.", { cause });
}

/**
 * Who is to blame for an output that is not what was planned: a decoder that has complained (at `-v error` it is silent
 * otherwise) has left out pictures that the container had promised; without that it is our doing.
 */
export function blameFor(error: unknown, stderrTail: string): unknown {
  if (complaintsIn(stderrTail).length === 0) return error;
  const cause = new Error(stderrTail, { cause: error });
  return sourceFailure("source_damaged", "The master cannot be decoded as a whole: it is damaged.", cause);
}

/** For the owner: which limit it was. */
const LIMIT_WORDS: Record<RunLimit | "none", string> = {
  wall: "time",
  cpu: "CPU time",
  output: "output size",
  memory: "memory",
  disk: "disk",
  none: "it was killed again and again",
};

/** ffmpeg answers 0 on a full disk, and so this is also asked when its output is not what was planned. */
export async function isShortOfDisk(context: TaskContext, stderrTail: string): Promise<boolean> {
  return (
    /No space left on device|Disk quota exceeded/i.test(stderrTail) ||
    (await context.scratch.freeBytes()) < NEARLY_FULL_BYTES
  );
}
