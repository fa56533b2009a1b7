import { Failure, sourceFailure } from "../core/errors.ts";
import type { Launcher, RunLimits, RunOutcome, RunRequest } from "./launcher.ts";
import { KILLED_EXIT_CODE } from "./process-group.ts";

/** One probe: what it may run, on which file, and where its runs are noted. */
export interface ProbeRun {
  launcher: Launcher;
  sourcePath: string;
  limits: RunLimits;
  signal: AbortSignal;
  note: (run: RunOutcome) => void;
  /** What may open it; as for a master unless said otherwise. */
  inputOptions?: readonly string[];
}

/** A probe reads the whole file once; slow disks read 20 MB/s, and a day's packet table takes a minute of CPU. */
export function limitsFor(sizeBytes: number): RunLimits {
  return {
    wallSeconds: 60 + Math.ceil(sizeBytes / 20e6),
    cpuSeconds: 60 + Math.ceil(sizeBytes / 100e6),
    outputBytes: 0,
    memoryBytes: 4 * 2 ** 30,
    // A few pictures of the largest size that is taken; bombs that get past the whitelists end here.
    residentBytes: 2 ** 30,
  };
}

/** Runs one program on it. Throws where it was killed or ran into a limit, as what that says of the file or of the machine. */
export async function runProbe(
  probe: ProbeRun,
  request: Pick<RunRequest, "program" | "args" | "onStdoutLine">,
): Promise<RunOutcome> {
  const { launcher, sourcePath: source, limits, signal } = probe;
  const run = await launcher.run({ ...request, source, limits, signal });
  probe.note(run);
  signal.throwIfAborted();
  if (run.ending === "killed") throw new Failure("transient", "internal", "The probe was killed.");
  // A table of billions of entries in a file of a few kilobytes: the demuxer gives up by itself.
  if (run.limit === "memory" && run.exitCode !== KILLED_EXIT_CODE) {
    throw sourceFailure("source_damaged", "The file asks for more memory than any film.", asCause(run));
  }
  if (run.limit === "memory" || run.limit === "disk") {
    throw new Failure("resource", "internal", `The probe ran short of ${run.limit}.`, {
      cause: asCause(run),
    });
  }
  if (run.ending === "limit") {
    throw sourceFailure("timeline_invalid", "The file could not be read within the limits.", asCause(run));
  }
  return run;
}

export function asCause(run: RunOutcome): Error {
  return new Error(`${run.shellLine}\n${run.stderrTail}`);
}
