import { Failure } from "../core/errors.ts";
import { chunksLookedAt } from "../core/film-parts.ts";
import { type LookSpan, lookSpan } from "../core/look-parts.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { resultsOfChunks } from "../stores/library/tasks.ts";
import { lookAt, type SomeCells } from "./measure-picture.ts";
import { requirePlanned } from "./planned-asset.ts";
import type { TaskContext } from "./task-context.ts";

/** Looks at one part of a long film as soon as its pictures are there; what all parts saw becomes findings in `inspect`. */
export async function look(context: TaskContext): Promise<TaskResult> {
  const { plan, generation } = requirePlanned(context.asset);
  const { part: ladderId, chunk: part } = context.task;
  const bottom = plan.ladders.find(({ id }) => id === ladderId)?.rungs.at(-1);
  if (bottom === undefined)
    throw new Failure("ours", "internal", "The task names a ladder that the plan does not have.");
  const span = lookSpan(plan, part);
  const ladder = { assetId: context.asset._id, generation, kind: "video" as const, part: ladderId };
  const results = await resultsOfChunks(context.library, ladder, chunksLookedAt(part));
  const picture = pictureIn(results, bottom.id, span);
  const seen = await lookAt(context, plan.timeline, { picture, span });
  return { tracks: [], images: [], seen };
}

/** The cells of one rung in a span of the film, in order. Throws where one has not been made. */
function pictureIn(
  results: readonly TaskResult[],
  rungId: string,
  { firstSegment, endSegment }: LookSpan,
): SomeCells {
  const tracks = results.flatMap((result) => result.tracks).filter(({ trackId }) => trackId === rungId);
  const cells = tracks
    .flatMap((track) => track.cells)
    .filter(({ segment }) => segment >= firstSegment && segment < endSegment)
    .toSorted((a, b) => a.segment - b.segment);
  if (tracks[0] === undefined || cells.length !== endSegment - firstSegment)
    throw new Failure("transient", "internal", "Not all of the pictures to look at are there.");
  return { initKey: tracks[0].initKey, cells };
}
