import type { PullTransfer } from "../core/records/pull.ts";
import type { Blobs } from "./blobs.ts";

/** Frees what is stored of a master that is fetched: its parts, or what they were put together to by somebody who did not come to say so. */
export async function removeTransfer(blobs: Blobs, transfer: PullTransfer): Promise<void> {
  await blobs.abortMultipart(transfer);
  await blobs.remove("sources", [transfer.key]);
}
