import type { ByteRange } from "../core/byte-ranges.ts";
import { leftSoundKey, leftSounds, leftSoundsOf } from "../core/keys.ts";
import { packSound, soundMark, spansToLeave } from "../core/left-sound.ts";
import type { Plan } from "../core/plan.ts";
import type { PinnedSource } from "../core/source.ts";
import { trackRanges } from "../core/source-window.ts";
import { isShared, isTaskOpen } from "../stores/library/tasks.ts";
import { besideFrames } from "./beside-frames.ts";
import { besidePictures } from "./beside-pictures.ts";
import { readSpans } from "./file-spans.ts";
import type { PlannedAsset } from "./planned-asset.ts";
import type { PartialMaster } from "./scratch.ts";
import type { SourceLayout, Wanted } from "./source-window.ts";
import type { TaskContext } from "./task-context.ts";

/** What leaving sound needs of a task that has read a stretch of the master. */
export type LeavingContext = Pick<TaskContext, "library" | "blobs" | "workerId" | "log"> & {
  asset: Pick<TaskContext["asset"], "_id" | "tenant">;
  task: Pick<TaskContext["task"], "_id">;
};

/**
 * Leaves the sound that lies between a chunk's pictures in the store, for whoever encodes the sound (docs/decisions/read-in-parts.md). A chunk
 * is made all the same where that fails.
 */
export function leavesSound(
  context: LeavingContext,
  { plan, pinned }: Pick<PlannedAsset, "plan" | "pinned">,
): NonNullable<Wanted["leave"]> {
  return (master, layout, window) =>
    leave(context, { plan, pinned }, master, layout, window).catch((thrown) =>
      context.log.warn({ taskId: context.task._id, err: thrown }, "the sound of a chunk was not left"),
    );
}

async function leave(
  { library, blobs, workerId, asset, task }: LeavingContext,
  { plan, pinned }: Pick<PlannedAsset, "plan" | "pinned">,
  master: PartialMaster,
  layout: SourceLayout,
  window: readonly ByteRange[],
): Promise<void> {
  const pieces = await piecesOf(ownSounds(plan), master, layout, window);
  const spans = spansToLeave(pieces, window, master.absent);
  // A worker that is alone with the film has what it read itself.
  if (spans.length === 0 || !(await isShared(library, asset._id, workerId))) return;
  const { folder, mark } = whereLeft(asset, plan, pinned);
  const key = leftSoundKey(folder, { start: spans[0]!.start, end: spans.at(-1)!.end });
  // Another ladder's chunk, or one that died over it, has left the same.
  if ((await blobs.head("sources", key)) !== null) return;
  const bytes = await readSpans(master.path, spans);
  const contentType = "application/octet-stream";
  await blobs.put("sources", key, packSound(mark, { spans, bytes }), { contentType });
  // Whoever was slow may come when the film has been published, and nobody would remove it any more.
  if (!(await isTaskOpen(library, task._id))) await blobs.remove("sources", [key]);
}

/** Where the sounds `streams` lie: by the list of samples, or all that is not picture of a stretch of a file that lists none. */
async function piecesOf(
  streams: readonly number[],
  master: PartialMaster,
  layout: SourceLayout,
  window: readonly ByteRange[],
): Promise<readonly ByteRange[]> {
  const isStream = "packetId" in layout;
  if (!isStream && layout.entries === null)
    return streams.flatMap((stream) => layout.tracks[stream] ?? []).flatMap(trackRanges);
  const [stretch, another] = window;
  // Who takes it takes it for all but the pictures.
  if (streams.length === 0 || stretch === undefined || another !== undefined) return [];
  if (master.absent(window).length > 0) return [];
  const pieces = isStream
    ? await besidePictures(master.path, stretch, layout.packetId)
    : await besideFrames(master.path, stretch, layout.entries!.picture.number);
  return pieces ?? [];
}

/** The streams of the master that sounds are made of. */
function ownSounds({ audio }: Pick<Plan, "audio">): number[] {
  return audio.filter(({ file }) => file === null).map(({ streamIndex }) => streamIndex);
}

/** Where the sounds that a plan makes of a master are left, and what marks them. */
export function whereLeft(
  { tenant, _id }: LeavingContext["asset"],
  plan: Pick<Plan, "audio">,
  pinned: Pick<PinnedSource, "key" | "etag">,
): { folder: string; mark: string } {
  const mark = soundMark(pinned, ownSounds(plan));
  return { folder: leftSoundsOf(tenant, _id, mark), mark };
}

/** Removes all that was left of an asset's sound. What cannot be removed goes with the asset. */
export async function removeLeftSound({
  blobs,
  asset,
  log,
}: Pick<LeavingContext, "blobs" | "asset" | "log">): Promise<void> {
  await blobs
    .removePrefix("sources", leftSounds(asset.tenant, asset._id))
    .catch((thrown) => log.warn({ assetId: asset._id, err: thrown }, "sound that was left is not removed"));
}
