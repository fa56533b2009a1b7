import { Failure } from "../core/errors.ts";
import type { RunRequest } from "./launcher.ts";
import type { TaskContext } from "./task-context.ts";

export interface Inspection
  extends Pick<RunRequest, "program" | "args" | "source" | "outputDirectory" | "onStdoutLine"> {
  /** Seconds of media that it decodes; its limits grow with it. */
  mediaSeconds: number;
  outputBytes: number;
}

/** Decoding alone is far cheaper than encoding: a master that takes longer is one that is not to be trusted. */
const FLOOR_SECONDS = 120;
const CPU_RATIO = 10;
const WALL_RATIO = 40;

/** Runs a program that only looks, in the sandbox. Throws `resource` at a limit and `ours` where it did not end well. */
export async function runInspection(context: TaskContext, inspection: Inspection): Promise<void> {
  const { mediaSeconds, outputBytes, ...request } = inspection;
  const run = await context.launcher.run({
    ...request,
    limits: {
      wallSeconds: FLOOR_SECONDS + mediaSeconds * WALL_RATIO,
      cpuSeconds: Math.ceil(FLOOR_SECONDS + mediaSeconds * CPU_RATIO),
      outputBytes,
    },
    signal: context.signal,
  });
  context.note(run);
  context.signal.throwIfAborted();
  if (run.ending === "exited" && run.exitCode === 0) return;
  const cause = new Error(`${run.shellLine}\n${run.stderrTail}`);
  if (run.ending !== "exited")
    throw new Failure("resource", "internal", "The inspection ran into a limit of this machine.", { cause });
  throw new Failure("ours", "internal", "The inspection failed on this film.", { cause });
}
