import { sourceKey } from "../core/keys.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import { forgetTransfer, listIdleTransfers } from "../stores/library/pulls.ts";
import type { Log } from "../stores/log.ts";

/** How many one round takes up. */
const ROUND = 50;

/** One round: frees what was fetched of masters that nobody has wanted for a day. Several processes may run it at once. */
export async function reapPulls({
  library,
  blobs,
  log,
}: {
  library: Library;
  blobs: Blobs;
  log: Log;
}): Promise<void> {
  for (const asset of await listIdleTransfers(library, ROUND)) {
    const transfer = asset.pull?.transfer;
    if (transfer == null) continue;
    const ref = { key: sourceKey(asset.tenant, asset._id), multipartId: transfer.multipartId };
    // First the parts: once forgotten, nobody looks for them again.
    await blobs
      .abortMultipart(ref)
      .then(() => forgetTransfer(library, asset, transfer))
      .catch((thrown) => log.warn({ assetId: asset._id, err: thrown }, "fetched parts not removed"));
  }
}
