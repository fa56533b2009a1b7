import type { Context } from "hono";
import { countryCode } from "../core/regions.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiEnv } from "./deps.ts";

/**
 * Where the caller is, as ISO 3166-1 alpha-2: what the token says, else the header that the proxy in front overwrites.
 * null where neither says it.
 */
export function countryOf(c: Context<ApiEnv>, config: Pick<ApiConfig, "countryHeader">): string | null {
  return c.get("caller").country ?? countryFromProxy(c, config);
}

/** The same where a grant is all that was shown. */
export function countryFromProxy(
  c: Context<ApiEnv>,
  { countryHeader }: Pick<ApiConfig, "countryHeader">,
): string | null {
  return countryHeader === null ? null : countryCode(c.req.header(countryHeader));
}
