import type { IndexDescription } from "mongodb";
import type { ApiKeyRecord, Caller } from "../../core/records.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";

export const API_KEY_INDEXES: IndexDescription[] = [{ key: { tenant: 1, subject: 1 } }];

/** The caller that a key stands for, by the hex SHA-256 of the whole token; null where unknown or revoked. */
export async function findApiKeyCaller(library: Library, tokenSha256: string): Promise<Caller | null> {
  // By its id alone: the stand-in would look through all keys where a filter says more.
  const record = await fromDriver(library.apiKeys.findOne({ _id: tokenSha256 }));
  return record === null || record.revokedAt !== null
    ? null
    : { tenant: record.tenant, subject: record.subject, role: record.role };
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
