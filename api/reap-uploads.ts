import type { UploadRecord } from "../core/records/upload.ts";
import { findAsset } from "../stores/library/assets.ts";
import {
  listAbandonedCompletions,
  listExpiredUploads,
  listUnreapedUploads,
  markUploadReaped,
} from "../stores/library/uploads.ts";
import { type CompletionParts, completeUpload, endUpload, giveUpItsAsset } from "./complete-upload.ts";

/** How many of each kind one round takes up. */
const ROUND = 100;

/**
 * One round: finishes what a vanished completer left, expires what is over its time, and frees the storage of dead
 * uploads (RELIABILITY T20: no store lists or expires multipart uploads reliably, so our records do). One upload's
 * failure is logged and leaves the others their turn. Several processes may run it at once.
 */
export async function reapUploads(parts: CompletionParts): Promise<void> {
  const { library } = parts;
  for (const upload of await listAbandonedCompletions(library, ROUND)) {
    await tried(parts, upload, completeUpload(parts, new Map(), upload.tenant, upload._id));
  }
  for (const upload of await listExpiredUploads(library, ROUND)) {
    await tried(parts, upload, endUpload(library, upload, "expired"));
  }
  for (const upload of await listUnreapedUploads(library, ROUND)) {
    await tried(parts, upload, buryUpload(parts, upload));
  }
}

async function tried({ log }: CompletionParts, upload: UploadRecord, work: Promise<unknown>): Promise<void> {
  await work.catch((thrown) => log.warn({ uploadId: upload._id, err: thrown }, "upload not reaped"));
}

/** Whoever ended it may have died before the asset that waits for it was told. */
async function buryUpload(parts: CompletionParts, upload: UploadRecord): Promise<void> {
  await giveUpItsAsset(parts.library, upload);
  await reapUpload(parts, upload);
}

/**
 * Frees what storage holds of a dead upload, and notes it. The object itself stays where the asset got it after all: a
 * completer whose lease had run out may have handed it over before the upload was ended.
 */
export async function reapUpload(
  { library, blobs }: Pick<CompletionParts, "library" | "blobs">,
  upload: UploadRecord,
) {
  await blobs.abortMultipart({ key: upload.sourceKey, multipartId: upload.multipartId });
  const asset = await findAsset(library, upload.tenant, upload.assetId);
  const files = asset === null ? [] : [asset.pinned, ...asset.sidecars];
  // Once replaced it is the collector's to remove: a generation may still need it.
  const taken =
    files.some((file) => file?.key === upload.sourceKey) || asset?.retiredSources.includes(upload.sourceKey);
  if (!taken) await blobs.remove("sources", [upload.sourceKey]);
  await markUploadReaped(library, upload);
}
