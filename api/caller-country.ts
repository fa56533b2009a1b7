import type { Context } from "hono";
import type { ApiConfig } from "./config.ts";
import type { ApiEnv } from "./deps.ts";

/**
 * Where the caller is, as ISO 3166-1 alpha-2: what the token says, else the header that the proxy in front overwrites.
 * null where neither says it (`XX` and `T1` of some proxies are no countries).
 */
export function countryOf(c: Context<ApiEnv>, config: Pick<ApiConfig, "countryHeader">): string | null {
  return c.get("caller").country ?? countryFromProxy(c, config);
}

/** The same where a grant is all that was shown. */
export function countryFromProxy(
  c: Context<ApiEnv>,
  { countryHeader }: Pick<ApiConfig, "countryHeader">,
): string | null {
  const said = countryHeader === null ? "" : (c.req.header(countryHeader) ?? "").trim().toUpperCase();
  return isCountry(said) ? said : null;
}

/** Whether the text has the form of a country's code. */
export function isCountry(text: string): boolean {
  return /^[A-Z]{2}$/.test(text) && text !== "XX";
}
