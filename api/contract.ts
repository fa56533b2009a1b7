import { z } from "@hono/zod-openapi";
import type { Role } from "../core/records/account.ts";
import { type SaidHeader, saidHeaders } from "./said-headers.ts";

/** What every route's description is made of: bodies, answers, ids, pages. */

/** A bearer token of that role or above. OpenAPI 3.1, Security Requirement Object: "the array MAY contain a list of role names". */
export function bearerOf(role: Role) {
  return [{ bearer: [role] }];
}

/** A required JSON body. */
export function jsonBody<S extends z.ZodType>(schema: S) {
  return { required: true, content: { "application/json": { schema } } };
}

/** Of a route that does its work by `once`: its description then has the header. */
export const IDEMPOTENT = { "x-idempotency-key": true } as const;

/** Of a route that asks `acceptedLanguages`: its description then has the header. */
export const IN_LANGUAGE = { "x-accept-language": true } as const;

/** A JSON answer, and what it says at its head beside what all do. */
export function jsonAnswer<S extends z.ZodType>(
  schema: S,
  description: string,
  headers: readonly SaidHeader[] = [],
) {
  return { description, headers: saidHeaders(headers), content: { "application/json": { schema } } };
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
