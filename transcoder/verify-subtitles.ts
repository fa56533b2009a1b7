import { gunzipSync } from "node:zlib";
import type { TextResult } from "../core/records/task-result.ts";
import type { Blobs } from "../stores/blobs.ts";
import { sha256 } from "./cells.ts";
import { describeStoredText } from "./gate.ts";
import type { DamagedObject } from "./make-again.ts";
import type { FactsOfPackage } from "./verify.ts";

const PARALLEL_READS = 6;

/**
 * Reads every text object back from storage, compares its digest, and tells the gate what is in it. What it returns must
 * be made again.
 */
export async function verifyTexts(
  blobs: Blobs,
  texts: readonly TextResult[],
  signal: AbortSignal,
  { prefix, objects }: FactsOfPackage,
): Promise<DamagedObject[]> {
  const stored = texts.flatMap(({ whole, cells }) => [whole, ...cells]);
  const bad: DamagedObject[] = [];
  const check = async ({ key, sha256: expected }: (typeof stored)[number]) => {
    const bytes = await blobs.read("media", key);
    if (bytes === null || sha256(bytes) !== expected) {
      const reason = bytes === null ? "missing" : "not the bytes that were written";
      bad.push({ key, reason });
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
