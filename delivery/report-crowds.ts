import { CROWDED_SESSIONS_PATH, type CrowdedSessions, MOST_CROWDED } from "../core/crowded-sessions.ts";
import type { Log } from "../stores/log.ts";
import { type ReportedTo, sendReport } from "./send-report.ts";

/** With the API's turn and the edges', ten seconds each, such a session is over well within a minute. */
const EVERY_MS = 10_000;

export interface CrowdReporter {
  /** Sends what there is now; resolves when it is sent, or the API is seen to be away. */
  flush(): Promise<void>;
  close(): void;
}

/** Tells the API every ten seconds which sessions are used from too many places. While it is away the newest are kept to be told. */
export function reportCrowds(parts: ReportedTo & { crowds: CrowdedSessions; log: Log }): CrowdReporter {
  const { crowds, log } = parts;
  let untold: string[] = [];
  const send = async (): Promise<void> => {
    untold = [...new Set([...untold, ...crowds.take()])].slice(-MOST_CROWDED);
    if (untold.length === 0) return;
    const sessions = untold;
    const outcome = await sendReport(parts, CROWDED_SESSIONS_PATH, JSON.stringify({ sessions }));
    if (outcome === "away") return;
    if (outcome === "refused") log.warn({ sessions }, "sessions used from too many places are not ended");
    untold = [];
  };
  let sending: Promise<void> = Promise.resolve();
  const flush = () => {
    sending = sending.then(send).catch((thrown) => log.warn({ err: thrown }, "crowded sessions not told"));
    return sending;
  };
  const timer = setInterval(flush, EVERY_MS);
  timer.unref();
  return { flush, close: () => clearInterval(timer) };
}
