import type { Asset } from "./answers.ts";
import { type Api, ApiProblem, pause, problemOf } from "./api-client.ts";
import { readEvents } from "./event-stream.ts";
import { retryDelayMs } from "./upload-plan.ts";

const POLL_MS = 2_000;
/** So often in a row a stream may fail before we ask from time to time instead. */
const STREAM_FAILURES = 3;

/** No further change comes by itself. */
export function isFinal({ state }: Asset): boolean {
  return state === "ready" || state === "failed" || state === "cancelled" || state === "deleted";
}

/**
 * The asset now and at every change, by server-sent events and, where those do not come through, by asking.
 * Ends after a final state; throws ApiProblem where the asset cannot be read, or the signal's reason.
 */
export async function* watchAsset(api: Api, assetId: string, signal: AbortSignal): AsyncGenerator<Asset> {
  let failures = 0;
  let lastId = "";
  while (failures < STREAM_FAILURES) {
    try {
      const body = await openStream(api, assetId, lastId, signal);
      for await (const { event, data, id } of readEvents(body)) {
        if (event !== "asset") continue;
        failures = 0;
        lastId = id;
        const asset = JSON.parse(data) as Asset;
        yield asset;
        if (isFinal(asset)) return;
      }
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof ApiProblem && (thrown.status === 401 || thrown.status === 404)) throw thrown;
    }
    failures++;
    await pause(retryDelayMs(failures, Math.random()), signal);
  }
  yield* pollAsset(api, assetId, signal);
}

async function openStream(api: Api, assetId: string, lastId: string, signal: AbortSignal) {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${api.token}`,
    Accept: "text/event-stream",
  };
  if (lastId !== "") headers["Last-Event-ID"] = lastId;
  const response = await fetch(`${api.baseUrl}/v1/assets/${assetId}/events`, { headers, signal });
  if (!response.ok) throw await problemOf(response);
  const { body } = response;
  if (body === null) throw new ApiProblem(response.status, "http_error", "The event stream is empty.");
  return body;
}

async function* pollAsset(api: Api, assetId: string, signal: AbortSignal): AsyncGenerator<Asset> {
  for (;;) {
    const asset = await api.call<Asset>("GET", `/v1/assets/${assetId}`, { signal });
    yield asset;
    if (isFinal(asset)) return;
    await pause(POLL_MS, signal);
  }
}
