import { gunzipSync, gzipSync } from "node:zlib";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { Failure } from "../core/errors.ts";
import { packagePrefix } from "../core/keys.ts";
import { steeredMultivariant, steeredName } from "../core/steered-manifests.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Log } from "../stores/log.ts";

/** Masters whose steered twin is known to be there: a name each, so a catalog's worth costs little. */
const MOST_KNOWN = 10_000;

/** Which master a session is given that would get the one at `path` of its package if there were one edge. */
export type MasterOf = (assetId: string, generation: string, path: string) => Promise<string>;

/**
 * Where there are several edges: the master with a steering server, made once for each package beside its own when it is
 * first wanted, so that films that were published before there was a second edge have one too. Where it cannot be made
 * now, viewers get the plain one: no steering is better than no film.
 */
export function openSteeredMasters(parts: { blobs: Blobs; isSteered: boolean; log: Log }): MasterOf {
  const { blobs, isSteered, log } = parts;
  const known = new Map<string, Promise<boolean>>();
  const make = async (key: string): Promise<boolean> => {
    try {
      await ensureSteered(blobs, key);
      return true;
    } catch (thrown) {
      known.delete(key);
      log.warn({ key, err: thrown }, "no steered master; the plain one is given");
      return false;
    }
  };
  return async (assetId, generation, path) => {
    if (!isSteered) return path;
    const key = packagePrefix(assetId, generation) + path;
    const making = known.get(key) ?? make(key);
    known.set(key, making);
    for (const oldest of known.keys()) {
      if (known.size <= MOST_KNOWN) break;
      known.delete(oldest);
    }
    return (await making) ? steeredName(path) : path;
  };
}

async function ensureSteered(blobs: Blobs, plainKey: string): Promise<void> {
  const key = steeredName(plainKey);
  if ((await blobs.head("media", key)) !== null) return;
  const master = await blobs.read("media", plainKey);
  if (master === null) throw new Failure("transient", "not_published", "There is no master.");
  const steered = steeredMultivariant(gunzipSync(master).toString("utf8"));
  await blobs
    .put("media", key, gzipSync(steered, { level: 9 }), {
      contentType: contentTypeOf(key),
      contentEncoding: "gzip",
      cacheControl: "public, max-age=31536000, immutable",
      createOnce: true,
    })
    // Another process was first; its zlib may pack the same text into other bytes.
    .catch((thrown) => {
      if (!(thrown instanceof Failure) || thrown.code !== "object_exists") throw thrown;
    });
}
