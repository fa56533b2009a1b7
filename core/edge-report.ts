import { createHmac, timingSafeEqual } from "node:crypto";
import type { LineFigures } from "./figures.ts";
import type { GrantKey } from "./grant.ts";
import { countryCode } from "./regions.ts";

/** What an edge tells the API of its players: sums of what they said, and nothing of who they are. */

/** Sums over one rung of one package, from one country. */
export interface EdgeRow extends LineFigures {
  assetId: string;
  generation: string;
  renditionId: string;
  /** ISO 3166-1; `ZZ` where nobody trustworthy says. */
  country: string;
}

export interface EdgeReport {
  /** An `er_` id: the same report again changes nothing. */
  id: string;
  rows: EdgeRow[];
}

export const EDGE_REPORTS_PATH = "/edge-reports";
export const MAX_EDGE_ROWS = 500;
export const UNKNOWN_COUNTRY = "ZZ";

/** The country that a header of a trusted proxy names, in ISO 3166-1. */
export function namedCountry(named: string | null | undefined): string {
  return countryCode(named) ?? UNKNOWN_COUNTRY;
}

/** `<kid>.<mac>` over a report's body: edges and the API share the grant keys already, and nobody else has them. */
export function signEdgeReport(key: GrantKey, body: string): string {
  return `${key.kid}.${macOf(key, body).toString("base64url")}`;
}

export function isFromEdge(keys: readonly GrantKey[], signature: string, body: string): boolean {
  const dot = signature.indexOf(".");
  const key = keys.find(({ kid }) => kid === signature.slice(0, dot));
  if (key === undefined) return false;
  const [said, wanted] = [Buffer.from(signature.slice(dot + 1), "base64url"), macOf(key, body)];
  return said.byteLength === wanted.byteLength && timingSafeEqual(said, wanted);
}

/** Its own first line: no grant is a signature of a report, and no report one of a grant. */
function macOf(key: GrantKey, body: string): Buffer {
  return createHmac("sha256", key.secret).update(`matinee-edge-report-1\n${body}`).digest();
}
