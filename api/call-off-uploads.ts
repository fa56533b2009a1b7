import type { AssetRecord } from "../core/records/asset.ts";
import type { UploadRecord } from "../core/records/upload.ts";
import type { Library } from "../stores/library/connect.ts";
import { closeUpload, listOpenUploads } from "../stores/library/uploads.ts";
import type { ApiDeps } from "./deps.ts";
import { reapUpload } from "./reap-uploads.ts";

/** Whether somebody holds the right to complete the upload: it is theirs to end. */
export function isBeingCompleted({ completingUntil }: UploadRecord, library: Library): boolean {
  return completingUntil !== null && completingUntil > library.serverNow();
}

/**
 * Ends what is still being uploaded for an asset, does `change` to the asset, and frees the storage of what was ended.
 * The uploads go first: where the process dies in between, the reaper gives up the asset that waited for one. One that is
 * being completed right now is left to its completer, who finds that the asset is gone and ends it.
 */
export async function callingOffUploads<T>(
  { library, blobs, log }: ApiDeps,
  asset: Pick<AssetRecord, "_id" | "tenant">,
  change: () => Promise<T>,
): Promise<T> {
  const ended: UploadRecord[] = [];
  for (const upload of await listOpenUploads(library, asset.tenant, asset._id)) {
    if (isBeingCompleted(upload, library)) continue;
    const closed = await closeUpload(library, upload, "aborted");
    if (closed !== null) ended.push(closed);
  }
  const changed = await change();
  for (const upload of ended) {
    await reapUpload({ library, blobs }, upload).catch((thrown) =>
      log.warn({ uploadId: upload._id, err: thrown }, "upload not reaped"),
    );
  }
  return changed;
}
