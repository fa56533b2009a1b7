import { z } from "@hono/zod-openapi";
import { instant } from "./contract.ts";

/** RFC 9457 problem details as every failed call answers. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z
      .string()
      .openapi({ description: "A stable word for machines; each answer names those it may have" }),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
  })
  .openapi("Problem");

/** Why a route fails, where that is more than what holds for every one. */
export function problemAnswer<S extends z.ZodType = typeof problem>(description: string, schema?: S) {
  return { description, content: { "application/problem+json": { schema: schema ?? problem } } };
}

const streamsProblem = problem
  .extend({
    limit: z.number().int().optional(),
    streams: z
      .array(
        z.object({
          sessionId: z.string(),
          titleId: z.string(),
          title: z.string(),
          startedAt: instant,
        }),
      )
      .optional(),
  })
  .openapi("TooManyStreams");

/** 409 for another reason, or where an account plays as much as it may: what plays, so that a person can choose what to stop. */
export function tooManyStreams(other: string) {
  return problemAnswer(
    `${other}, or the account plays as much as it may (\`too_many_streams\`)`,
    streamsProblem,
  );
}
