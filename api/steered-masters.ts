import { gunzipSync, gzipSync } from "node:zlib";
import { contentTypeOf } from "../core/delivery-rules.ts";
import { Failure } from "../core/errors.ts";
import { MAIN_PLAYLIST, packagePrefix, STEERED_PLAYLIST } from "../core/keys.ts";
import { steeredMultivariant } from "../core/steering.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Log } from "../stores/log.ts";

/** Packages whose steered master is known to be there: a name each, so a catalog's worth costs little. */
const MOST_KNOWN = 10_000;

/** The name of the master that a session of this package is given. */
export type MasterOf = (assetId: string, generation: string) => Promise<string>;

/**
 * Where there are several edges: the master with a steering server, made once for each package beside its own when it is
 * first wanted, so that films that were published before there was a second edge have one too. Where it cannot be made
 * now, viewers get the plain one: no steering is better than no film.
 */
export function openSteeredMasters(parts: { blobs: Blobs; isSteered: boolean; log: Log }): MasterOf {
  const { blobs, isSteered, log } = parts;
  const known = new Map<string, Promise<boolean>>();
  const make = async (prefix: string): Promise<boolean> => {
    try {
      await ensureSteered(blobs, prefix);
      return true;
    } catch (thrown) {
      known.delete(prefix);
      log.warn({ prefix, err: thrown }, "no steered master; the plain one is given");
      return false;
    }
  };
  return async (assetId, generation) => {
    if (!isSteered) return MAIN_PLAYLIST;
    const prefix = packagePrefix(assetId, generation);
    const making = known.get(prefix) ?? make(prefix);
    known.set(prefix, making);
    for (const oldest of known.keys()) {
      if (known.size <= MOST_KNOWN) break;
      known.delete(oldest);
    }
    return (await making) ? STEERED_PLAYLIST : MAIN_PLAYLIST;
  };
}

async function ensureSteered(blobs: Blobs, prefix: string): Promise<void> {
  const key = prefix + STEERED_PLAYLIST;
  if ((await blobs.head("media", key)) !== null) return;
  const master = await blobs.read("media", prefix + MAIN_PLAYLIST);
  if (master === null) throw new Failure("transient", "not_published", "There is no master.");
  const steered = steeredMultivariant(gunzipSync(master).toString("utf8"));
  await blobs
    .put("media", key, gzipSync(steered, { level: 9 }), {
      contentType: contentTypeOf(STEERED_PLAYLIST),
      contentEncoding: "gzip",
      cacheControl: "public, max-age=31536000, immutable",
      createOnce: true,
    })
    // Another process was first; its zlib may pack the same text into other bytes.
    .catch((thrown) => {
      if (!(thrown instanceof Failure) || thrown.code !== "object_exists") throw thrown;
    });
}
