import type { AssetRecord } from "../core/records/asset.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import { dropIdleTransfer, forgetTransfer, listIdleTransfers } from "../stores/library/pulls.ts";
import type { Log } from "../stores/log.ts";
import { removeTransfer } from "../stores/remove-transfer.ts";

/** How many one round takes up. */
const ROUND = 50;

interface Parts {
  library: Library;
  blobs: Blobs;
  log: Log;
}

/** One round: frees what was fetched of masters that nobody has wanted for a day. Several processes may run it at once. */
export async function reapPulls(parts: Parts): Promise<void> {
  for (const asset of await listIdleTransfers(parts.library, ROUND))
    await reapPull(parts, asset).catch((thrown) =>
      parts.log.warn({ assetId: asset._id, err: thrown }, "fetched parts not removed"),
    );
}

async function reapPull({ library, blobs }: Parts, asset: AssetRecord): Promise<void> {
  const transfer = asset.pull?.transfer;
  // Whoever retries it from here on fetches it from its beginning; who did before keeps what is there.
  if (transfer == null || !(await dropIdleTransfer(library, asset))) return;
  // First what is stored: once forgotten, nobody looks for it again.
  await removeTransfer(blobs, transfer);
  await forgetTransfer(library, asset, transfer);
}
