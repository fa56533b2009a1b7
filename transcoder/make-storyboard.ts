import { gzipSync } from "node:zlib";
import { Failure } from "../core/errors.ts";
import { fitWithin, type Size } from "../core/image-size.ts";
import type { Plan } from "../core/plan.ts";
import type { GreyPicture } from "../core/poster-choice.ts";
import { STORYBOARD_ID } from "../core/posters.ts";
import type { ProducedTrack } from "../core/produced-track.ts";
import type { ImageRecord } from "../core/records/task-result.ts";
import {
  planStoryboard,
  type Storyboard,
  sheetCount,
  sheetName,
  sheetSize,
  storyboardVtt,
} from "../core/storyboard.ts";
import { timelineSeconds } from "../core/timeline.ts";
import { drawStills } from "./draw-stills.ts";
import { keyframeSeconds, keyframesOf, readFragmentsAt } from "./read-cells.ts";
import { GREY_FILE, storyboardRecipe } from "./still-recipe.ts";
import { storeJpeg, storeVtt } from "./store-image.ts";
import type { TaskContext } from "./task-context.ts";

/** Of the grey pictures that posters are chosen by: enough to tell sharp from soft. */
const GREY_LONGEST_SIDE = 160;

/** Makes and stores the storyboard; also gives its pictures small and grey, to choose posters by. */
export async function makeStoryboard(
  context: TaskContext,
  plan: Plan,
  trick: ProducedTrack,
): Promise<{ images: ImageRecord[]; pictures: GreyPicture[] }> {
  const all = keyframesOf(trick);
  const board = planStoryboard(plan.trickPlay, all.length);
  const places = all.filter((_, index) => index % board.stride === 0);
  const startsSeconds = places.map((place) => keyframeSeconds(trick, place));
  const strip = await readFragmentsAt(context, trick, places);
  const grey = fitWithin(plan.trickPlay, GREY_LONGEST_SIDE);
  const { sheets, pixels } = await draw(context, board, grey, strip);
  const stored = sheets.map((bytes, index) => {
    const id = sheetName(index).replace(".jpg", "");
    return storeJpeg(context, { kind: "sheet", id }, sheetSize(board), bytes);
  });
  const text = storyboardVtt(board, startsSeconds, timelineSeconds(plan.timeline));
  const facts = { kind: "storyboard" as const, id: STORYBOARD_ID };
  stored.push(storeVtt(context, facts, board.thumb, gzipSync(text, { level: 9 })));
  const area = grey.width * grey.height;
  const pictures = startsSeconds.map((atSeconds, index) => ({
    atSeconds,
    ...grey,
    pixels: pixels.subarray(index * area, (index + 1) * area),
  }));
  return { images: await Promise.all(stored), pictures };
}

/** The sheets, and all grey pictures one after the other. */
async function draw(context: TaskContext, board: Storyboard, grey: Size, strip: Uint8Array) {
  const names = Array.from({ length: sheetCount(board) }, (_, index) => sheetName(index));
  const files = await drawStills(
    context,
    storyboardRecipe(board, grey),
    { bytes: strip, pictures: board.count },
    [GREY_FILE.replace("/out/", ""), ...names],
  );
  const [pixels = new Uint8Array(), ...sheets] = files;
  if (pixels.length !== board.count * grey.width * grey.height)
    throw new Failure("ours", "encode_failed", "The storyboard has not the pictures that were planned.");
  return { sheets, pixels };
}
