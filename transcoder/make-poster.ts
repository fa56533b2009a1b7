import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import { POSTER_PATH, packagePrefix } from "../core/keys.ts";
import type { TaskResult } from "../core/records.ts";
import { runFfmpeg } from "./ffmpeg-run.ts";
import { requirePlanned } from "./planned-asset.ts";
import { POSTER_FILE, posterRecipe, posterSize } from "./poster-recipe.ts";
import type { TaskContext } from "./task-context.ts";

/** Takes a typical frame of the film as its poster and stores it. */
export async function makePoster(context: TaskContext): Promise<TaskResult> {
  const { plan, source, pinned, generation } = requirePlanned(context.asset);
  const image = await context.scratch.withSource(pinned, context.signal, (sourcePath) =>
    context.scratch.withDirectory(async (outputDirectory) => {
      const budget = { mediaSeconds: 10, outputBytes: 8 * 2 ** 20, frames: null };
      await runFfmpeg(context, posterRecipe(source, plan), sourcePath, outputDirectory, budget);
      return readFile(join(outputDirectory, POSTER_FILE.replace("/out/", "")));
    }),
  );
  // ITU-T T.81 B.1.1.3: every JPEG begins with SOI.
  if (image[0] !== 0xff || image[1] !== 0xd8)
    throw new Failure("ours", "encode_failed", "The poster is not a picture.");
  const key = packagePrefix(context.asset._id, generation) + POSTER_PATH;
  await context.blobs.put("media", key, image, {
    contentType: "image/jpeg",
    cacheControl: "public, max-age=31536000, immutable",
    createOnce: true,
  });
  return { tracks: [], images: [{ key, bytes: image.length, ...posterSize(plan) }] };
}
