import { setTimeout as pause } from "node:timers/promises";
import { Failure, notFound, requestFailure } from "../core/errors.ts";
import type { UploadRecord } from "../core/records/upload.ts";
import { type Sidecar, withSidecar } from "../core/sidecar.ts";
import type { PinnedSource } from "../core/source.ts";
import type { Blobs } from "../stores/blobs.ts";
import { giveUpWaiting, pinSource } from "../stores/library/asset-changes.ts";
import type { Library } from "../stores/library/connect.ts";
import { reviseAsset } from "../stores/library/revisions.ts";
import { adoptAsset } from "../stores/library/titles.ts";
import {
  claimCompletion,
  closeUpload,
  findUpload,
  releaseCompletion,
  renewCompletion,
} from "../stores/library/uploads.ts";
import type { Log } from "../stores/log.ts";
import type { WorkHint } from "./deps.ts";
import { type PartFault, partFaults } from "./upload-parts.ts";

/** The right to complete lasts this long and is renewed while Complete runs (it may take many minutes). */
const LEASE_MS = 30_000;
/** A caller waits this long for the outcome; then it is told 202 and the work goes on behind it. */
const WAIT_MS = 20_000;
const POLL_MS = 200;

export interface CompletionParts {
  library: Library;
  blobs: Blobs;
  hint: WorkHint;
  log: Log;
}

/** The completions that run in this process, by upload: all callers of one upload share one. */
export type Completions = Map<string, Promise<void>>;

/**
 * Turns an upload whose parts are all there into the source of its asset, once, however often and from wherever it
 * is asked for (RELIABILITY F17, F19): one holder of the lease calls Complete, the others wait for the outcome.
 * Returns when it is done, or after 20 s while it goes on. Throws 404, or 409 `upload_incomplete` (naming parts),
 * `upload_aborted`, `upload_expired`.
 */
export async function completeUpload(
  parts: CompletionParts,
  running: Completions,
  tenant: string,
  id: string,
): Promise<UploadRecord> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const upload = await findUpload(parts.library, tenant, id);
    if (upload === null) throw notFound("upload");
    if (upload.state === "completed") return upload;
    if (upload.state !== "open") throw closed(upload.state);
    if (performance.now() > until) return upload;
    const own = running.get(id);
    if (own !== undefined) {
      await Promise.race([own, pause(Math.max(0, until - performance.now()), undefined, { ref: false })]);
      continue;
    }
    if (!(await startCompletion(parts, running, upload))) await pause(POLL_MS);
  }
}

/** Begins to complete in this process; false where another one holds the right to. */
async function startCompletion(
  parts: CompletionParts,
  running: Completions,
  upload: UploadRecord,
): Promise<boolean> {
  if (upload.completingUntil === null && upload.expiresAt <= parts.library.serverNow())
    throw closed("expired");
  const held = await claimCompletion(parts.library, upload, LEASE_MS);
  if (held === null) return false;
  const completion = finish(parts, held).finally(() => running.delete(upload._id));
  running.set(upload._id, completion);
  // Whoever still waits sees the failure; when nobody does, the log has it.
  completion.catch((thrown) => parts.log.warn({ uploadId: upload._id, err: thrown }, "upload not completed"));
  return true;
}

/** The asset is no more, or wants no master: the upload ends with it. */
const ORPHANED = ["asset_not_waiting", "asset_gone"];

async function finish(parts: CompletionParts, claimed: UploadRecord): Promise<void> {
  const lease = keepLease(parts, claimed);
  try {
    const pinned = await makeObject(parts, claimed);
    await handOver(parts.library, claimed, pinned);
  } catch (thrown) {
    const held = await lease.stop();
    const orphaned = thrown instanceof Failure && ORPHANED.includes(thrown.code);
    if (orphaned) await closeUpload(parts.library, held, "aborted");
    else await releaseCompletion(parts.library, held).catch(() => undefined);
    throw thrown;
  }
  await closeUpload(parts.library, await lease.stop(), "completed");
  if (claimed.target.kind === "new") await adoptAsset(parts.library, claimed.tenant, claimed.assetId);
  await parts.hint.offer(claimed.assetId);
}

/** Gives the stored object to the asset; the same object again changes nothing, also when another took its place since. */
async function handOver(library: Library, upload: UploadRecord, pinned: PinnedSource): Promise<void> {
  const { tenant, assetId, target, filename } = upload;
  if (target.kind === "new") {
    await pinSource(library, tenant, assetId, pinned);
    return;
  }
  await reviseAsset(library, tenant, assetId, (asset) => {
    if (asset.retiredSources.includes(pinned.key)) return null;
    if (target.kind === "master") return asset.pinned?.key === pinned.key ? null : { filename, pinned };
    const { sidecarId: id, kind: _kind, ...named } = target;
    const added: Sidecar = {
      ...named,
      ...pinned,
      id,
      kind: "audio",
      sound: null,
      createdAt: upload.createdAt,
    };
    const sidecars = withSidecar(asset.sidecars, added);
    return sidecars && { sidecars };
  });
}

/** The pinned source: what storage holds after Complete, whether this call or a lost one before it made it. */
async function makeObject({ blobs }: CompletionParts, upload: UploadRecord): Promise<PinnedSource> {
  const ref = { key: upload.sourceKey, multipartId: upload.multipartId };
  const stored = await blobs.listParts(ref);
  if (stored === null) {
    const facts = await blobs.head("sources", upload.sourceKey);
    if (facts?.sizeBytes !== upload.sizeBytes) throw incomplete(partFaults(upload, []));
    return { key: upload.sourceKey, etag: facts.etag, sizeBytes: facts.sizeBytes, sha256: upload.sha256 };
  }
  const faults = partFaults(upload, stored);
  if (faults.length > 0) throw incomplete(faults);
  const made = await blobs.completeMultipart({ ...ref, parts: stored });
  return { key: upload.sourceKey, ...made, sha256: upload.sha256 };
}

/** Renews the lease while the work runs; `stop` gives the record as it was last written. */
function keepLease(parts: CompletionParts, claimed: UploadRecord): { stop(): Promise<UploadRecord> } {
  let held = claimed;
  let renewal: Promise<void> = Promise.resolve();
  const renew = async () => {
    held = (await renewCompletion(parts.library, held, LEASE_MS).catch(() => null)) ?? held;
  };
  const timer = setInterval(() => {
    renewal = renewal.then(renew);
  }, LEASE_MS / 3);
  return {
    async stop() {
      clearInterval(timer);
      await renewal;
      return held;
    },
  };
}

function incomplete(faults: PartFault[]): Failure {
  const what = {
    missing: "is missing",
    wrong_size: "has another length",
    unknown: "is not part of the file",
  };
  const fields = faults.slice(0, 1_000).map(({ partNumber, fault }) => ({
    path: `parts.${partNumber}`,
    message: what[fault],
  }));
  const message = `${faults.length} of the parts are missing or wrong; send them and complete again.`;
  return requestFailure(409, "upload_incomplete", message, fields);
}

export function closed(state: "completed" | "aborted" | "expired"): Failure {
  return requestFailure(409, `upload_${state}`, `The upload is ${state}.`);
}

/** Ends an open upload for good and with it the asset that waited for it; false where it was no longer open. */
export async function endUpload(
  library: Library,
  upload: UploadRecord,
  state: "aborted" | "expired",
): Promise<boolean> {
  const ended = await closeUpload(library, upload, state);
  if (ended === null) return false;
  await giveUpItsAsset(library, ended);
  return true;
}

/** Cancels the asset that still waits for a dead upload. One that was there before goes on without it. */
export async function giveUpItsAsset(library: Library, upload: UploadRecord): Promise<void> {
  const { tenant, assetId, target, state } = upload;
  if (target.kind !== "new") return;
  const isCalledOff = state === "aborted";
  await giveUpWaiting(library, tenant, assetId, {
    code: isCalledOff ? "upload_aborted" : "upload_expired",
    message: `The upload was ${isCalledOff ? "called off" : "not finished in time"}.`,
    retryable: false,
  });
}
