import { gunzipSync } from "node:zlib";
import type { Blobs } from "../stores/blobs.ts";

/** A three-hour film's MPD has about 0.1 MB: this keeps those that are asked for in some ten. */
const MOST_KEPT = 100;

/** Small immutable texts of packages, the latest kept in memory. */
export interface StoredTexts {
  /** The text, unpacked; null where there is none. */
  read(key: string): Promise<string | null>;
}

/** Each is read once however many ask at once; a failure is not kept. */
export function openStoredTexts(blobs: Pick<Blobs, "read">): StoredTexts {
  const kept = new Map<string, Promise<string | null>>();
  const load = async (key: string): Promise<string | null> => {
    try {
      const bytes = await blobs.read("media", key);
      if (bytes !== null) return gunzipSync(bytes).toString("utf8");
      kept.delete(key);
      return null;
    } catch (thrown) {
      kept.delete(key);
      throw thrown;
    }
  };
  return {
    read(key) {
      const text = kept.get(key) ?? load(key);
      kept.delete(key);
      kept.set(key, text);
      const [oldest] = kept.keys();
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
      return text;
    },
  };
}
