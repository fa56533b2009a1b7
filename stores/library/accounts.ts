import type { AnyBulkWriteOperation } from "mongodb";
import type { AccountRecord, StreamRecord, TrackPreferences } from "../../core/records/account.ts";
import type { Library } from "./connect.ts";
import { duplicatesIn, fromDriver } from "./driver-errors.ts";
import { hashedId } from "./hashed-id.ts";

export function accountId(tenant: string, subject: string): string {
  return hashedId(tenant, subject);
}

/** One account's streams as they are to be, against what was read of it. */
export interface StreamChange {
  tenant: string;
  subject: string;
  /** Of the record that was read; 0 where there was none. */
  version: number;
  sessionId: string;
  stream: StreamRecord;
  /** Sessions that play no more. */
  forgets: readonly string[];
}

/**
 * Writes each change whose account nobody has changed since it was read; says of each whether it was. One command for
 * all: where the version is another one, the upsert meets the account's own key, which says which of them lost.
 */
export async function changeStreams(library: Library, changes: readonly StreamChange[]): Promise<boolean[]> {
  const written = library.accounts.bulkWrite(changes.map(operationOf), { ordered: false });
  const lost = await duplicatesIn(written);
  return changes.map((_, index) => !lost.includes(index));
}

function operationOf(change: StreamChange): AnyBulkWriteOperation<AccountRecord> {
  const { tenant, subject, version, sessionId, stream, forgets } = change;
  return {
    updateOne: {
      filter: { _id: accountId(tenant, subject), tenant, version },
      update: {
        $set: { subject, [`streams.${sessionId}`]: stream },
        ...(forgets.length === 0
          ? {}
          : { $unset: Object.fromEntries(forgets.map((id) => [`streams.${id}`, ""])) }),
        $inc: { version: 1 },
      },
      upsert: true,
    },
  };
}

/** The session plays no more: its place is free. */
export async function forgetStream(
  library: Library,
  { tenant, subject, _id: sessionId }: { tenant: string; subject: string; _id: string },
): Promise<void> {
  const own = { _id: accountId(tenant, subject), tenant };
  const change = { $unset: { [`streams.${sessionId}`]: "" as const }, $inc: { version: 1 } };
  await fromDriver(library.accounts.updateOne(own, change));
}

/** What the account wants from now on; null: nothing of its own. */
export async function setPreferences(
  library: Library,
  tenant: string,
  subject: string,
  preferences: TrackPreferences | null,
): Promise<void> {
  const own = { _id: accountId(tenant, subject), tenant };
  const change = preferences === null ? { $unset: { preferences: "" as const } } : { $set: { preferences } };
  const begin = { $setOnInsert: { subject, version: 0 } };
  await fromDriver(library.accounts.updateOne(own, { ...change, ...begin }, { upsert: true }));
}
