import type { Filter, IndexDescription } from "mongodb";
import type { UploadRecord } from "../../core/records/upload.ts";
import { newEvent, type RecordedEvent } from "../../core/webhook-event.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { telling } from "./outbox.ts";

export const UPLOAD_INDEXES: IndexDescription[] = [
  { key: { tenant: 1, ownerId: 1, state: 1 } },
  { key: { assetId: 1, state: 1 } },
  { key: { state: 1, expiresAt: 1 } },
  { key: { state: 1, completingUntil: 1 } },
  { key: { reapedAt: 1, state: 1 } },
  { key: { tellAt: 1 } },
];

/** Keeps the upload; where one with that id is there already (the same request again), that one. */
export async function createUpload(library: Library, upload: UploadRecord): Promise<UploadRecord> {
  try {
    await fromDriver(library.uploads.insertOne(upload));
    return upload;
  } catch (thrown) {
    const existing = isDuplicateKey(thrown) ? await findUpload(library, upload.tenant, upload._id) : null;
    if (existing === null) throw thrown;
    return existing;
  }
}

/** The upload, or null where the tenant has no such one. */
export async function findUpload(library: Library, tenant: string, id: string): Promise<UploadRecord | null> {
  const [upload = null] = await findUploads(library, [{ tenant, id }]);
  return upload;
}

/** The same for several at once, in order. */
export async function findUploads(
  library: Library,
  wanted: readonly { tenant: string; id: string }[],
): Promise<(UploadRecord | null)[]> {
  // By their ids alone: the stand-in would look through all uploads where a filter says more.
  const query = library.uploads.find({ _id: { $in: wanted.map(({ id }) => id) } });
  const found = new Map((await fromDriver(query.toArray())).map((upload) => [upload._id, upload]));
  return wanted.map(({ tenant, id }) => {
    const upload = found.get(id);
    return upload?.tenant === tenant ? upload : null;
  });
}

export async function countOpenUploads(library: Library, tenant: string, ownerId: string): Promise<number> {
  return fromDriver(library.uploads.countDocuments({ tenant, ownerId, state: "open" }));
}

/** What is being uploaded for the asset: its first master, another one, or sound beside it. */
export async function listOpenUploads(
  library: Library,
  tenant: string,
  assetId: string,
): Promise<UploadRecord[]> {
  return fromDriver(library.uploads.find({ assetId, state: "open", tenant }).toArray());
}

/**
 * Takes the right to call Complete until `leaseMs` from now, on the server's clock. null: somebody else holds
 * it or the upload is no longer open. The version of the returned record is the holder's fence.
 */
export async function claimCompletion(
  library: Library,
  upload: UploadRecord,
  leaseMs: number,
): Promise<UploadRecord | null> {
  const now = library.serverNow();
  if (upload.completingUntil !== null && upload.completingUntil > now) return null;
  return changeOpenUpload(library, upload, { completingUntil: new Date(now.getTime() + leaseMs) });
}

/** Keeps the right to complete for another `leaseMs`; null: it was lost. */
export async function renewCompletion(
  library: Library,
  held: UploadRecord,
  leaseMs: number,
): Promise<UploadRecord | null> {
  const completingUntil = new Date(library.serverNow().getTime() + leaseMs);
  return changeOpenUpload(library, held, { completingUntil });
}

/** Gives the right to complete back, so that the next call need not wait for the lease to run out. */
export async function releaseCompletion(library: Library, held: UploadRecord): Promise<void> {
  await changeOpenUpload(library, held, { completingUntil: null });
}

/** open → completed, aborted or expired; null where the record changed since it was read. */
export async function closeUpload(
  library: Library,
  upload: UploadRecord,
  state: "completed" | "aborted" | "expired",
): Promise<UploadRecord | null> {
  const told = state === "completed" ? [newEvent("upload.completed", library.serverNow())] : [];
  return changeOpenUpload(library, upload, { state, completingUntil: null }, told);
}

async function changeOpenUpload(
  library: Library,
  upload: UploadRecord,
  change: Partial<Pick<UploadRecord, "state" | "completingUntil">>,
  events: RecordedEvent[] = [],
): Promise<UploadRecord | null> {
  const filter: Filter<UploadRecord> = {
    _id: upload._id,
    tenant: upload.tenant,
    state: "open",
    version: upload.version,
  };
  const update = telling<UploadRecord>(events, { $set: change, $inc: { version: 1 } });
  return fromDriver(library.uploads.findOneAndUpdate(filter, update, { returnDocument: "after" }));
}

/** Open uploads of any tenant whose time is over and that nobody is completing, oldest first, for the reaper. */
export async function listExpiredUploads(library: Library, limit: number): Promise<UploadRecord[]> {
  const now = library.serverNow();
  const idle = { $or: [{ completingUntil: null }, { completingUntil: { $lte: now } }] };
  const filter: Filter<UploadRecord> = { state: "open", expiresAt: { $lte: now }, ...idle };
  return fromDriver(library.uploads.find(filter).sort({ expiresAt: 1 }).limit(limit).toArray());
}

/** Open uploads of any tenant whose completer vanished in the middle, for the reaper to finish. */
export async function listAbandonedCompletions(library: Library, limit: number): Promise<UploadRecord[]> {
  const now = library.serverNow();
  const filter: Filter<UploadRecord> = {
    state: "open",
    completingUntil: { $lte: now },
    expiresAt: { $gt: now },
  };
  return fromDriver(library.uploads.find(filter).limit(limit).toArray());
}

/** Dead uploads of any tenant that storage may still hold parts of, for the reaper. */
export async function listUnreapedUploads(library: Library, limit: number): Promise<UploadRecord[]> {
  const filter: Filter<UploadRecord> = { reapedAt: null, state: { $in: ["aborted", "expired"] } };
  return fromDriver(library.uploads.find(filter).limit(limit).toArray());
}

/** Notes that storage holds nothing of this upload any more. */
export async function markUploadReaped(library: Library, upload: UploadRecord): Promise<void> {
  const filter: Filter<UploadRecord> = { _id: upload._id, tenant: upload.tenant };
  await fromDriver(library.uploads.updateOne(filter, { $set: { reapedAt: library.serverNow() } }));
}
