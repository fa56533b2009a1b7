import type { ByteRange } from "../core/byte-ranges.ts";
import { HARMLESS } from "../core/decode-log.ts";
import { Failure } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { PinnedSource, Source } from "../core/source.ts";
import type { FrameRange } from "../core/timeline.ts";
import { entryWindow } from "./chunk-entry.ts";
import { rangesOver, type SourceIndex } from "./source-index.ts";
import type { TaskContext } from "./task-context.ts";

/** What a run made, and what ffmpeg logged at level `error` on the way. */
export interface LoggedRun<T> {
  made: T;
  log: string;
}

/** What of a master is read for these frames of the picture. */
export function pictureWindow(source: Source, plan: Plan, frames: FrameRange) {
  const window = entryWindow(source, plan, frames);
  return (index: SourceIndex): readonly ByteRange[] | null =>
    window === null ? null : rangesOver(index, source.video.streamIndex, window);
}

/**
 * Runs `use` with a local file in which only `wanted` of the master is sure to be there. Where the container has no index,
 * or ffmpeg complains or fails, which a byte that was not fetched would make it do, the same is done with the whole master:
 * what comes out is the same either way.
 */
export async function withSourceWindow<T>(
  { scratch, signal, log, task }: TaskContext,
  pinned: PinnedSource,
  wanted: (index: SourceIndex) => readonly ByteRange[] | null,
  use: (path: string) => Promise<LoggedRun<T>>,
): Promise<T> {
  const fromPart = await scratch.withParts(pinned, async (master) => {
    const index = await master.index(signal);
    const ranges = index === null ? null : wanted(index);
    if (index === null || ranges === null) return null;
    await master.fill([...index.always, ...ranges], signal);
    try {
      const run = await use(master.path);
      if (complaintsIn(run.log).length === 0 || master.isWhole()) return run;
      log.info(
        { taskId: task._id, said: run.log.slice(0, 300) },
        "read in part, ffmpeg complained: reading it whole",
      );
      return null;
    } catch (thrown) {
      if (signal.aborted || master.isWhole() || !mayBeAHole(thrown)) throw thrown;
      log.info({ taskId: task._id, err: thrown }, "read in part, ffmpeg failed: reading it whole");
      return null;
    }
  });
  if (fromPart !== null) return fromPart.made;
  return (await scratch.withSource(pinned, signal, use)).made;
}

/** The lines in which ffmpeg says that something is wrong with what it reads. */
export function complaintsIn(log: string): string[] {
  return log.split("\n").filter((line) => line.trim() !== "" && !HARMLESS.test(line));
}

function mayBeAHole(thrown: unknown): boolean {
  return thrown instanceof Failure && (thrown.failureClass === "source" || thrown.failureClass === "ours");
}
