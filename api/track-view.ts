import { z } from "@hono/zod-openapi";
import type { Sidecar } from "../core/sidecar.ts";
import { instant } from "./contract.ts";

export const audioRoles = z.enum(["main", "commentary", "description"]);
export const subtitleRoles = z.enum(["main", "sdh", "forced", "commentary"]);
/** Of a track of either kind. */
export const trackRoles = z.enum(["main", "commentary", "description", "sdh", "forced"]);

/** A track that was added: of its file only what a person knows it by. */
export const trackView = z
  .object({
    id: z.string(),
    kind: z.enum(["subtitle", "audio"]),
    language: z.string(),
    label: z.string().nullable(),
    role: z.enum(["main", "sdh", "forced", "commentary", "description"]),
    sizeBytes: z.number().int(),
    createdAt: instant,
  })
  .openapi("AddedTrack");

/** An added track as its content team sees it. */
export function presentTrack(sidecar: Sidecar): z.infer<typeof trackView> {
  const { id, kind, language, label, role, sizeBytes, createdAt } = sidecar;
  return { id, kind, language, label, role, sizeBytes, createdAt: createdAt.toISOString() };
}
