import type { Beacon, ViewerApi } from "./api-client.ts";
import { ApiProblem } from "./api-problem.ts";

/** The API takes so many at once, and a page that closes may send 64 KiB. */
const MAX_BATCH = 100;
/** Some hours without a network: older ones are given up. */
const MAX_WAITING = 2_000;

/** What a session has to tell the server. */
export interface Outbox {
  put(...events: Beacon[]): void;
  /** All of it, as far as it gets through. Never rejects. */
  send(): Promise<void>;
}

/** Events on their way, in batches; those that did not arrive wait for the next sending. */
export function openOutbox(api: ViewerApi, sessionId: string): Outbox {
  let waiting: Beacon[] = [];
  const send = async (): Promise<void> => {
    const batch = waiting.slice(0, MAX_BATCH);
    if (batch.length === 0) return;
    waiting = waiting.slice(batch.length);
    try {
      await api.beacon(sessionId, batch);
    } catch (thrown) {
      // What the server refuses it refuses again; a session that is not known any more has nothing to tell. Where the token
      // is over, another one may come.
      const { status } = thrown instanceof ApiProblem ? thrown : { status: 0 };
      const isRefused = status >= 400 && status < 429 && status !== 401;
      if (!isRefused) waiting = [...batch, ...waiting].slice(-MAX_WAITING);
      return;
    }
    await send();
  };
  return {
    put(...events) {
      waiting.push(...events);
    },
    send,
  };
}
