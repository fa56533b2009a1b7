import type { AssetRecord } from "../../core/records/asset.ts";
import { verified } from "../../test/rig/webhook-receiver.ts";
import type { House } from "./house.ts";
import type { Sightings } from "./sightings.ts";

/** All that had to be told to a tenant was told, in messages that are signed, and nothing of another one's. */
export function checkEvents(
  { name: tenant, receiver: { received }, secret, known }: House,
  sightings: Sightings,
  assets: readonly AssetRecord[],
): string[] {
  const faults: string[] = [];
  for (const message of received) {
    const foreign = sightings.note(tenant, message.body);
    if (foreign.length > 0) faults.push(`${message.payload.type} told ${tenant} of ${foreign}`);
    try {
      verified(secret, message);
    } catch (thrown) {
      // The library of the receivers takes no message that is older than five minutes.
      if (!/too old/.test(String(thrown))) faults.push(`${message.payload.type}: ${thrown}`);
    }
  }
  const has = (type: string, data: Record<string, unknown>): number =>
    new Set(
      received
        .filter(
          ({ payload }) =>
            payload.type === type &&
            Object.entries(data).every(([name, value]) => payload.data[name] === value),
        )
        .map(({ headers }) => headers["webhook-id"]),
    ).size;
  const want = (type: string, data: Record<string, unknown>, least = 1): void => {
    const count = has(type, data);
    if (count < least) faults.push(`${type} ${JSON.stringify(data)}: ${count} of ${least}`);
  };
  for (const asset of known.assets) {
    const record = assets.find(({ _id }) => _id === asset.id);
    for (const uploadId of asset.uploadIds) want("upload.completed", { uploadId });
    // Of one that was called off before its master was here there is nothing to tell.
    if (asset.isFetched && asset.uploadIds.length === 0 && record?.pinned)
      want("upload.completed", { uploadId: null, assetId: asset.id });
    if (record?.state === "ready") {
      want("asset.ready", { assetId: asset.id, generation: record.published?.generation });
      want("asset.playable", { assetId: asset.id });
    }
    if (record?.state === "failed") want("asset.failed", { assetId: asset.id });
    if (record?.state === "deleted") want("asset.deleted", { assetId: asset.id });
  }
  for (const title of known.titles) {
    want("title.published", { titleId: title.id }, title.publications);
    want("title.unpublished", { titleId: title.id }, title.takedowns);
  }
  return faults;
}
