import { PREVIEW_FOLDER, packagePrefix } from "../core/keys.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import { forgetPreview, listStalePreviews } from "../stores/library/previews.ts";
import type { Log } from "../stores/log.ts";
import { GRANT_REACH_SECONDS } from "./granted-url.ts";

/** How many previews one round removes. */
const ROUND = 20;

/** One round: removes the previews of films that have been ready for so long that no grant shows one any more. */
export async function reapPreviews(parts: { library: Library; blobs: Blobs; log: Log }): Promise<void> {
  const { library, blobs, log } = parts;
  const before = new Date(library.serverNow().getTime() - GRANT_REACH_SECONDS * 1000);
  for (const { _id: assetId, previews } of await listStalePreviews(library, before, ROUND)) {
    for (const generation of previews) {
      const objects = await blobs.removePrefix("media", packagePrefix(assetId, generation) + PREVIEW_FOLDER);
      // Last: should this end in between, the next round finds it again.
      await forgetPreview(library, assetId, generation);
      if (objects > 0) log.info({ assetId, generation, objects }, "preview removed");
    }
  }
}
