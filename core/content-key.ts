import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { type NamedKey, parseNamedKeys } from "./named-keys.ts";

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
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `kid:hex[,kid:hex…]`: the first seals, all open. Throws as `parseNamedKeys` does. */
export function parseMasterKeys(text: string): NamedKey[] {
  return parseNamedKeys(text, "master key");
}

/** A fresh key with a fresh id, independent of one another. */
export function makeContentKey(): ContentKey {
  return { keyId: randomBytes(KEY_BYTES).toString("hex"), key: randomBytes(KEY_BYTES) };
}

/** The key as it may be kept: `<kid>.<base64url of nonce, AES-256-GCM, tag>`. */
export function sealKey({ kid, secret }: NamedKey, key: Uint8Array, owner: KeyOwner): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", sealingKey(secret), nonce).setAAD(bound(owner));
  const sealed = Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  return `${kid}.${sealed.toString("base64url")}`;
}

/** The key again; null where none of `keys` sealed it, or it was sealed for another owner, or changed since. */
export function unsealKey(keys: readonly NamedKey[], text: string, owner: KeyOwner): Uint8Array | null {
  const master = keys.find(({ kid }) => kid === sealedBy(text));
  if (master === undefined) return null;
  const sealed = Buffer.from(text.slice(text.indexOf(".") + 1), "base64url");
  if (sealed.length !== NONCE_BYTES + KEY_BYTES + TAG_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const opener = createDecipheriv("aes-256-gcm", sealingKey(master.secret), nonce).setAAD(bound(owner));
  opener.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([opener.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), opener.final()]);
  } catch {
    return null;
  }
}

/** Which master key sealed it. */
export function sealedBy(text: string): string {
  return text.slice(0, text.indexOf("."));
}

/** Secrets may be longer than AES takes, and may one day serve for more than this. */
function sealingKey(secret: Uint8Array): Uint8Array {
  return createHmac("sha256", secret).update("matinee-content-keys-1").digest();
}

function bound({ assetId, keyId }: KeyOwner): Uint8Array {
  return Buffer.from(`${assetId}\n${keyId}`);
}
