import type { IndexDescription } from "mongodb";
import type { ApiKeyRecord, Caller } from "../../core/records/account.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

export const API_KEY_INDEXES: IndexDescription[] = [{ key: { tenant: 1, subject: 1 } }];

/** The caller that each key stands for, by the hex SHA-256 of the whole token; null where unknown or revoked. */
export async function findApiKeyCallers(
  library: Library,
  tokenSha256s: readonly string[],
): Promise<(Caller | null)[]> {
  // By their ids alone: the stand-in would look through all keys where a filter says more.
  const found = await fromDriver(
    library.apiKeys.find({ _id: { $in: [...new Set(tokenSha256s)] } }).toArray(),
  );
  const callers = new Map(
    found
      .filter(({ revokedAt }) => revokedAt === null)
      .map(({ _id, tenant, subject, role }) => [_id, { tenant, subject, role }]),
  );
  return tokenSha256s.map((sha256) => callers.get(sha256) ?? null);
}

/** Makes each key known; a key that exists gets the given owner and role. Says nothing of other keys. */
export async function upsertApiKeys(
  library: Library,
  keys: Pick<ApiKeyRecord, "_id" | "tenant" | "subject" | "role">[],
): Promise<void> {
  const now = library.serverNow();
  for (const { _id, ...owner } of keys) {
    const change = { $set: { ...owner, revokedAt: null }, $setOnInsert: { createdAt: now } };
    await fromDriver(library.apiKeys.updateOne({ _id }, change, { upsert: true }));
  }
}
