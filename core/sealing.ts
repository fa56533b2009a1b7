import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import type { NamedKey } from "./named-keys.ts";

/** What a sealed secret is for and whose it is: put beside another record's id, or to another use, it does not open. */
export interface SealedFor {
  /** Each use has a key of its own. */
  purpose: string;
  owner: string;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A secret as it may be kept: `<kid>.<base64url of nonce, AES-256-GCM, tag>`. */
export function seal({ kid, secret }: NamedKey, bytes: Uint8Array, { purpose, owner }: SealedFor): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", sealingKey(secret, purpose), nonce);
  cipher.setAAD(Buffer.from(owner));
  const sealed = Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  return `${kid}.${sealed.toString("base64url")}`;
}

/** The secret again; null where none of `keys` sealed it, or it was sealed for something else, or changed since. */
export function unseal(
  keys: readonly NamedKey[],
  text: string,
  { purpose, owner }: SealedFor,
): Uint8Array | null {
  const master = keys.find(({ kid }) => kid === sealedBy(text));
  if (master === undefined) return null;
  const sealed = Buffer.from(text.slice(text.indexOf(".") + 1), "base64url");
  if (sealed.length <= NONCE_BYTES + TAG_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const opener = createDecipheriv("aes-256-gcm", sealingKey(master.secret, purpose), nonce);
  opener.setAAD(Buffer.from(owner)).setAuthTag(sealed.subarray(-TAG_BYTES));
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

/** Secrets may be longer than AES takes. */
function sealingKey(secret: Uint8Array, purpose: string): Uint8Array {
  return createHmac("sha256", secret).update(purpose).digest();
}
