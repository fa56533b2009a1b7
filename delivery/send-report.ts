import { signEdgeReport } from "../core/edge-report.ts";
import type { GrantKey } from "../core/grant.ts";

const ANSWER_MS = 5_000;

/** The API itself, and what an edge tells it with. */
export interface ReportedTo {
  apiUrl: string;
  /** The first one signs. */
  grantKeys(): readonly GrantKey[];
}

/**
 * Says `body` to the API, signed: whether it has it, will never read it, or is not to be had (a key that it does not have yet, a limit, an
 * outage), so that the same is to be said again. Never rejects.
 */
export async function sendReport(
  { apiUrl, grantKeys }: ReportedTo,
  path: string,
  body: string,
): Promise<"kept" | "refused" | "away"> {
  const [key] = grantKeys();
  if (key === undefined) return "away";
  const answer = await fetch(apiUrl + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Matinee-Signature": signEdgeReport(key, body) },
    body,
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch(() => null);
  await answer?.body?.cancel();
  if (answer?.ok) return "kept";
  return answer?.status === 400 || answer?.status === 413 ? "refused" : "away";
}
