import { type ExpectedObject, joinReadings, type ReadPart, type StoredVersion } from "../core/read-parts.ts";
import { unpackFacts } from "./pack-facts.ts";
import type { TaskContext } from "./task-context.ts";
import { type FactsOfPackage, versionOf } from "./verify.ts";

/**
 * Takes over what was read back in parts, and answers what is still to be read: what no part has read, and what lies in the store
 * otherwise than it did then. Of each object the store is asked once more, a thousand at a time.
 */
export async function takeReadings(
  { blobs, library, signal }: Pick<TaskContext, "blobs" | "library" | "signal">,
  expected: readonly ExpectedObject[],
  parts: readonly ReadPart[],
  { prefix, objects }: FactsOfPackage,
): Promise<ExpectedObject[]> {
  if (parts.length === 0) return [...expected];
  const stored = new Map<string, StoredVersion>();
  for await (const { key, ...listed } of blobs.list("media", prefix)) {
    signal.throwIfAborted();
    stored.set(key, versionOf(listed));
  }
  const nowSeconds = library.serverNow().getTime() / 1000;
  const read = joinReadings(expected, parts, stored, nowSeconds);
  for (const part of parts)
    for (const facts of unpackFacts(part.facts))
      if (read.get(prefix + facts.path) === part) objects.set(facts.path, facts);
  return expected.filter(({ key }) => !objects.has(key.slice(prefix.length)));
}
