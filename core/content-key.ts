import { randomBytes } from "node:crypto";
import { type NamedKey, parseNamedKeys } from "./named-keys.ts";
import { type SealedFor, seal, unseal } from "./sealing.ts";

/** The key of one asset's pictures and sound, as whoever may have it has it. */
export interface ContentKey {
  /** 32 lower-case hex digits: names the key, in the open. */
  keyId: string;
  /** 16 bytes. Never in a log, a task, an object of the store or an address. */
  key: Uint8Array;
}

/** What `keyId` and asset are bound to, so that a sealed key put beside another record's id does not open. */
export interface KeyOwner {
  assetId: string;
  keyId: string;
}

const KEY_BYTES = 16;

/** `kid:hex[,kid:hex…]`: the first seals, all open. Throws as `parseNamedKeys` does. */
export function parseMasterKeys(text: string): NamedKey[] {
  return parseNamedKeys(text, "master key");
}

/** A fresh key with a fresh id, independent of one another. */
export function makeContentKey(): ContentKey {
  return { keyId: randomBytes(KEY_BYTES).toString("hex"), key: randomBytes(KEY_BYTES) };
}

/** The key as it may be kept. */
export function sealKey(master: NamedKey, key: Uint8Array, owner: KeyOwner): string {
  return seal(master, key, sealedFor(owner));
}

/** The key again; null where none of `keys` sealed it, or it was sealed for another owner, or changed since. */
export function unsealKey(keys: readonly NamedKey[], text: string, owner: KeyOwner): Uint8Array | null {
  const key = unseal(keys, text, sealedFor(owner));
  return key?.length === KEY_BYTES ? key : null;
}

function sealedFor({ assetId, keyId }: KeyOwner): SealedFor {
  return { purpose: "matinee-content-keys-1", owner: `${assetId}\n${keyId}` };
}
