import { REVOCATIONS_KEY, type Revocations, revocationsText } from "../core/revocation.ts";
import type { Blobs } from "./blobs.ts";

/**
 * Puts the list where every edge reads it, unless the same one lies there. Of two writers the later one may have the
 * older list: who publishes does it again and again, so that the newest stands there in the end.
 */
export async function publishRevocations(blobs: Blobs, list: Revocations): Promise<void> {
  const text = Buffer.from(revocationsText(list));
  const stored = await blobs.read("media", REVOCATIONS_KEY);
  if (stored !== null && text.equals(stored)) return;
  await blobs.put("media", REVOCATIONS_KEY, text, {
    contentType: "application/json",
    cacheControl: "no-store",
  });
}
