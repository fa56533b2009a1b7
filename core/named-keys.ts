/** A secret with the short name that what was made with it carries, so that keys can be rotated. */
export interface NamedKey {
  kid: string;
  secret: Uint8Array;
}

const KEY = /^([A-Za-z0-9_-]{1,16}):((?:[0-9a-f]{2})+)$/;
const MIN_SECRET_BYTES = 32;

/**
 * `kid:hex[,kid:hex…]` as keys, in that order. Throws where there is none, a secret has fewer than 32 bytes, or a kid or secret
 * stands twice. The message, which calls them `what`, never contains a secret.
 */
export function parseNamedKeys(text: string, what: string): NamedKey[] {
  const keys: NamedKey[] = [];
  for (const [index, entry] of text.split(",").entries()) {
    const [, kid, hex] = KEY.exec(entry.trim()) ?? [];
    if (kid === undefined || hex === undefined) throw new Error(`${what} ${index + 1} is not kid:hexsecret`);
    const secret = Buffer.from(hex, "hex");
    if (secret.byteLength < MIN_SECRET_BYTES)
      throw new Error(`${what} ${kid} is shorter than ${MIN_SECRET_BYTES} bytes`);
    if (keys.some((key) => key.kid === kid || secret.equals(key.secret)))
      throw new Error(`${what} ${kid} stands twice`);
    keys.push({ kid, secret });
  }
  return keys;
}
