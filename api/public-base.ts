import type { Context } from "hono";
import type { ApiConfig } from "./config.ts";

/** Where the API is reached from outside, without a slash at its end: as it was told, else as it was asked. */
export function publicBase({ publicUrl }: Pick<ApiConfig, "publicUrl">, c: Context): string {
  return publicUrl ?? new URL(c.req.url).origin;
}
