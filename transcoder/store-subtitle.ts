import { gzipSync } from "node:zlib";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { packagePrefix, textSegmentName, trackFolder, WHOLE_TEXT_NAME } from "../core/keys.ts";
import type { TextCellRecord, TextResult } from "../core/records/task-result.ts";
import { type Cue, segmentBordersMs } from "../core/subtitle-cues.ts";
import { segmentTexts, wholeText } from "../core/subtitle-write.ts";
import { segmentFrames, type Timeline } from "../core/timeline.ts";
import { sha256 } from "./cells.ts";
import type { TaskContext } from "./task-context.ts";

const PARALLEL_PUTS = 4;

/** Writes a text track's segments and its one whole file, once each, gzipped as playlists are. */
export async function storeText(
  context: TaskContext,
  place: { assetId: string; generation: string; trackId: string },
  cues: readonly Cue[],
  timeline: Timeline,
): Promise<TextResult> {
  const folder = packagePrefix(place.assetId, place.generation) + trackFolder("text", place.trackId);
  const put = async (name: string, text: string) => {
    context.signal.throwIfAborted();
    const key = folder + name;
    const bytes = gzipSync(text, { level: 9 });
    await context.blobs.put("media", key, bytes, {
      contentType: contentTypeOf(name),
      contentEncoding: "gzip",
      cacheControl: "public, max-age=31536000, immutable",
      createOnce: true,
    });
    return { key, bytes: bytes.length, textBytes: Buffer.byteLength(text), sha256: sha256(bytes) };
  };
  const texts = segmentTexts(cues, segmentBordersMs(timeline));
  const cells: TextCellRecord[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let segment = next++; segment < texts.length; segment = next++) {
      const durationTicks = segmentFrames(timeline, segment).frameCount * timeline.ticksPerFrame;
      const stored = await put(textSegmentName(segment), texts[segment] ?? "");
      cells[segment] = { ...stored, segment, durationTicks, keyframes: [] };
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_PUTS }, lane));
  return {
    trackId: place.trackId,
    whole: await put(WHOLE_TEXT_NAME, wholeText(cues)),
    cueCount: cues.length,
    cells,
  };
}
