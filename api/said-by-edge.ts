import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import { isFromEdge } from "../core/edge-report.ts";
import { requestFailure } from "../core/errors.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiEnv } from "./deps.ts";
import { invalidRequest } from "./problem.ts";

/** How much of it is read. */
export const EDGE_BODY_LIMIT = bodyLimit({
  maxSize: 256 * 1024,
  onError: () => {
    throw requestFailure(413, "body_too_large", "A report may have at most 256 KiB.");
  },
});

/** What an edge of ours says. Throws 403 where no grant key signed it, 400 where it is not what `schema` asks for. */
export async function saidByEdge<T>(
  c: Context<ApiEnv>,
  { grantKeys }: Pick<ApiConfig, "grantKeys">,
  schema: z.ZodType<T>,
): Promise<T> {
  const body = await c.req.text();
  const signature = c.req.header("Matinee-Signature") ?? "";
  if (!isFromEdge(grantKeys, signature, body))
    throw requestFailure(403, "signature_refused", "This report is not signed by an edge of ours.");
  const said = schema.safeParse(parsed(body));
  if (!said.success) throw invalidRequest(said.error);
  return said.data;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
