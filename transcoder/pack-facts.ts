import { gunzipSync, gzipSync } from "node:zlib";
import type { ObjectFacts } from "../core/conformance/object-facts.ts";

/** Facts of many objects as one text for a task's record: those of a part of a film are alike, and a twentieth of their size. */
export function packFacts(facts: readonly ObjectFacts[]): string {
  return gzipSync(JSON.stringify(facts)).toString("base64");
}

export function unpackFacts(packed: string): ObjectFacts[] {
  return JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString("utf8")) as ObjectFacts[];
}
