import { EDGE_REPORTS_PATH, type EdgeReport, MAX_EDGE_ROWS } from "../core/edge-report.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../stores/log.ts";
import type { ClientCounts } from "./client-counts.ts";
import { type ReportedTo, sendReport } from "./send-report.ts";

const EVERY_MS = 10_000;
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
export function reportCounts(parts: ReportedTo & { counts: ClientCounts; log: Log }): CountReporter {
  const { counts, log } = parts;
  let pending: { body: string; sinceMs: number } | null = null;
  const sendAll = async (): Promise<void> => {
    for (;;) {
      pending ??= nextReport(counts);
      if (pending === null) return;
      const outcome = await sendReport(parts, EDGE_REPORTS_PATH, pending.body);
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
