import { gunzipSync } from "node:zlib";
import type { TextResult } from "../core/records.ts";
import type { Blobs } from "../stores/blobs.ts";
import { sha256 } from "./cells.ts";
import { describeStoredText } from "./gate.ts";
import type { BadCell, FactsOfPackage } from "./verify.ts";

const PARALLEL_READS = 6;

/**
 * Reads every text object back from storage, compares its digest, and tells the gate what is in it. What it returns must
 * be made again; a damaged whole file counts as the track's first segment, since both come from one task.
 */
export async function verifyTexts(
  blobs: Blobs,
  texts: readonly TextResult[],
  signal: AbortSignal,
  { prefix, objects }: FactsOfPackage,
): Promise<BadCell[]> {
  const stored = texts.flatMap(({ trackId, whole, cells }) =>
    [{ ...whole, segment: 0 }, ...cells].map((object) => ({ ...object, trackId })),
  );
  const bad: BadCell[] = [];
  const check = async ({ trackId, segment, key, sha256: expected }: (typeof stored)[number]) => {
    const bytes = await blobs.read("media", key);
    if (bytes === null || sha256(bytes) !== expected) {
      const reason = bytes === null ? "missing" : "not the bytes that were written";
      bad.push({ trackId, segment, key, reason });
      return;
    }
    const path = key.slice(prefix.length);
    objects.set(path, describeStoredText(path, gunzipSync(bytes).toString("utf8"), bytes));
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let object = stored[next++]; object !== undefined; object = stored[next++]) {
      signal.throwIfAborted();
      await check(object);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, lane));
  return bad;
}
