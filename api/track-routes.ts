import { createHash } from "node:crypto";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { notFound } from "../core/errors.ts";
import { sidecarKey } from "../core/keys.ts";
import { type SubtitleFormat, type SubtitleSidecar, withSidecar } from "../core/sidecar.ts";
import { checkSubtitleText } from "../core/subtitle-check.ts";
import { findAsset } from "../stores/library/assets.ts";
import { reviseAsset } from "../stores/library/revisions.ts";
import { assetView } from "./asset-view.ts";
import { forRole } from "./auth.ts";
import { IDEMPOTENT, idParams, jsonAnswer, jsonBody } from "./contract.ts";
import { decodeText } from "./decode-text.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { foundAsset } from "./found.ts";
import { type IdMaker, once } from "./idempotency.ts";
import { presentNow } from "./present-now.ts";
import { problemAnswer } from "./problem-answers.ts";
import { trackLabel, trackLanguage } from "./track-form.ts";

/** Bodies of this route alone may be as long: a text of 1 MiB, and what JSON makes of its line ends and quotes. */
export const TRACK_BODY_BYTES = 2 * 2 ** 20;
export const TRACK_PATH = /^\/v1\/assets\/[^/]+\/tracks$/;

const FORMATS = ["vtt", "srt", "ass"] as const satisfies readonly SubtitleFormat[];
const text = z.string().min(1).optional();
const newTrack = z
  .strictObject({
    kind: z.literal("subtitle", "must be subtitle; sound is sent as an upload with `track`"),
    language: trackLanguage,
    label: trackLabel,
    role: z.enum(["main", "sdh", "forced", "commentary"]).default("main"),
    /** The text itself, at most 1 MiB, in one of these forms. */
    vtt: text,
    srt: text,
    ass: text,
    /** Or the file's bytes, in whatever letters it is written. */
    file: z.strictObject({ format: z.enum(FORMATS), base64: z.base64() }).optional(),
  })
  .refine((track) => [...FORMATS, "file" as const].filter((form) => track[form] !== undefined).length === 1, {
    path: ["vtt"],
    message: "exactly one of vtt, srt, ass and file",
  })
  .openapi("NewTrack");

const common = { tags: ["Assets"], ...forRole("editor") };
const trackParams = idParams.extend({ trackId: z.string().min(1).max(200) });
const addRoute = createRoute({
  ...common,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/assets/{id}/tracks",
  summary: "Add a subtitle, or replace the one of the same language, role and label; nothing else is encoded",
  request: { params: idParams, body: jsonBody(newTrack) },
  responses: {
    202: jsonAnswer(assetView, "The asset, with the track among its `tracks`"),
    413: problemAnswer("The body exceeds 2 MiB, or the text 1 MiB"),
    422: problemAnswer("A player could not show the text (`subtitle_invalid`)"),
  },
});
const removeRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/assets/{id}/tracks/{trackId}",
  summary: "Take an added track out again",
  request: { params: trackParams },
  responses: { 202: jsonAnswer(assetView, "The asset, without the track") },
});

/** Tracks beside the master. Each change is a new revision: shown once it is made, without encoding what is there. */
export function trackRoutes(deps: ApiDeps) {
  const { library } = deps;
  return new OpenAPIHono<ApiEnv>()
    .openapi(addRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { id } = c.req.valid("param");
      const asset = await foundAsset(library, tenant, id);
      const body = c.req.valid("json");
      const answer = await once(c, library, body, async (makeId) => {
        const added = await storeText(deps, tenant, asset._id, body, makeId);
        const revised = await reviseAsset(library, tenant, id, ({ sidecars, retiredSources }) => {
          // The same request again, of a track that was replaced since.
          if (retiredSources.includes(added.key)) return null;
          const next = withSidecar(sidecars, added);
          return next && { sidecars: next };
        });
        await deps.hint.offer(id);
        return presentNow(deps, revised);
      });
      return c.json(answer, 202);
    })
    .openapi(removeRoute, async (c) => {
      const { tenant } = c.get("caller");
      const { id, trackId } = c.req.valid("param");
      const asset = await findAsset(library, tenant, id);
      if (!asset?.sidecars.some((sidecar) => sidecar.id === trackId)) throw notFound("track");
      const revised = await reviseAsset(library, tenant, id, ({ sidecars }) => {
        const left = sidecars.filter((sidecar) => sidecar.id !== trackId);
        return left.length === sidecars.length ? null : { sidecars: left };
      });
      await deps.hint.offer(id);
      return c.json(await presentNow(deps, revised), 202);
    });
}

/** Keeps the text in UTF-8, under a key of ours, and describes it. Throws where no track can be made of it. */
async function storeText(
  { library, blobs }: ApiDeps,
  tenant: string,
  assetId: string,
  { language, label, role, file, ...texts }: z.infer<typeof newTrack>,
  makeId: IdMaker,
): Promise<SubtitleSidecar> {
  const format = file?.format ?? FORMATS.find((one) => texts[one] !== undefined) ?? "vtt";
  const sent = file === undefined ? (texts[format] ?? "") : decodeText(Buffer.from(file.base64, "base64"));
  checkSubtitleText(sent, format);
  const bytes = Buffer.from(sent);
  const id = makeId("sc");
  const key = sidecarKey(tenant, assetId, id);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  // The same request again after a crash: the same bytes under the same key.
  const { etag } = await blobs.put("sources", key, bytes, { contentType: "text/plain", createOnce: true });
  return {
    ...{ id, kind: "subtitle", key, etag, sizeBytes: bytes.length, sha256 },
    ...{ language, label, role, format, createdAt: library.serverNow() },
  };
}
