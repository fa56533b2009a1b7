import { type ContentKey, makeContentKey, sealKey, unsealKey } from "../../core/content-key.ts";
import { Failure } from "../../core/errors.ts";
import type { NamedKey } from "../../core/named-keys.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { ContentKeyRecord } from "../../core/records/playback.ts";
import { sealedBy } from "../../core/sealing.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";

/**
 * The keys that protected media is under, each sealed by a master key of the installation's: whoever has the database or a
 * copy of it has no key. Opened ones live in the memory of workers and of the API, and nowhere else.
 */

/** The asset's key, made at the first call: the same one for all callers, however many ask at once. */
export async function obtainContentKey(
  library: Library,
  masterKeys: readonly NamedKey[],
  { _id: assetId, tenant }: Pick<AssetRecord, "_id" | "tenant">,
): Promise<ContentKey> {
  const [master] = masterKeys;
  if (master === undefined) throw unavailable("No master key is set here, so nothing can be protected.");
  const known = await findContentKey(library, masterKeys, assetId);
  if (known !== null) return known;
  const made = makeContentKey();
  const { keyId } = made;
  const sealed = sealKey(master, made.key, { assetId, keyId });
  const record: ContentKeyRecord = { _id: assetId, tenant, keyId, sealed, createdAt: library.serverNow() };
  try {
    await fromDriver(library.contentKeys.insertOne(record));
    return made;
  } catch (thrown) {
    // Somebody else made it in between: theirs is the asset's.
    const theirs = isDuplicateKey(thrown) ? await findContentKey(library, masterKeys, assetId) : null;
    if (theirs === null) throw thrown;
    return theirs;
  }
}

/**
 * The asset's key; null where it has none. One that an earlier master key sealed is sealed anew by the first, so that the earlier one can
 * go. Throws `protection_unavailable` where none of the master keys opens it.
 */
export async function findContentKey(
  library: Library,
  masterKeys: readonly NamedKey[],
  assetId: string,
): Promise<ContentKey | null> {
  const record = await fromDriver(library.contentKeys.findOne({ _id: assetId }));
  if (record === null) return null;
  const { keyId, sealed } = record;
  const owner = { assetId, keyId };
  const key = unsealKey(masterKeys, sealed, owner);
  const [master] = masterKeys;
  if (key === null || master === undefined)
    throw unavailable("The key of this asset cannot be opened by the master keys that are set here.");
  if (sealedBy(sealed) !== master.kid) {
    const anew = { $set: { sealed: sealKey(master, key, owner) } };
    await fromDriver(library.contentKeys.updateOne({ _id: assetId, sealed }, anew));
  }
  return { keyId, key };
}

/** The key is gone, and with it every copy of what it protects. */
export async function removeContentKey(library: Library, assetId: string): Promise<void> {
  await fromDriver(library.contentKeys.deleteOne({ _id: assetId }));
}

/** A person has to set something: trying again does not help. */
function unavailable(message: string): Failure {
  return new Failure("request", "protection_unavailable", message, { status: 503 });
}
