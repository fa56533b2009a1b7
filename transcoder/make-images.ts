import { Failure } from "../core/errors.ts";
import { joinTracks, type ProducedTrack } from "../core/produced-track.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { segmentCount } from "../core/timeline.ts";
import { tasksOfAsset } from "../stores/library/tasks.ts";
import { makePosters } from "./make-posters.ts";
import { makeStoryboard } from "./make-storyboard.ts";
import { type PlannedAsset, requirePlanned } from "./planned-asset.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * The storyboard, and the posters of the moments that look best in it. All of it from what was encoded: the small
 * pictures for seeking say where to look, and a handful of the largest rung's keyframes are decoded. So it costs the same
 * for every length of film, needs no master, and shows shape and colours as the film does.
 */
export async function makeImages(context: TaskContext): Promise<TaskResult> {
  const planned = requirePlanned(context.asset);
  const { trick, top } = await producedTracks(context, planned);
  const { images, pictures } = await makeStoryboard(context, planned.plan, trick);
  context.report(0.5);
  const posters = await makePosters(context, planned.plan, top, pictures);
  return { tracks: [], images: [...posters, ...images] };
}

/** The pictures for seeking, and the largest rung of the ladder that they were made with. */
async function producedTracks(
  { library, asset }: TaskContext,
  { plan, generation }: PlannedAsset,
): Promise<{ trick: ProducedTrack; top: ProducedTrack }> {
  const ladder = plan.ladders.find(({ id }) => id === plan.trickPlay.ladderId);
  const wanted = [plan.trickPlay.id, ladder?.rungs[0]?.id];
  const results = (await tasksOfAsset(library, asset._id)).flatMap((task) =>
    task.generation === generation && task.kind === "video" && task.result !== null
      ? [
          {
            ...task.result,
            tracks: task.result.tracks.filter(({ trackId }) => wanted.includes(trackId)),
          },
        ]
      : [],
  );
  const tracks = joinTracks(results, segmentCount(plan.timeline));
  const [trick, top] = wanted.map((id) => tracks.get(id ?? ""));
  if (trick === undefined || top === undefined)
    throw new Failure("ours", "internal", "The pictures that stills are made from are missing.");
  return { trick, top };
}
