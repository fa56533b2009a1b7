import type { z } from "@hono/zod-openapi";
import { invalidFields, requestFailure } from "../core/errors.ts";
import { sourceKey } from "../core/keys.ts";
import type { Caller } from "../core/records/account.ts";
import type { UploadRecord } from "../core/records/upload.ts";
import { createAsset, findAsset } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import { findTitle } from "../stores/library/titles.ts";
import { countOpenUploads, createUpload } from "../stores/library/uploads.ts";
import type { ApiDeps } from "./deps.ts";
import { encodingOf } from "./encoding-choice.ts";
import type { IdMaker } from "./idempotency.ts";
import { type newUpload, presentUpload } from "./upload-form.ts";
import { layOutParts } from "./upload-parts.ts";

/**
 * Opens an upload, and makes the asset that it is of where it is of a new one. Under an Idempotency-Key it may be done
 * again at any point. Throws 400 on what it names and is not there, 409 where too many are open.
 */
export async function openUpload(
  deps: ApiDeps,
  caller: Caller,
  body: z.infer<typeof newUpload>,
  makeId: IdMaker,
) {
  const { library, blobs, config } = deps;
  const { tenant, subject: ownerId } = caller;
  const titleId = body.titleId ?? null;
  if (titleId !== null && (await findTitle(library, tenant, titleId)) === null) {
    const fields = [{ path: "titleId", message: "is not a title" }];
    throw invalidFields(fields);
  }
  if ((await countOpenUploads(library, tenant, ownerId)) >= config.uploads.maxOpenPerAccount) {
    throw requestFailure(409, "too_many_open_uploads", "Finish or call off some of the open uploads first.");
  }
  // Whatever is refused is refused before anything is opened.
  const encoding = encodingOf(body.encoding, config);
  const aim = await aimOf(library, tenant, body, makeId);
  const id = makeId("up");
  const key = sourceKey(tenant, id);
  // The type is ours: what the client says of the file is never served to anybody (RELIABILITY T12).
  const multipartId = await blobs.createMultipart(key, "application/octet-stream");
  const now = library.serverNow();
  const upload = await createUpload(library, {
    _id: id,
    tenant,
    ownerId,
    ...aim,
    state: "open",
    version: 1,
    filename: body.filename,
    contentType: body.contentType ?? null,
    sizeBytes: body.sizeBytes,
    sha256: body.sha256?.toLowerCase() ?? null,
    ...layOutParts(body.sizeBytes),
    multipartId,
    sourceKey: key,
    createdAt: now,
    expiresAt: new Date(now.getTime() + config.uploads.openSeconds * 1000),
    reapedAt: null,
    completingUntil: null,
  }).catch(async (thrown) => {
    await blobs.abortMultipart({ key, multipartId }).catch(() => undefined);
    throw thrown;
  });
  // The same request again after a crash: the first multipart upload is the one on record.
  if (upload.multipartId !== multipartId) await blobs.abortMultipart({ key, multipartId });
  if (upload.target.kind !== "new") return presentUpload(upload);
  await createAsset(library, {
    id: upload.assetId,
    tenant,
    ownerId,
    titleId,
    filename: body.filename,
    encoding,
  });
  return presentUpload(upload);
}

/** Which asset the upload is for, and what it becomes of it. Throws 400 where that is no asset that may take it. */
async function aimOf(
  library: Library,
  tenant: string,
  { assetId, track }: z.infer<typeof newUpload>,
  makeId: IdMaker,
): Promise<Pick<UploadRecord, "assetId" | "target">> {
  const wanted = track?.assetId ?? assetId;
  if (wanted === undefined) return { assetId: makeId("as"), target: { kind: "new" } };
  const asset = await findAsset(library, tenant, wanted);
  // One whose own upload is not finished has no master to replace or to stand beside.
  if (asset === null || asset.state === "deleted" || asset.state === "waiting") {
    const path = track === undefined ? "assetId" : "track.assetId";
    const fields = [{ path, message: "is not an asset whose upload is finished" }];
    throw invalidFields(fields);
  }
  if (track === undefined) return { assetId: wanted, target: { kind: "master" } };
  const { language, label, role = "main" } = track;
  return { assetId: wanted, target: { kind: "sound", sidecarId: makeId("sc"), language, label, role } };
}
