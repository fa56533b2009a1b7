import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound, requestFailure } from "../core/errors.ts";
import type { Caller } from "../core/records/account.ts";
import type { UploadRecord } from "../core/records/upload.ts";
import { findUploads } from "../stores/library/uploads.ts";
import { together } from "../stores/together.ts";
import { forRole } from "./auth.ts";
import { isBeingCompleted } from "./call-off-uploads.ts";
import { type Completions, closed, completeUpload, endUpload } from "./complete-upload.ts";
import { IDEMPOTENT, idParams, jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { once } from "./idempotency.ts";
import { openUpload } from "./open-upload.ts";
import { problemAnswer } from "./problem-answers.ts";
import { reapUpload } from "./reap-uploads.ts";
import { signParts } from "./sign-parts.ts";
import {
  newUpload,
  openedUpload,
  presentUpload,
  signedParts,
  uploadStatus,
  wantedParts,
} from "./upload-form.ts";

const common = { tags: ["Uploads"], ...forRole("editor") };
const openRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/uploads",
  summary: "Open an upload",
  request: { body: jsonBody(newUpload) },
  responses: { 201: jsonAnswer(openedUpload, "The upload, and how the file is to be cut", ["Location"]) },
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
    409: problemAnswer(
      "Parts are missing or wrong, each by its number in `errors` (`upload_incomplete`), or the upload was called off (`upload_aborted`) or is over (`upload_expired`)",
    ),
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
  // Those who upload ask for parts all the time.
  const find = together((wanted: readonly { tenant: string; id: string }[]) => findUploads(library, wanted));
  const found = async ({ tenant }: Caller, id: string): Promise<UploadRecord> => {
    const upload = await find({ tenant, id });
    if (upload === null) throw notFound("upload");
    return upload;
  };
  return new OpenAPIHono<ApiEnv>()
    .openapi(openRoute, async (c) => {
      const body = c.req.valid("json");
      const answer = await once(c, library, body, (makeId) =>
        openUpload(deps, c.get("caller"), body, makeId),
      );
      return c.json(answer, 201, { Location: `/v1/uploads/${answer.id}` });
    })
    .openapi(partsRoute, async (c) => {
      const upload = await found(c.get("caller"), c.req.valid("param").id);
      return c.json({ parts: await signParts(deps, upload, c.req.valid("json").parts) }, 200);
    })
    .openapi(statusRoute, async (c) => {
      const upload = await found(c.get("caller"), c.req.valid("param").id);
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
      const upload = await found(c.get("caller"), c.req.valid("param").id);
      await abortUpload(deps, upload);
      return c.body(null, 204);
    });
}

async function abortUpload(deps: ApiDeps, upload: UploadRecord): Promise<void> {
  if (upload.state === "completed") throw closed("completed");
  if (upload.state === "open") {
    if (isBeingCompleted(upload, deps.library) || !(await endUpload(deps.library, upload, "aborted"))) {
      throw requestFailure(409, "upload_busy", "The upload is being completed right now.");
    }
  }
  await reapUpload(deps, upload);
}
