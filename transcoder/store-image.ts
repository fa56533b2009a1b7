import { jpegSize, type Size } from "../core/image-size.ts";
import { IMAGES_FOLDER, packagePrefix } from "../core/keys.ts";
import type { ImageRecord } from "../core/records/task-result.ts";
import { sha256 } from "./cells.ts";
import type { TaskContext } from "./task-context.ts";

/** What a picture is, beside its bytes. */
export type ImageFacts = Pick<ImageRecord, "kind" | "id" | "atSeconds">;

/** Stores a JPEG as `images/<id>.jpg`, once. Throws where it is none of this size. */
export async function storeJpeg(
  context: TaskContext,
  facts: ImageFacts,
  size: Size,
  bytes: Uint8Array,
): Promise<ImageRecord> {
  const { width, height } = jpegSize(bytes);
  if (width !== size.width || height !== size.height)
    throw new RangeError(`${facts.id} is ${width}×${height}, not ${size.width}×${size.height}`);
  return storeImage(context, facts, size, bytes, "jpg");
}

/** Stores a storyboard's text (as WebVTT, gzipped like every text of a package), once. */
export function storeVtt(
  context: TaskContext,
  facts: ImageFacts,
  size: Size,
  gzipped: Uint8Array,
): Promise<ImageRecord> {
  return storeImage(context, facts, size, gzipped, "vtt");
}

async function storeImage(
  context: TaskContext,
  facts: ImageFacts,
  { width, height }: Size,
  bytes: Uint8Array,
  ending: "jpg" | "vtt",
): Promise<ImageRecord> {
  const prefix = packagePrefix(context.asset._id, context.task.generation ?? "");
  const key = `${prefix}${IMAGES_FOLDER}${facts.id}.${ending}`;
  await context.blobs.put("media", key, bytes, {
    ...(ending === "jpg"
      ? { contentType: "image/jpeg" }
      : { contentType: "text/vtt; charset=utf-8", contentEncoding: "gzip" }),
    cacheControl: "public, max-age=31536000, immutable",
    createOnce: true,
  });
  return { ...facts, key, bytes: bytes.length, sha256: sha256(bytes), width, height };
}
