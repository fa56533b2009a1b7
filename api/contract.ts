import { z } from "@hono/zod-openapi";
import { requestFailure } from "../core/errors.ts";
import type { PagePosition } from "../stores/library/pages.ts";

/** What every route's description is made of: bodies, answers, ids, pages. */

export const BEARER = [{ bearer: [] }];

/** A required JSON body. */
export function jsonBody<S extends z.ZodType>(schema: S) {
  return { required: true, content: { "application/json": { schema } } };
}

/** Of a route that does its work by `once`: its description then has the header. */
export const IDEMPOTENT = { "x-idempotency-key": true } as const;

/** A JSON answer. */
export function jsonAnswer<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** An id in a path. Any text is taken: what is not an id of ours is simply not found. */
export const idParams = z.object({ id: z.string().min(1).max(200) });

export const instant = z.iso.datetime({ offset: true });
const limit = z.coerce.number().int().min(1).max(100).default(20);
export const cursorText = z.string().min(1).max(500).optional();
export const pageQuery = z.strictObject({ limit, cursor: cursorText });

/** One page of a list: pass `nextCursor` back as `cursor`; null is the end. */
export function pageOf<S extends z.ZodType>(entry: S) {
  return z.object({ data: z.array(entry), nextCursor: z.string().nullable() });
}

const position = z.strictObject({ at: z.number().int(), id: z.string().max(200) });

/** The opaque text of a position in a list. */
export function encodeCursor(next: PagePosition | null): string | null {
  if (next === null) return null;
  return encodeJson({ at: next.createdAt.getTime(), id: next.id });
}

/** Throws 400 on what was not made by `encodeCursor`. */
export function decodeCursor(cursor: string | undefined): PagePosition | null {
  if (cursor === undefined) return null;
  const { at, id } = decodeJson(position, cursor);
  return { createdAt: new Date(at), id };
}

export function encodeJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Throws 400 where the text is no JSON of that form in base64url. */
export function decodeJson<T>(schema: z.ZodType<T>, cursor: string): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch {
    throw requestFailure(400, "invalid_request", "The cursor is not valid.", [
      { path: "cursor", message: "must be a nextCursor from a list" },
    ]);
  }
}
