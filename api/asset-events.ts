import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { AssetChange, AssetWatch } from "./asset-watch.ts";
import type { ApiEnv } from "./deps.ts";

/** A comment this often keeps proxies from taking a quiet stream for a dead one. */
const KEEP_ALIVE_MS = 15_000;

/**
 * The asset as `event: asset`, now and at each change, until the client leaves. Each event is the whole asset, so
 * resuming by `Last-Event-ID` is: say nothing while it is still as that event told.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function streamAssetEvents(
  c: Context<ApiEnv>,
  watch: AssetWatch,
  tenant: string,
  assetId: string,
): Response {
  const lastSeen = c.req.header("Last-Event-ID");
  // nginx would hold events back until its buffer is full.
  c.header("X-Accel-Buffering", "no");
  return streamSSE(c, async (stream) => {
    const latest = new Latest();
    const unwatch = watch.watch(tenant, assetId, (change) => latest.put(change));
    const leave = () => latest.end();
    stream.onAbort(leave);
    watch.stopped.addEventListener("abort", leave);
    try {
      let told = lastSeen;
      // Tells the client's proxy and its EventSource that the stream stands, whatever comes when.
      await stream.write(": connected\n\n");
      for (;;) {
        const next = await latest.take(KEEP_ALIVE_MS);
        if (next === "ended" || stream.aborted) return;
        if (next === "quiet") await stream.write(": keep-alive\n\n");
        else if (next.id !== told) {
          told = next.id;
          await stream.writeSSE({ event: "asset", id: next.id, data: JSON.stringify(next.asset) });
        }
      }
    } finally {
      unwatch();
      watch.stopped.removeEventListener("abort", leave);
    }
  });
}

/** Holds only the newest change: a slow reader skips what is out of date instead of piling it up. */
class Latest {
  #change: AssetChange | null = null;
  #ended = false;
  #wake: () => void = () => undefined;

  put(change: AssetChange): void {
    this.#change = change;
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async take(quietMs: number): Promise<AssetChange | "quiet" | "ended"> {
    if (this.#change === null && !this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, quietMs);
      await promise;
      clearTimeout(timer);
    }
    if (this.#ended) return "ended";
    const change = this.#change;
    this.#change = null;
    return change ?? "quiet";
  }
}
