import { randomUUID } from "node:crypto";
import type { Api } from "../api-client.ts";
import type { EncodingWish } from "../encoding-wish.ts";

/** Whether the server is to fetch the film by itself, from where this says. */
export function isUrl(path: string): boolean {
  return /^https?:\/\//i.test(path);
}

/** Orders the fetch of a film and says which asset it becomes. */
export async function orderPull(
  api: Api,
  sourceUrl: string,
  encoding: EncodingWish,
  signal: AbortSignal,
): Promise<string> {
  const body = { sourceUrl, encoding };
  const { id } = await api.call<{ id: string }>("POST", "/v1/assets", {
    body,
    idempotencyKey: randomUUID(),
    signal,
  });
  return id;
}
