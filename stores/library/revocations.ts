import type { Filter, IndexDescription } from "mongodb";
import type { RevocationRecord } from "../../core/records/playback.ts";
import { REVOCATION_KINDS, type RevocationKind, type Revocations } from "../../core/revocation.ts";
import type { Library } from "./connect.ts";
import { duplicatesIn, fromDriver, isDuplicateKey } from "./driver-errors.ts";

/** The server forgets a record once its time has come; one without a time stays. */
export const REVOCATION_INDEXES: IndexDescription[] = [{ key: { until: 1 }, expireAfterSeconds: 0 }];

/** Calls back what `kind` and `name` say, until no grant that it could refuse is good any more; null is for ever. */
export async function recordRevocation(
  library: Library,
  kind: RevocationKind,
  name: string,
  until: Date | null,
): Promise<void> {
  const _id = idOf(kind, name);
  const again = { $set: { until } };
  const known = await fromDriver(library.revocations.updateOne({ _id }, again));
  if (known.matchedCount === 1) return;
  const record: RevocationRecord = { _id, kind, name, revokedAt: library.serverNow(), until };
  try {
    await fromDriver(library.revocations.insertOne(record));
  } catch (thrown) {
    // Somebody called the same thing back in between.
    if (!isDuplicateKey(thrown)) throw thrown;
    await fromDriver(library.revocations.updateOne({ _id }, again));
  }
}

/** The same of many sessions at once; what is called back already stays as it is. */
export async function recordSessionRevocations(
  library: Library,
  sessions: readonly { session: string; until: Date }[],
): Promise<void> {
  const revokedAt = library.serverNow();
  const records = sessions.map(({ session, until }): RevocationRecord => {
    return { _id: idOf("sessions", session), kind: "sessions", name: session, revokedAt, until };
  });
  await duplicatesIn(library.revocations.insertMany(records, { ordered: false }));
}

/** Lets a revocation end at `at` (now, or when what was taken down is to be seen again). */
export async function endRevocation(
  library: Library,
  kind: RevocationKind,
  name: string,
  at: Date,
): Promise<void> {
  const longer: Filter<RevocationRecord> = { _id: idOf(kind, name), until: { $gt: at } };
  await fromDriver(library.revocations.updateOne(longer, { $set: { until: at } }));
}

/** Everything that is called back at this moment. */
export async function listRevocations(library: Library): Promise<Revocations> {
  const now = library.serverNow();
  const records = await fromDriver(library.revocations.find({}, { maxTimeMS: 5_000 }).toArray());
  const list = Object.fromEntries(REVOCATION_KINDS.map((kind) => [kind, new Set<string>()])) as Record<
    RevocationKind,
    Set<string>
  >;
  for (const { kind, name, until } of records) if (until === null || until > now) list[kind].add(name);
  return list;
}

function idOf(kind: RevocationKind, name: string): string {
  return `${kind}:${name}`;
}
