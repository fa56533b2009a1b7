import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { Failure } from "../core/errors.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { StoredTexts } from "./stored-texts.ts";

/** How many are known to be there: a name each. */
const MOST_KNOWN = 10_000;

/** A published package: its prefix, and since when it is shown. */
export interface Package {
  prefix: string;
  publishedAt: Date;
}

/**
 * The path of what `change` makes of the package's text at `path`, which is there once this resolves; `path` itself where
 * that is the same text. Rejects where there is no such text, or the store is away.
 */
export type DerivedTexts = (of: Package, path: string, change: (text: string) => string) => Promise<string>;

/**
 * Each lies under its package as `main-<hash of its text>`, written once, so that all who get the same share one object
 * and edges cache it as they do all others. That it is there is looked at once by each process.
 */
export function openDerivedTexts(parts: {
  blobs: Pick<Blobs, "head" | "put">;
  texts: StoredTexts;
}): DerivedTexts {
  const { blobs, texts } = parts;
  const known = new Map<string, Promise<void>>();
  return async ({ prefix, publishedAt }, path, change) => {
    const whole = await texts.read(prefix + path);
    if (whole === null) throw new Failure("ours", "internal", `There is no ${path} under ${prefix}.`);
    const text = change(whole);
    if (text === whole) return path;
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
    const own = path.replace(".", `-${hash}.`);
    // With the moment of its publication: a generation that was collected and made again has lost these.
    const name = `${prefix}${own} ${publishedAt.getTime()}`;
    const storing = known.get(name) ?? store(blobs, prefix + own, text);
    known.delete(name);
    known.set(name, storing);
    const [oldest] = known.keys();
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
    await storing.catch((thrown) => {
      known.delete(name);
      throw thrown;
    });
    return own;
  };
}

async function store(blobs: Pick<Blobs, "head" | "put">, key: string, text: string): Promise<void> {
  // Named by what it says: what lies there already is it, whoever's zlib packed it.
  if ((await blobs.head("media", key)) !== null) return;
  await blobs
    .put("media", key, gzipSync(text, { level: 9 }), {
      contentType: contentTypeOf(key),
      contentEncoding: "gzip",
      cacheControl: "public, max-age=31536000, immutable",
      createOnce: true,
    })
    .catch((thrown) => {
      // Another process came in between.
      if (!(thrown instanceof Failure) || thrown.code !== "object_exists") throw thrown;
    });
}
