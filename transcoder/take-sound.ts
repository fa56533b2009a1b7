import { type ByteRange, missing } from "../core/byte-ranges.ts";
import { leftStretch } from "../core/keys.ts";
import { betweenSpans, unpackSound } from "../core/left-sound.ts";
import { isLookedFor, piecesApart } from "../core/pieces-apart.ts";
import { isShared } from "../stores/library/tasks.ts";
import { fillBeside } from "./beside-frames.ts";
import { type LeavingContext, whereLeft } from "./leave-sound.ts";
import type { PlannedAsset } from "./planned-asset.ts";
import type { PartialMaster } from "./scratch.ts";
import type { SourceLayout, Wanted } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";

type TakingContext = LeavingContext & Pick<TaskContext, "signal">;

/**
 * Takes sound that others have left of the master into the local file, as far as it is wanted and not there; what is damaged, or of
 * another master, is passed over. Where little is lacking then, it is asked for without the pictures between, which others read. Whatever
 * does not come so is read from the master.
 */
export function takesSound(
  context: TakingContext,
  planned: Pick<PlannedAsset, "plan" | "pinned">,
): NonNullable<Wanted["bring"]> {
  return (master, layout, ranges) =>
    take(context, planned, master, layout, ranges).catch((thrown) => {
      // Whoever is called off hears of it where the rest is fetched.
      if (!context.signal.aborted)
        context.log.warn({ taskId: context.task._id, err: thrown }, "sound that was left is not taken");
      return ranges;
    });
}

async function take(
  context: TakingContext,
  planned: Pick<PlannedAsset, "plan" | "pinned">,
  master: PartialMaster,
  layout: SourceLayout,
  ranges: readonly ByteRange[],
): Promise<readonly ByteRange[]> {
  const lacking = master.absent(ranges);
  if (lacking.length === 0) return ranges;
  const between = await takeLeft(context, planned, master, lacking);
  const { library, asset, workerId, signal } = context;
  // Where no list says where sounds lie, what was left is all but the pictures between.
  if ("packetId" in layout) return missing(ranges, between);
  if (layout.entries !== null) {
    const wanted = missing(ranges, between);
    const rest = master.absent(wanted);
    const film = { sizeBytes: master.sizeBytes, pictures: planned.plan.timeline.frameCount };
    if (!isLookedFor(rest, film) || !(await isShared(library, asset._id, workerId))) return wanted;
    return missing(wanted, await fillBeside(master, layout.entries, rest, signal));
  }
  const pieces = piecesApart(ranges, master.absent(ranges));
  // A worker that is alone with the film reads the pictures anyway.
  if (pieces !== null && (await isShared(library, asset._id, workerId))) await master.fill(pieces, signal, 0);
  return ranges;
}

/** Answers what lies between what was taken. */
async function takeLeft(
  { blobs, asset, task, signal, log }: TakingContext,
  { plan, pinned }: Pick<PlannedAsset, "plan" | "pinned">,
  master: PartialMaster,
  lacking: readonly ByteRange[],
): Promise<ByteRange[]> {
  const { folder, mark } = whereLeft(asset, plan, pinned);
  const between: ByteRange[] = [];
  for await (const { key } of blobs.list("sources", folder)) {
    signal.throwIfAborted();
    const stretch = leftStretch(folder, key);
    if (stretch === null || !lacking.some(({ start, end }) => end > stretch.start && start < stretch.end))
      continue;
    const object = await blobs.read("sources", key, { signal });
    const left = object && unpackSound(object, mark, master.sizeBytes);
    if (left === null) log.info({ taskId: task._id, key }, "sound that was left is of no use");
    else {
      await master.put(left.spans, left.bytes);
      between.push(...betweenSpans(left.spans));
    }
  }
  return between;
}
