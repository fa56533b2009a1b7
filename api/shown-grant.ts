import { requestFailure } from "../core/errors.ts";
import { type GrantClaims, splitGrantedPath, verifyGrant } from "../core/grant.ts";
import { type Asker, NOBODY } from "../core/grant-limits.ts";
import { isRevoked } from "../core/revocation.ts";
import type { ApiDeps } from "./deps.ts";

/** What a grant that was shown lets be asked about. */
export interface ShownGrant {
  /** Below `/v/<grant>`. */
  path: string;
  grant: string;
  claims: GrantClaims;
}

/**
 * Reads `/v/<grant>/<path>`, where a grant is all that the caller shows. Throws 403 without a good one, as edges do; what
 * another process called back is known here within ten seconds.
 */
export function shownGrant(
  { config, library, revoker }: Pick<ApiDeps, "config" | "library" | "revoker">,
  rawPath: string,
  asker: Asker = NOBODY,
): ShownGrant {
  const asked = splitGrantedPath(rawPath);
  const now = library.serverNow().getTime() / 1000;
  const verdict = asked && verifyGrant(config.grantKeys, asked.grant, asked.path, now, asker);
  if (asked === null || !verdict?.ok || isRevoked(revoker.list(), verdict))
    throw requestFailure(403, "grant_refused", "This address is not valid, or no longer.");
  return { ...asked, claims: verdict.claims };
}
