import type { ByteRange } from "../core/byte-ranges.ts";
import { HARMLESS } from "../core/decode-log.ts";
import { Failure } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { PinnedSource, Source, StreamEntries } from "../core/source.ts";
import { trackRanges } from "../core/source-window.ts";
import type { StreamSpan } from "../core/stream-entries.ts";
import type { FrameRange } from "../core/timeline.ts";
import { entrySpan, entryWindow } from "./entry-place.ts";
import type { PartialMaster } from "./scratch.ts";
import { rangesOver, type SourceIndex } from "./source-index.ts";
import { fromStream } from "./stream-window.ts";
import type { TaskContext } from "./task-context.ts";

/** What a run made, and what ffmpeg logged at level `error` on the way. */
export interface LoggedRun<T> {
  made: T;
  log: string;
}

/** What of a task is needed for reading its master. */
export type ReadingContext = Pick<TaskContext, "scratch" | "signal"> & {
  log: Pick<TaskContext["log"], "info">;
  task: Pick<TaskContext["task"], "_id">;
};

/** What tells where in a master what lies: its index, or of a transport stream what was found in it. */
export type SourceLayout = SourceIndex | StreamEntries;

/** What of a master a run reads. */
export interface Wanted {
  /** By the container's index, and what of the master has to be read to see it; null where that does not tell. */
  ranges(
    index: SourceIndex,
    master: PartialMaster,
    signal: AbortSignal,
  ): Promise<readonly ByteRange[] | null>;
  /** Of a transport stream, which has none; null where it is read whole, or but for its pictures. */
  span: StreamSpan | null;
  /** Of a transport stream that nobody has read whole: all that is no picture of it is enough. */
  beside?: StreamEntries;
  /** Brings what of it lies elsewhere, and answers what must be there then: the rest of that is fetched from the master. Never rejects. */
  bring?(
    master: PartialMaster,
    layout: SourceLayout,
    ranges: readonly ByteRange[],
  ): Promise<readonly ByteRange[]>;
  /** A part of the master must do for now: what is to be known of it besides is being found out. */
  isPartOnly?: true;
  /** Is shown what has been read, before it is used. Never rejects. */
  leave?(master: PartialMaster, layout: SourceLayout, ranges: readonly ByteRange[]): Promise<void>;
}

/** What of a master is read for these frames of the picture. */
export function pictureWindow(source: Source, plan: Plan, frames: FrameRange): Wanted {
  const window = entryWindow(source, plan, frames);
  return {
    ranges: async (index, master, signal) =>
      window === null ? null : rangesOver(master, index, source.video.streamIndex, window, signal),
    span: entrySpan(source, plan, frames),
  };
}

/** All of one sound or text: of a file that does not list its samples that lies spread over the whole. */
export function trackWindow(streamIndex: number): Wanted {
  return {
    ranges: async ({ tracks, entries }) => {
      if (entries !== null) return [{ start: 0, end: entries.sizeBytes }];
      const track = tracks[streamIndex];
      return track === undefined ? null : trackRanges(track);
    },
    span: null,
  };
}

/** The same of a sound: of a transport stream into which was only looked, what lies beside its pictures. */
export function soundWindow({ video }: Pick<Source, "video">, streamIndex: number): Wanted {
  const { entries } = video;
  return { ...trackWindow(streamIndex), ...(entries?.leadAt === undefined ? {} : { beside: entries }) };
}

/**
 * Runs `use` with a local file in which only `wanted` of the master is sure to be there. Where it is not known what lies where,
 * or ffmpeg complains, fails or makes nothing, which a byte that was not fetched would make it do, the same is done with the
 * whole master: what comes out is the same either way. Throws the transient failure `preview_not_ready` instead where a part must do. `isDoubted`: it is the whole, and what was noted of a transport stream is not to be trusted.
 */
export async function withSourceWindow<T>(
  context: ReadingContext,
  pinned: PinnedSource,
  wanted: Wanted,
  use: (path: string, isDoubted: boolean) => Promise<LoggedRun<T>>,
): Promise<T> {
  const { scratch, signal, log, task } = context;
  const fromPart = await scratch.withParts(pinned, async (master) => {
    const attempt = async (path: string): Promise<LoggedRun<T> | null> => {
      const isWhole = (): boolean => path === master.path && master.isWhole();
      try {
        const run = await use(path, false);
        if (isWhole() || (complaintsIn(run.log).length === 0 && run.made !== null)) return run;
        log.info(
          { taskId: task._id, said: run.log.slice(0, 300) },
          "read in part, ffmpeg complained: reading it whole",
        );
        return null;
      } catch (thrown) {
        if (signal.aborted || isWhole() || !mayBeAHole(thrown)) throw thrown;
        log.info({ taskId: task._id, err: thrown }, "read in part, ffmpeg failed: reading it whole");
        return null;
      }
    };
    const index = await master.index(signal);
    if (index === null) return fromStream(context, master, wanted, attempt);
    const ranges = await wanted.ranges(index, master, signal);
    if (ranges === null) return null;
    const lacking = (await wanted.bring?.(master, index, ranges)) ?? ranges;
    await master.fill([...index.always, ...lacking], signal);
    await wanted.leave?.(master, index, ranges);
    return attempt(master.path);
  });
  if (fromPart !== null) return fromPart.made;
  if (wanted.isPartOnly)
    throw new Failure("transient", "preview_not_ready", "The film is still being described.");
  return (await scratch.withSource(pinned, signal, (path) => use(path, true))).made;
}

/** SVT-AV1 tells everybody its settings, however quiet ffmpeg is to be; it has not seen the file. */
const ENCODER_TALK = /^Svt\[(info|warn)\]:/;

/** The lines in which ffmpeg says that something is wrong with what it reads. */
export function complaintsIn(log: string): string[] {
  return log
    .split("\n")
    .filter((line) => line.trim() !== "" && !HARMLESS.test(line) && !ENCODER_TALK.test(line));
}

function mayBeAHole(thrown: unknown): boolean {
  return thrown instanceof Failure && (thrown.failureClass === "source" || thrown.failureClass === "ours");
}
