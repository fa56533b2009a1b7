import { rename, writeFile } from "node:fs/promises";
import type { GrantKey } from "../../core/grant.ts";

/**
 * Writes what edge.js judges grants by: each key's hex under `kid <its name>`. nginx's master reads it with the configuration, and at each
 * reload; its workers cannot, and njs would read it for every request.
 */
export async function writeKeyObject(file: string, keys: readonly GrantKey[]): Promise<void> {
  const entries = keys.map(({ kid, secret }) => [`kid ${kid}`, Buffer.from(secret).toString("hex")]);
  const unfinished = `${file}.new`;
  await writeFile(unfinished, JSON.stringify(Object.fromEntries(entries)), { mode: 0o600 });
  await rename(unfinished, file);
}
