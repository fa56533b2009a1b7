import { z } from "@hono/zod-openapi";
import {
  ALIAS_MAX_LENGTH,
  ALIAS_MIN_LENGTH,
  isAliasForm,
  isDrawnCode,
  isReservedAlias,
} from "../core/link-code.ts";
import type { LinkRecord } from "../core/records/link.ts";
import { instant } from "./contract.ts";

export const newLink = z
  .strictObject({
    titleId: z.string().min(1).max(200),
    /** From where it plays, whoever follows it; without it, where each viewer left the film. */
    startSeconds: z.number().min(0).max(1_000_000).optional(),
    /** Words instead of a drawn code, `spring-gala`; nobody else's in this installation. */
    alias: z
      .string()
      .min(ALIAS_MIN_LENGTH)
      .max(ALIAS_MAX_LENGTH)
      .refine(isAliasForm, "must be words of small letters and digits with single dashes between them")
      .refine((alias) => !isDrawnCode(alias), "has the form of a drawn code; put a dash into it")
      .refine((alias) => !isReservedAlias(alias), "is kept for the product itself")
      .optional(),
    expiresAt: instant.optional(),
  })
  .openapi("NewLink");

export const linkView = z
  .object({
    /** The alias, where it has one. */
    code: z.string(),
    url: z.string(),
    titleId: z.string(),
    startSeconds: z.number().nullable(),
    isAlias: z.boolean(),
    /** The account that made it. */
    createdBy: z.string(),
    createdAt: instant,
    expiresAt: instant.nullable(),
    /** Times that somebody was sent to the player; machines that say so are not counted. */
    hits: z.number().int(),
    lastHitAt: instant.nullable(),
  })
  .openapi("Link");
export type LinkView = z.infer<typeof linkView>;

/** The link as who made it sees it; `base` is where the API is reached. */
export function presentLink(link: LinkRecord, base: string): z.infer<typeof linkView> {
  const { _id: code, titleId, startSeconds, isAlias, ownerId, createdAt, expiresAt, hits, lastHitAt } = link;
  return {
    code,
    url: `${base}/l/${code}`,
    titleId,
    startSeconds,
    isAlias,
    createdBy: ownerId,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    hits,
    lastHitAt: lastHitAt?.toISOString() ?? null,
  };
}
