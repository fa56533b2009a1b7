import type { Context } from "hono";
import type { ApiConfig } from "./config.ts";
import type { ApiEnv } from "./deps.ts";

/** The viewer's country as the proxy before us says it, capital ISO 3166-1 alpha-2; null where none does. */
export function countryOf(
  { countryHeader }: Pick<ApiConfig, "countryHeader">,
  c: Context<ApiEnv>,
): string | null {
  const said = countryHeader === null ? undefined : c.req.header(countryHeader)?.trim().toUpperCase();
  return said !== undefined && /^[A-Z]{2}$/.test(said) ? said : null;
}
