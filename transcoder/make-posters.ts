import { fitWithin } from "../core/image-size.ts";
import { allRungs, type Plan } from "../core/plan.ts";
import { choosePosters, type GreyPicture } from "../core/poster-choice.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import type { ImageRecord } from "../core/records/task-result.ts";
import { timelineSeconds } from "../core/timeline.ts";
import { drawStills } from "./draw-stills.ts";
import { keyframeSeconds, keyframesOf, readFragmentsAt } from "./read-cells.ts";
import { posterFile, posterRecipe } from "./still-recipe.ts";
import { storeJpeg } from "./store-image.ts";
import type { TaskContext } from "./task-context.ts";

/** Offered to the content team: a row that can be seen at once. */
const MOST_POSTERS = 6;
const LONGEST_SIDE = 1280;

/** Makes and stores posters of the moments that look best, best first, from keyframes of the largest rung. */
export async function makePosters(
  context: TaskContext,
  plan: Plan,
  top: ProducedTrack,
  pictures: readonly GreyPicture[],
): Promise<ImageRecord[]> {
  const keyframes = new Map(keyframesOf(top).map((place) => [keyframeSeconds(top, place), place]));
  // Both tracks have one timescale, so equal instants are equal numbers.
  const candidates = pictures.filter(({ atSeconds }) => keyframes.has(atSeconds));
  const wish = { durationSeconds: timelineSeconds(plan.timeline), most: MOST_POSTERS };
  const best = choosePosters(candidates, wish).map((index) => candidates[index]!.atSeconds);
  const inOrder = best.toSorted((a, b) => a - b);
  const places = inOrder.map((atSeconds) => keyframes.get(atSeconds)!);
  const video = { bytes: await readFragmentsAt(context, top, places), pictures: places.length };
  const rung = allRungs(plan).find(({ id }) => id === top.trackId)!;
  const size = fitWithin(rung, LONGEST_SIDE);
  const files = await drawStills(
    context,
    posterRecipe(size),
    video,
    inOrder.map((_, index) => posterFile(index)),
  );
  const posters = best.map((atSeconds, rank) => {
    const facts = { kind: "poster" as const, id: `poster-${rank}`, atSeconds };
    return storeJpeg(context, facts, size, files[inOrder.indexOf(atSeconds)]!);
  });
  return Promise.all(posters);
}
