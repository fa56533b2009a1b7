import { EDGE_REPORTS_PATH, type EdgeReport, MAX_EDGE_ROWS, signEdgeReport } from "../core/edge-report.ts";
import type { GrantKey } from "../core/grant.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../stores/log.ts";
import type { ClientCounts } from "./client-counts.ts";

const EVERY_MS = 10_000;
const ANSWER_MS = 5_000;
/** The API remembers a report for two hours: one that is as old as this might be counted twice. */
const GIVE_UP_MS = 30 * 60_000;

export interface CountReporter {
  /** Sends what there is now; resolves when it is sent, or the API is seen to be away. */
  flush(): Promise<void>;
  close(): void;
}

/**
 * Tells the API at that address, every ten seconds, what was counted. A report is sent until it is answered, under one id;
 * what comes meanwhile goes on being added up. No viewer waits for any of it.
 */
export function reportCounts(parts: {
  counts: ClientCounts;
  apiUrl: string;
  grantKeys(): readonly GrantKey[];
  log: Log;
}): CountReporter {
  const { counts, log } = parts;
  let pending: { body: string; sinceMs: number } | null = null;
  const sendAll = async (): Promise<void> => {
    for (;;) {
      pending ??= nextReport(counts);
      if (pending === null) return;
      const outcome = await send(parts.apiUrl, parts.grantKeys(), pending.body);
      const isOld = performance.now() - pending.sinceMs > GIVE_UP_MS;
      if (outcome === "away" && !isOld) return;
      if (outcome !== "kept") log.warn({ outcome }, "a report of players' figures is lost");
      pending = null;
    }
  };
  let sending: Promise<void> = Promise.resolve();
  const flush = () => {
    sending = sending.then(sendAll).catch((thrown) => log.warn({ err: thrown }, "figures not reported"));
    return sending;
  };
  const timer = setInterval(flush, EVERY_MS);
  timer.unref();
  return { flush, close: () => clearInterval(timer) };
}

function nextReport(counts: ClientCounts): { body: string; sinceMs: number } | null {
  const rows = counts.take(MAX_EDGE_ROWS);
  if (rows.length === 0) return null;
  const report: EdgeReport = { id: newId("er"), rows };
  return { body: JSON.stringify(report), sinceMs: performance.now() };
}

async function send(
  apiUrl: string,
  [key]: readonly GrantKey[],
  body: string,
): Promise<"kept" | "refused" | "away"> {
  if (key === undefined) return "away";
  const answer = await fetch(apiUrl + EDGE_REPORTS_PATH, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Matinee-Signature": signEdgeReport(key, body) },
    body,
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch(() => null);
  await answer?.body?.cancel();
  if (answer?.ok) return "kept";
  // A key that the API does not have yet, a limit, an outage: all pass. What it cannot read does not.
  return answer?.status === 400 || answer?.status === 413 ? "refused" : "away";
}
