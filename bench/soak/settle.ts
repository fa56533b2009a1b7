import { setTimeout as pause } from "node:timers/promises";
import type { Library } from "../../stores/library/connect.ts";

const ASK_EVERY_MS = 1_000;
/** Nothing is to be done any more for so many looks in a row. */
const QUIET_LOOKS = 3;

/** Resolves to null once there is nothing to do any more, or to what still is after `withinSeconds`. */
export async function settled(library: Library, withinSeconds: number): Promise<string[] | null> {
  const deadline = performance.now() + withinSeconds * 1000;
  for (let quiet = 0; ; ) {
    const open = await openThings(library);
    quiet = open.length === 0 ? quiet + 1 : 0;
    if (quiet === QUIET_LOOKS) return null;
    if (performance.now() > deadline && open.length > 0) return open;
    await pause(ASK_EVERY_MS);
  }
}

async function openThings(library: Library): Promise<string[]> {
  const [tasks, assets, deliveries, uploads, told] = await Promise.all([
    library.tasks.find({ state: { $in: ["todo", "claimed"] } }).toArray(),
    library.assets
      .find({
        $or: [
          { state: { $in: ["queued", "probing", "encoding"] } },
          { state: "waiting", "pull.sourceUrl": { $gt: "" } },
          { unsettled: true },
        ],
      })
      .toArray(),
    library.deliveries.find({ state: "pending" }).toArray(),
    library.uploads
      .find({
        $or: [
          { state: { $in: ["aborted", "expired"] }, reapedAt: null },
          { state: "open", completingUntil: { $ne: null } },
        ],
      })
      .toArray(),
    Promise.all(
      ([library.assets, library.uploads, library.titles] as const).map((one) =>
        (one as typeof library.assets)
          .find({ tellAt: { $ne: null, $lte: library.serverNow() } as never })
          .toArray(),
      ),
    ),
  ]);
  return [
    ...tasks.map(
      (one) =>
        `task ${one._id} ${one.state} epoch ${one.epoch} failures ${one.failures} deaths ${one.deaths} lease ${one.leaseUntil?.toISOString()} notBefore ${one.notBefore?.toISOString()} ${one.error?.message ?? ""}`,
    ),
    ...assets.map((one) => `asset ${one._id} ${one.state} unsettled ${one.unsettled}`),
    ...deliveries.map(
      (one) => `delivery ${one._id} ${one.type} failures ${one.failures} due ${one.dueAt?.toISOString()}`,
    ),
    ...uploads.map(
      (one) => `upload ${one._id} ${one.state} completing ${one.completingUntil?.toISOString()}`,
    ),
    ...told.flat().map((one) => `events of ${one._id}`),
  ];
}
