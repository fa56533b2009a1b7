import { Failure } from "../core/errors.ts";
import { chunksOf } from "../core/film-parts.ts";
import { packagePrefix } from "../core/keys.ts";
import type { Plan } from "../core/plan.ts";
import { joinTracks } from "../core/produced-track.ts";
import { type ExpectedObject, expectedObjects } from "../core/read-parts.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { segmentCount } from "../core/timeline.ts";
import { resultsOfChunks } from "../stores/library/tasks.ts";
import { makeAgain } from "./make-again.ts";
import { packFacts } from "./pack-facts.ts";
import { requirePlanned } from "./planned-asset.ts";
import type { TaskContext } from "./task-context.ts";
import { type FactsOfPackage, verifyObjects } from "./verify.ts";

/**
 * Reads back one part of a long film as soon as it lies in storage: of a ladder the chunks of one part of the film, or a whole sound
 * or text. What does not read back is made again. The publication takes its word for what has not changed since.
 */
export async function verifyPart(context: TaskContext): Promise<TaskResult> {
  const { library, blobs, asset, signal } = context;
  const { generation } = requirePlanned(asset);
  const expected = await expectedOfPart(context);
  const facts: FactsOfPackage = { prefix: packagePrefix(asset._id, generation), objects: new Map() };
  const sinceSeconds = Math.floor(library.serverNow().getTime() / 1000);
  const { read, bad } = await verifyObjects(blobs, expected, signal, facts, context.report);
  if (bad.length > 0) throw await makeAgain(context, bad);
  const packed = packFacts([...facts.objects.values()]);
  return { tracks: [], images: [], read: { sinceSeconds, objects: read, facts: packed } };
}

async function expectedOfPart({ library, asset, task }: TaskContext): Promise<ExpectedObject[]> {
  const { plan, generation } = requirePlanned(asset);
  const { part, chunk } = task;
  const ofPart = { assetId: asset._id, generation, part };
  if (!plan.ladders.some(({ id }) => id === part)) {
    const kind = plan.audio.some(({ id }) => id === part) ? "audio" : "subtitle";
    const results = await resultsOfChunks(library, { ...ofPart, kind }, { first: 0, end: 1 });
    return expectedIn(plan, results, 1, { firstSegment: 0, segments: segmentCount(plan.timeline) });
  }
  const span = chunksOf(chunk);
  const chunks = plan.chunks.slice(span.first, span.end);
  const results = await resultsOfChunks(library, { ...ofPart, kind: "video" }, span);
  return expectedIn(plan, results, chunks.length, {
    firstSegment: chunks[0]?.firstSegment ?? 0,
    segments: chunks.reduce((sum, one) => sum + one.segmentCount, 0),
  });
}

/** Throws where not all of the tasks have their result: one may just have been opened again. */
function expectedIn(
  plan: Plan,
  results: readonly TaskResult[],
  tasks: number,
  { firstSegment, segments }: { firstSegment: number; segments: number },
): ExpectedObject[] {
  if (results.length !== tasks)
    throw new Failure("transient", "internal", "Not all that is to be read back is there.");
  const tracks = joinTracks(results, segments, firstSegment);
  return expectedObjects(
    plan,
    tracks,
    results.flatMap(({ texts }) => texts ?? []),
  );
}
