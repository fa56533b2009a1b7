import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { requestFailure } from "../core/errors.ts";
import type { PagePosition } from "../stores/library/pages.ts";
import type { ApiEnv } from "./deps.ts";

/** Long enough that two lists of one client never share it; nobody gains by forging it. */
const DIGEST_LENGTH = 8;

/**
 * A short digest of what a list is: whose, of what, by which filters, in which order. A cursor belongs to one such list,
 * because in another it would stand at a place that was never reached. How long a page is may change on the way.
 */
export function listDigest(
  c: Context<ApiEnv>,
  { limit: _limit, cursor: _cursor, ...filters }: Record<string, unknown>,
  order = "",
): string {
  const said = Object.entries(filters).filter(([, value]) => value !== undefined);
  const list = [c.get("caller").tenant, c.req.path, order, said.sort()];
  return createHash("sha256").update(JSON.stringify(list)).digest("base64url").slice(0, DIGEST_LENGTH);
}

const createdPlace = z.strictObject({ at: z.number().int(), id: z.string().max(200) });

/** The opaque text of a position in a list that is newest first. */
export function encodeCursor(next: PagePosition | null, list: string): string | null {
  return next === null ? null : encodePlace({ at: next.createdAt.getTime(), id: next.id }, list);
}

/** Throws 400 on what was not made by `encodeCursor` for this list. */
export function decodeCursor(cursor: string | undefined, list: string): PagePosition | null {
  if (cursor === undefined) return null;
  const { at, id } = decodePlace(createdPlace, cursor, list);
  return { createdAt: new Date(at), id };
}

/** The opaque text of a place in a list, in whatever form that list has places. */
export function encodePlace(place: object, list: string): string {
  return Buffer.from(JSON.stringify({ list, place })).toString("base64url");
}

/** Throws 400 where the text is no place of that form in that list. */
export function decodePlace<T>(form: z.ZodType<T>, cursor: string, list: string): T {
  try {
    const bound = z.strictObject({ list: z.literal(list), place: form });
    return bound.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"))).place;
  } catch {
    throw requestFailure(400, "invalid_request", "The cursor is not valid.", [
      { path: "cursor", message: "must be the nextCursor of this list, with the same filters and order" },
    ]);
  }
}
