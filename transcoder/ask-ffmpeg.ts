import { Failure } from "../core/errors.ts";
import type { Launcher, Program, RunOutcome } from "./launcher.ts";

/** Small questions to an ffmpeg about itself: what is not heard in time must not be taken for a no. */

/**
 * Long beside the tenth of a second that an answer takes: on a machine whose cores are all at work it waits for its turn. Somebody
 * waits for it, and encoders do not, so it yields to nothing.
 */
const PATIENCE = {
  limits: { wallSeconds: 60, cpuSeconds: 10, outputBytes: 0 },
  niceness: 0,
};

/** The run, however it ended by itself. Throws `internal`, to be asked again, where it did not end in time. */
export async function askFfmpeg(
  { run }: Pick<Launcher, "run">,
  program: Program,
  args: readonly string[],
): Promise<RunOutcome> {
  const outcome = await run({ program, args, ...PATIENCE });
  if (outcome.limit === "wall") throw unheard(outcome);
  return outcome;
}

/** What it has, line by line. Throws `internal` where it did not come to say all of it. */
export async function listOf(
  launcher: Pick<Launcher, "run">,
  program: Program,
  option: "-encoders" | "-filters",
): Promise<string> {
  const outcome = await askFfmpeg(launcher, program, ["-hide_banner", option]);
  // What was cut off lacks the rest of its list, and not what stands in that.
  if (outcome.ending !== "exited") throw unheard(outcome);
  return outcome.stdout;
}

function unheard({ shellLine }: RunOutcome): Failure {
  return new Failure("transient", "internal", `ffmpeg did not come to answer: ${shellLine}`);
}
