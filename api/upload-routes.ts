import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound, requestFailure } from "../core/errors.ts";
import { sourceKey } from "../core/keys.ts";
import type { Caller } from "../core/records/account.ts";
import type { UploadRecord } from "../core/records/upload.ts";
import { createAsset, findAsset } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import { findTitle } from "../stores/library/titles.ts";
import { countOpenUploads, createUpload, findUpload } from "../stores/library/uploads.ts";
import { audioRoles } from "./asset-view.ts";
import { atLeast } from "./auth.ts";
import { type Completions, closed, completeUpload, endUpload } from "./complete-upload.ts";
import { BEARER, IDEMPOTENT, idParams, instant, jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { encodingChoice, encodingOf } from "./encoding-choice.ts";
import { type IdMaker, once } from "./idempotency.ts";
import { reapUpload } from "./reap-uploads.ts";
import { trackLabel, trackLanguage } from "./track-form.ts";
import { layOutParts, MAX_SOURCE_BYTES, partLength } from "./upload-parts.ts";

const newUpload = z
  .strictObject({
    filename: z.string().min(1).max(255),
    sizeBytes: z.number().int().min(1).max(MAX_SOURCE_BYTES),
    contentType: z
      .string()
      .max(100)
      .regex(/^[\w.+-]+\/[\w.+-]+$/)
      .optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional(),
    titleId: z.string().min(1).max(100).optional(),
    encoding: encodingChoice.optional(),
    /** Another master for an asset that is there. */
    assetId: z.string().min(1).max(100).optional(),
    /** Sound beside the master of an asset that is there. */
    track: z
      .strictObject({
        assetId: z.string().min(1).max(100),
        kind: z.literal("audio"),
        language: trackLanguage,
        label: trackLabel,
        role: audioRoles.optional(),
      })
      .optional(),
  })
  .refine(
    ({ assetId, track, titleId, encoding }) =>
      [assetId, track, titleId ?? encoding].filter((given) => given !== undefined).length <= 1,
    { path: ["assetId"], message: "goes neither with a track nor with what is said of a new asset" },
  )
  .openapi("NewUpload");

const uploadFacts = {
  id: z.string(),
  assetId: z.string(),
  state: z.enum(["open", "completed", "aborted", "expired"]),
  partSizeBytes: z.number().int(),
  partCount: z.number().int(),
  expiresAt: instant,
};
const openedUpload = z.object(uploadFacts).openapi("OpenedUpload");
const uploadStatus = z
  .object({
    ...uploadFacts,
    filename: z.string(),
    sizeBytes: z.number().int(),
    parts: z.array(z.object({ partNumber: z.number().int(), sizeBytes: z.number().int(), etag: z.string() })),
  })
  .openapi("Upload");

const wantedParts = z
  .strictObject({
    parts: z
      .array(
        z.strictObject({
          partNumber: z.number().int().min(1).max(10_000),
          // 32 bytes in base64.
          sha256: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
        }),
      )
      .min(1)
      .max(100),
  })
  .openapi("WantedParts");
const signedParts = z
  .object({
    parts: z.array(
      z.object({
        partNumber: z.number().int(),
        url: z.string(),
        method: z.literal("PUT"),
        headers: z.record(z.string(), z.string()),
        expiresAt: instant,
      }),
    ),
  })
  .openapi("SignedParts");

const common = { tags: ["Uploads"], security: BEARER, middleware: atLeast("editor") };
const openRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/uploads",
  summary: "Open an upload",
  request: { body: jsonBody(newUpload) },
  responses: { 201: jsonAnswer(openedUpload, "The upload, and how the file is to be cut") },
});
const partsRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/uploads/{id}/parts",
  summary: "Get presigned URLs for parts",
  request: { params: idParams, body: jsonBody(wantedParts) },
  responses: {
    200: jsonAnswer(signedParts, "One URL per part, good for that part's number, length and checksum"),
  },
});
const statusRoute = createRoute({
  ...common,
  method: "get",
  path: "/v1/uploads/{id}",
  summary: "What storage holds of the upload",
  request: { params: idParams },
  responses: { 200: jsonAnswer(uploadStatus, "The upload") },
});
const completeRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/uploads/{id}/complete",
  summary: "All parts are sent",
  request: { params: idParams, body: { content: { "application/json": { schema: z.strictObject({}) } } } },
  responses: {
    202: jsonAnswer(z.object({ assetId: z.string() }).openapi("Completed"), "The asset is being made"),
  },
});
const abortRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/uploads/{id}",
  summary: "Call the upload off",
  request: { params: idParams },
  responses: { 204: { description: "Its parts are gone" } },
});

/** Uploads: bytes go straight to blob storage, the API only opens, signs, lists and completes. */
export function uploadRoutes(deps: ApiDeps) {
  const { library, blobs } = deps;
  const running: Completions = new Map();
  return new OpenAPIHono<ApiEnv>()
    .openapi(openRoute, async (c) => {
      const body = c.req.valid("json");
      const answer = await once(c, library, body, (makeId) =>
        openUpload(deps, c.get("caller"), body, makeId),
      );
      return c.json(answer, 201, { Location: `/v1/uploads/${answer.id}` });
    })
    .openapi(partsRoute, async (c) => {
      const upload = await found(deps, c.get("caller"), c.req.valid("param").id);
      return c.json({ parts: await signParts(deps, upload, c.req.valid("json").parts) }, 200);
    })
    .openapi(statusRoute, async (c) => {
      const upload = await found(deps, c.get("caller"), c.req.valid("param").id);
      const ref = { key: upload.sourceKey, multipartId: upload.multipartId };
      const stored = upload.state === "open" ? ((await blobs.listParts(ref)) ?? []) : [];
      const parts = stored.map(({ partNumber, sizeBytes, etag }) => ({ partNumber, sizeBytes, etag }));
      const { filename, sizeBytes } = upload;
      return c.json({ ...presentUpload(upload), filename, sizeBytes, parts }, 200);
    })
    .openapi(completeRoute, async (c) => {
      const { assetId } = await completeUpload(
        deps,
        running,
        c.get("caller").tenant,
        c.req.valid("param").id,
      );
      return c.json({ assetId }, 202);
    })
    .openapi(abortRoute, async (c) => {
      const upload = await found(deps, c.get("caller"), c.req.valid("param").id);
      await abortUpload(deps, upload);
      return c.body(null, 204);
    });
}

async function found({ library }: ApiDeps, caller: Caller, id: string): Promise<UploadRecord> {
  const upload = await findUpload(library, caller.tenant, id);
  if (upload === null) throw notFound("upload");
  return upload;
}

async function openUpload(deps: ApiDeps, caller: Caller, body: z.infer<typeof newUpload>, makeId: IdMaker) {
  const { library, blobs, config } = deps;
  const { tenant, subject: ownerId } = caller;
  const titleId = body.titleId ?? null;
  if (titleId !== null && (await findTitle(library, tenant, titleId)) === null) {
    const fields = [{ path: "titleId", message: "is not a title" }];
    throw requestFailure(400, "invalid_request", "The request is not valid.", fields);
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
    throw requestFailure(400, "invalid_request", "The request is not valid.", fields);
  }
  if (track === undefined) return { assetId: wanted, target: { kind: "master" } };
  const { language, label, role = "main" } = track;
  return { assetId: wanted, target: { kind: "sound", sidecarId: makeId("sc"), language, label, role } };
}

async function signParts(
  { library, blobs, config }: ApiDeps,
  upload: UploadRecord,
  wanted: { partNumber: number; sha256: string }[],
) {
  if (upload.state !== "open") throw closed(upload.state);
  const now = library.serverNow();
  if (upload.expiresAt <= now) throw closed("expired");
  const unknown = wanted.flatMap(({ partNumber }, index) =>
    partNumber > upload.partCount
      ? [{ path: `parts.${index}.partNumber`, message: `must be ≤${upload.partCount}` }]
      : [],
  );
  if (unknown.length > 0) throw requestFailure(400, "invalid_request", "The request is not valid.", unknown);
  const expiresInSeconds = config.uploads.partUrlSeconds;
  const expiresAt = new Date(now.getTime() + expiresInSeconds * 1000).toISOString();
  return Promise.all(
    wanted.map(async ({ partNumber, sha256 }) => {
      const { url, headers } = await blobs.presignPart({
        key: upload.sourceKey,
        multipartId: upload.multipartId,
        partNumber,
        sizeBytes: partLength(upload, partNumber),
        sha256Base64: sha256,
        expiresInSeconds,
      });
      return { partNumber, url, method: "PUT" as const, headers, expiresAt };
    }),
  );
}

async function abortUpload(deps: ApiDeps, upload: UploadRecord): Promise<void> {
  if (upload.state === "completed") throw closed("completed");
  if (upload.state === "open") {
    const completing = upload.completingUntil !== null && upload.completingUntil > deps.library.serverNow();
    if (completing || !(await endUpload(deps.library, upload, "aborted"))) {
      throw requestFailure(409, "upload_busy", "The upload is being completed right now.");
    }
  }
  await reapUpload(deps, upload);
}

function presentUpload(upload: UploadRecord) {
  const { _id: id, assetId, state, partSizeBytes, partCount, expiresAt } = upload;
  return { id, assetId, state, partSizeBytes, partCount, expiresAt: expiresAt.toISOString() };
}
