import { blockingFailures, checkPackage } from "../core/conformance/check-package.ts";
import { describeText, type ObjectFacts } from "../core/conformance/object-facts.ts";
import { viewPackage } from "../core/conformance/package-view.ts";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { Failure } from "../core/errors.ts";
import { DASH_MANIFEST, MAIN_PLAYLIST } from "../core/keys.ts";
import { saveConformance } from "../stores/library/conformance.ts";
import type { TaskContext } from "./task-context.ts";

/** What delivery will say of an object that lies in the bucket: its type goes by the name, its coding as stored. */
export function storedTransport(path: string, gzip: boolean | null) {
  return { contentType: contentTypeOf(`/${path}`), gzip, redirected: null, tls: null };
}

/** Facts of a text read back from the bucket. */
export function describeStoredText(path: string, text: string, stored: Uint8Array): ObjectFacts {
  // RFC 1952 2.3.1: ID1, ID2.
  const gzip = stored[0] === 0x1f && stored[1] === 0x8b;
  return describeText(path, text, stored.length, storedTransport(path, gzip));
}

/**
 * The conformance gate: judges what was read back from storage by every rule and keeps the report. Throws
 * `encode_failed` where a MUST is broken, naming the rules; nothing is published then.
 */
export async function passGate(
  context: TaskContext,
  generation: string,
  objects: ReadonlyMap<string, ObjectFacts>,
): Promise<void> {
  const { _id: assetId, tenant } = context.asset;
  const results = checkPackage(viewPackage(objects, MAIN_PLAYLIST, DASH_MANIFEST));
  await saveConformance(context.library, { tenant, assetId, generation, results });
  const blocking = blockingFailures(results);
  context.log.info(
    { assetId, generation, rules: results.length, blocking: blocking.map(({ rule }) => rule) },
    "conformance checked",
  );
  if (blocking.length === 0) return;
  throw new Failure(
    "ours",
    "encode_failed",
    `The package breaks ${blocking.length} rules and is not published: ${blocking.map(({ rule }) => rule).join(", ")}.`,
    { cause: new Error(blocking.map(({ rule, evidence }) => `${rule}: ${evidence}`).join("\n")) },
  );
}
