import { createHash, randomBytes } from "node:crypto";
import type { IndexDescription } from "mongodb";
import { requestFailure } from "../../core/errors.ts";
import type { Library } from "./connect.ts";
import { fromDriver, isDuplicateKey } from "./driver-errors.ts";
import { hashedId } from "./hashed-id.ts";

/** Answers are kept for a day: longer than any client retries, short enough not to grow without end. */
export const CLAIM_INDEXES: IndexDescription[] = [{ key: { createdAt: 1 }, expireAfterSeconds: 86_400 }];

/** While this runs nobody else does the same request; a crashed doer's claim may be taken over after it. */
const LEASE_MS = 15_000;

/** One idempotent request. `_id` is a hash of tenant, account, route and key. */
export interface ClaimRecord {
  _id: string;
  tenant: string;
  bodySha256: string;
  /** Ids of what the request makes are derived from this, so doing it twice makes the same things. */
  seed: string;
  /** The answer's body as JSON text. */
  answer: string | null;
  leaseUntil: Date;
  createdAt: Date;
}

export interface RequestIdentity {
  tenant: string;
  subject: string;
  route: string;
  key: string;
  body: unknown;
}

/** Either the answer given before, or the right (and the seed) to do the request now, or: somebody is at it. */
export type Claim =
  | { kind: "answered"; answer: string }
  | { kind: "mine"; id: string; seed: string }
  | { kind: "busy" };

/**
 * Claims a request by its key. Throws 409 `idempotency_conflict` where the key came with another body before.
 */
export async function claimRequest(library: Library, request: RequestIdentity): Promise<Claim> {
  const now = library.serverNow();
  const record: ClaimRecord = {
    _id: hashedId(request.tenant, request.subject, request.route, request.key),
    tenant: request.tenant,
    bodySha256: sha256(JSON.stringify(request.body ?? null)),
    seed: randomBytes(16).toString("hex"),
    answer: null,
    leaseUntil: new Date(now.getTime() + LEASE_MS),
    createdAt: now,
  };
  try {
    await fromDriver(library.claims.insertOne(record));
    return { kind: "mine", id: record._id, seed: record.seed };
  } catch (thrown) {
    if (!isDuplicateKey(thrown)) throw thrown;
  }
  return claimAgain(library, record, now);
}

async function claimAgain(library: Library, wanted: ClaimRecord, now: Date): Promise<Claim> {
  const filter = { _id: wanted._id, tenant: wanted.tenant };
  const found = await fromDriver(library.claims.findOne(filter));
  if (found === null) return { kind: "busy" };
  if (found.bodySha256 !== wanted.bodySha256) {
    throw requestFailure(409, "idempotency_conflict", "This Idempotency-Key was used with another body.");
  }
  if (found.answer !== null) return { kind: "answered", answer: found.answer };
  if (found.leaseUntil > now) return { kind: "busy" };
  const taken = await fromDriver(
    library.claims.findOneAndUpdate(
      { ...filter, answer: null, leaseUntil: found.leaseUntil },
      { $set: { leaseUntil: wanted.leaseUntil } },
    ),
  );
  return taken === null ? { kind: "busy" } : { kind: "mine", id: found._id, seed: found.seed };
}

/** Keeps the answer for the day in which the key may come again. */
export async function answerRequest(
  library: Library,
  tenant: string,
  claimId: string,
  answer: string,
): Promise<void> {
  await fromDriver(library.claims.updateOne({ _id: claimId, tenant, answer: null }, { $set: { answer } }));
}

/** Gives the key free again: the request was refused or failed and changed nothing that a retry may not redo. */
export async function releaseRequest(library: Library, tenant: string, claimId: string): Promise<void> {
  const lapsed = { $set: { leaseUntil: new Date(0) } };
  await fromDriver(library.claims.updateOne({ _id: claimId, tenant, answer: null }, lapsed));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
