import { gunzipSync } from "node:zlib";
import { jpegSize, type Size } from "../core/image-size.ts";
import type { ImageRecord } from "../core/records/task-result.ts";
import { storyboardFault } from "../core/storyboard.ts";
import type { Blobs } from "../stores/blobs.ts";
import { sha256 } from "./cells.ts";
import type { DamagedObject } from "./make-again.ts";

/**
 * Reads every picture back from storage and compares: bytes, digest and size as recorded, and a storyboard that shows
 * all of the film with places that its sheets have. What it returns must be made again.
 */
export async function verifyImages(
  blobs: Blobs,
  images: readonly ImageRecord[],
  durationSeconds: number,
): Promise<DamagedObject[]> {
  const sheets = new Map(
    images.filter(({ kind }) => kind === "sheet").map((image): [string, Size] => [`${image.id}.jpg`, image]),
  );
  const damaged: DamagedObject[] = [];
  for (const image of images) {
    const bytes = await blobs.read("media", image.key);
    const reason = bytes === null ? "missing" : faultOf(image, bytes, sheets, durationSeconds);
    if (reason !== null) damaged.push({ key: image.key, reason });
  }
  return damaged;
}

function faultOf(
  image: ImageRecord,
  bytes: Uint8Array,
  sheets: ReadonlyMap<string, Size>,
  durationSeconds: number,
): string | null {
  if (bytes.length !== image.bytes || sha256(bytes) !== image.sha256)
    return "not the bytes that were written";
  if (image.kind === "storyboard")
    return storyboardFault(gunzipSync(bytes).toString("utf8"), sheets, durationSeconds);
  const { width, height } = jpegSize(bytes);
  return width === image.width && height === image.height ? null : `is ${width}×${height}`;
}
