import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Asked, Asks, Steady } from "./asked.ts";

/**
 * A crowd that does not wait: each request is sent when its time has come, whatever became of those before, and its answer counts from
 * that time on. A load that waits for answers would ask less the slower they come, and so hide what it is to measure ("coordinated
 * omission"). Run as a child with an IPC channel: told what to ask, it tells what came.
 */

/** How often is looked whose time has come. */
const TURN_MS = 4;
/**
 * Asked before it counts: this process is compiled then and opens its connections, for which it falls seconds behind on a slow
 * machine. What gets no answer counts then too.
 */
const WARM_SECONDS = 4;
/** No answer within this counts as none. */
const PATIENCE_MS = 10_000;

const agent = new Agent({ keepAlive: true, maxSockets: 512 });

process.once("message", async (asks: Asks) => {
  const answers = await Promise.all(asks.kinds.map((kind) => steadily(asks, kind)));
  process.send?.(answers, () => process.exit(0));
});

/** Asks for one kind at its rate, its requests in turn. */
async function steadily({ origin, seconds }: Asks, { perSecond, requests }: Asked): Promise<Steady> {
  const waitsMs: number[] = [];
  let unanswered = 0;
  const under = new Set<Promise<void>>();
  const began = performance.now();
  const warm = Math.round(WARM_SECONDS * perSecond);
  const total = warm + Math.round(seconds * perSecond);
  for (let sent = 0; sent < total; ) {
    for (; sent < total && began + (sent * 1000) / perSecond <= performance.now(); sent++) {
      const meantAt = began + (sent * 1000) / perSecond;
      const isCounted = sent >= warm;
      const answer = answered(origin, requests[sent % requests.length]!).then((isGood) => {
        under.delete(answer);
        if (!isGood) unanswered++;
        else if (isCounted) waitsMs.push(performance.now() - meantAt);
      });
      under.add(answer);
    }
    await pause(TURN_MS);
  }
  await Promise.all(under);
  waitsMs.sort((a, b) => a - b);
  const at = (share: number): number => waitsMs[Math.floor(share * (waitsMs.length - 1))] ?? Number.NaN;
  return { asked: total, unanswered, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), mostMs: at(1) };
}

/** Whether an answer came, whole, that is none of a server in trouble. */
function answered(origin: string, asked: Asked["requests"][number]): Promise<boolean> {
  const { method, path, token, body } = asked;
  return new Promise((resolve) => {
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    const headers = { Authorization: `Bearer ${token}`, ...type };
    const sent = request(`${origin}${path}`, { method, agent, headers, timeout: PATIENCE_MS }, (answer) => {
      answer.once("end", () => resolve((answer.statusCode ?? 500) < 400));
      answer.once("error", () => resolve(false));
      answer.resume();
    });
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(false));
    sent.end(body);
  });
}
