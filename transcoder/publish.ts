import { gunzipSync, gzipSync } from "node:zlib";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { Failure } from "../core/errors.ts";
import { blockingFindings, heldFailure } from "../core/findings.ts";
import { packagePrefix } from "../core/keys.ts";
import { buildPackage, type Package } from "../core/package.ts";
import { imageRenditions } from "../core/posters.ts";
import { joinTracks } from "../core/produced-track.ts";
import { qualityOfWindows } from "../core/quality.ts";
import { expectedObjects } from "../core/read-parts.ts";
import type { Rendition } from "../core/records/asset.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { segmentCount, timelineSeconds } from "../core/timeline.ts";
import { tasksOfAsset } from "../stores/library/tasks.ts";
import { publishAsset } from "../stores/library/work.ts";
import { describeStoredText, passGate } from "./gate.ts";
import { removeLeftSound } from "./leave-sound.ts";
import { makeAgain } from "./make-again.ts";
import { passProof } from "./pass-proof.ts";
import { requirePlanned } from "./planned-asset.ts";
import { takeReadings } from "./take-readings.ts";
import type { TaskContext } from "./task-context.ts";
import { type FactsOfPackage, verifyInits, verifyObjects } from "./verify.ts";
import { verifyImages } from "./verify-images.ts";

/**
 * Verify → package → gate → proof → publish. Playlists are made from produced bytes, everything has been read back, here or in the
 * parts of a long film, and a little of each part is played, and only then does one compare-and-set move the pointer that viewers
 * follow. May be run again from any point. Not begun where a finding stops it that nobody has waived.
 */
export async function publish(context: TaskContext): Promise<TaskResult> {
  const { plan, generation } = requirePlanned(context.asset);
  const blocking = blockingFindings(context.asset);
  if (blocking.length > 0) throw heldFailure(blocking);
  const tasks = (await tasksOfAsset(context.library, context.asset._id)).filter(
    (task) => task.generation === generation,
  );
  const results = tasks.flatMap((task) =>
    task.kind !== "publish" && task.kind !== "preview" && task.result !== null ? [task.result] : [],
  );
  const tracks = joinTracks(results, segmentCount(plan.timeline));

  const prefix = packagePrefix(context.asset._id, generation);
  const facts: FactsOfPackage = { prefix, objects: new Map() };
  const images = results.flatMap((result) => result.images);
  const texts = results.flatMap((result) => result.texts ?? []);
  const parts = results.flatMap((result) => result.read ?? []);
  const expected = expectedObjects(plan, tracks, texts);
  const unread = await takeReadings(context, expected, parts, facts);
  const { bad } = await verifyObjects(context.blobs, unread, context.signal, facts);
  bad.push(...(await verifyImages(context.blobs, images, timelineSeconds(plan.timeline))));
  if (bad.length > 0) throw await makeAgain(context, bad);
  await verifyInits(context.blobs, tracks, facts);
  context.report(0.6);
  const made = buildPackage(plan, tracks, texts);
  await storePlaylists(context, made, facts);
  await passGate(context, generation, facts.objects);
  context.report(0.7);
  await passProof(context, tracks);
  context.report(0.9);
  await removeLeftSound(context);
  context.signal.throwIfAborted();
  const won = await publishAsset(context.library, context.asset, {
    generation,
    durationSeconds: timelineSeconds(plan.timeline),
    renditions: [...withSampledQuality(made.renditions, results), ...imageRenditions(images)],
  });
  context.log.info(
    { assetId: context.asset._id, generation, won, objects: expected.length, readHere: unread.length },
    won ? "published" : "had been published already",
  );
  return { tracks: [], images: [] };
}

/** Manifest last: media playlists first, the multivariant one at the very end, each read back. */
async function storePlaylists(
  context: TaskContext,
  made: Package,
  { prefix, objects }: FactsOfPackage,
): Promise<void> {
  for (const { path, text } of made.playlists) {
    context.signal.throwIfAborted();
    const key = prefix + path;
    // Apple 10.1: playlists MUST be gzip; stored so, every edge can hand them on as they are.
    await context.blobs.put("media", key, gzipSync(text, { level: 9 }), {
      contentType: contentTypeOf(path),
      contentEncoding: "gzip",
      cacheControl: "public, max-age=31536000, immutable",
      createOnce: true,
    });
    const stored = await context.blobs.read("media", key);
    if (stored === null || gunzipSync(stored).toString("utf8") !== text) {
      throw new Failure("transient", "internal", `The playlist ${path} did not read back.`);
    }
    objects.set(path, describeStoredText(path, text, stored));
  }
}

function withSampledQuality(renditions: readonly Rendition[], results: readonly TaskResult[]): Rendition[] {
  const scores = results.flatMap((result) => result.scores ?? []);
  return renditions.map((rendition) => {
    const own = scores.filter(({ trackId }) => trackId === rendition.id);
    const sampledQuality = qualityOfWindows(
      "vmaf",
      own.map(({ window, vmaf }) => ({ window, frames: vmaf })),
    );
    return sampledQuality === null ? rendition : { ...rendition, sampledQuality };
  });
}
