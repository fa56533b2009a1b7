import { setTimeout as pause } from "node:timers/promises";
import type { Library } from "../stores/library/connect.ts";
import type { Log } from "../stores/log.ts";
import { demandPreviewCell, hurryPreview } from "../stores/offer-preview.ts";
import { offerWork } from "../stores/offer-work.ts";
import type { WorkQueue } from "../stores/queue.ts";
import type { WorkHint } from "./deps.ts";

/** An answer never waits longer than this for the queue; the reconciler finds what was not offered. */
const HINT_DEADLINE_MS = 250;

/** Says what is to be done to whoever listens. The library has it already, so a queue that is away only delays it. */
export function openWorkHint({
  library,
  queue,
  log,
}: {
  library: Library;
  queue: WorkQueue;
  log: Log;
}): WorkHint {
  const said = async (assetId: string, offered: Promise<void>): Promise<void> => {
    const told = offered.catch((thrown) =>
      log.warn({ assetId, err: thrown }, "work not offered; the reconciler will"),
    );
    await Promise.race([told, pause(HINT_DEADLINE_MS)]);
  };
  return {
    offer: (assetId) => said(assetId, offerWork(library, queue, assetId)),
    async offerCell(asset, cell) {
      const units = await demandPreviewCell(library, asset, cell);
      if (units === null) return null;
      await said(asset._id, hurryPreview(queue, asset, units));
      return units[0].id;
    },
  };
}
