import type { Context } from "hono";
import {
  type Asker,
  addressDigits,
  type GrantLimits,
  MOST_COUNTRIES,
  nearestAddress,
} from "../core/grant-limits.ts";
import { countryFromProxy } from "./caller-country.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiEnv } from "./deps.ts";

/** What of a viewer grants can be bound to. */
export const GRANT_LIMITS = ["network", "country", "device"] as const;
export type GrantLimit = (typeof GRANT_LIMITS)[number];

type Trusted = Pick<ApiConfig, "addressHeader" | "countryHeader">;

/** Who asks, as an edge behind the same proxies sees it (`delivery/media.ts`). */
export function askerOf(c: Context<ApiEnv>, config: Trusted): Asker {
  const { addressHeader } = config;
  const address =
    addressHeader === null
      ? (c.env?.incoming?.socket?.remoteAddress ?? null)
      : nearestAddress(c.req.header(addressHeader));
  return {
    address,
    country: countryFromProxy(c, config),
    userAgent: c.req.header("User-Agent") ?? null,
  };
}

/** Providers hand out addresses within these, and a household has one. */
const NETWORK_BITS = { "4": 24, "6": 48 };

/**
 * What the grants of who asks are bound to where the installation wants them bound; the countries are those that the title is shown in.
 * What is not known of them binds nothing: no edge would let them in.
 */
export function limitsFor(
  c: Context<ApiEnv>,
  config: Trusted & Pick<ApiConfig, "grantLimits">,
  regions: readonly string[] | null,
): GrantLimits {
  if (config.grantLimits.length === 0) return {};
  const { address, country, userAgent } = askerOf(c, config);
  const isWanted = (limit: GrantLimit) => config.grantLimits.includes(limit);
  const family = addressDigits(address ?? "")?.[0] as keyof typeof NETWORK_BITS | undefined;
  const isNamed = regions !== null && regions.length > 0 && regions.length <= MOST_COUNTRIES;
  // What a token says goes first, and no edge sees it.
  const isSeen = country !== null && c.get("caller").country === undefined;
  return {
    ...(isWanted("network") && family !== undefined ? { network: `${address}/${NETWORK_BITS[family]}` } : {}),
    ...(isWanted("country") && isSeen ? { countries: isNamed ? regions : [country] } : {}),
    ...(isWanted("device") && userAgent !== null ? { userAgent } : {}),
  };
}
