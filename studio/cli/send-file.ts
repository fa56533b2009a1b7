import { createHash, randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { OpenedUpload, SignedPart, UploadStatus } from "../answers.ts";
import { formatBytes, openRateMeter } from "../pace.ts";
import { sendParts } from "../upload-file.ts";
import { fitsLayout, missingParts, partRange } from "../upload-plan.ts";
import type { FileIngest } from "./file-ingest.ts";
import { IngestFailure } from "./next-step.ts";
import { formatPace, type ProgressLine } from "./progress-bar.ts";

/** A file's way to storage: hashed, opened or taken up again, sent in parts. */

/** The file, not yet read. Throws where there is none, or nothing in it. */
export async function openFile(path: string): Promise<Blob> {
  try {
    if ((await stat(path)).isDirectory()) throw new IngestFailure("not_a_file", `${path} is a folder.`);
    const file = await openAsBlob(path);
    if (file.size === 0) throw new IngestFailure("file_empty", `${path} is empty.`);
    return file;
  } catch (thrown) {
    if (thrown instanceof IngestFailure) throw thrown;
    const failure = new IngestFailure("file_unreadable", `${path} cannot be read.`);
    failure.cause = thrown;
    throw failure;
  }
}

export async function openUpload(
  { api, path, signal, line, encoding }: FileIngest,
  file: Blob,
): Promise<UploadStatus> {
  // Who may not send it should not wait for all of it to be hashed first.
  await api.call("GET", "/v1/assets?limit=1", { signal });
  const sha256 = await hashFile(file, signal, line);
  const body = { filename: basename(path), sizeBytes: file.size, sha256, encoding };
  const idempotencyKey = randomUUID();
  const opened = await api.call<OpenedUpload>("POST", "/v1/uploads", { body, idempotencyKey, signal });
  return { ...opened, parts: [] };
}

export async function reopen(
  { api, path, signal }: FileIngest,
  uploadId: string,
  file: Blob,
): Promise<UploadStatus> {
  const upload = await api.call<UploadStatus>("GET", `/v1/uploads/${uploadId}`, { signal });
  if (upload.state === "aborted" || upload.state === "expired") {
    throw new IngestFailure(`upload_${upload.state}`, `The upload ${uploadId} is ${upload.state}.`);
  }
  const sizeBytes = upload.sizeBytes ?? file.size;
  if (sizeBytes !== file.size || !fitsLayout({ ...upload, sizeBytes })) {
    throw new IngestFailure("other_file", `${path} is not the file of upload ${uploadId}: its size differs.`);
  }
  return upload;
}

export async function send(
  { api, path, signal, line }: FileIngest,
  file: Blob,
  upload: UploadStatus,
): Promise<void> {
  const layout = { ...upload, sizeBytes: file.size };
  const missing = missingParts(layout, upload.parts);
  const missingBytes = missing.reduce((sum, partNumber) => {
    const { start, end } = partRange(layout, partNumber);
    return sum + end - start;
  }, 0);
  const heldBytes = file.size - missingBytes;
  if (heldBytes > 0) line.finish(`Resuming   storage holds ${formatBytes(heldBytes)} already`);
  const rateOf = openRateMeter(() => performance.now());
  const onSent = (bytes: number) => {
    const done = heldBytes + bytes;
    const detail = `${formatBytes(done)} of ${formatBytes(file.size)}  ${formatPace(rateOf(bytes), missingBytes - bytes)}`;
    line.update("Uploading", file.size === 0 ? 1 : done / file.size, detail);
  };
  await sendParts({ api, file, upload, missing, signal, digest, put, onSent });
  await api.call("POST", `/v1/uploads/${upload.id}/complete`, { body: {}, signal });
  line.finish(`Uploaded   ${basename(path)}, ${formatBytes(file.size)} as asset ${upload.assetId}`);
}

/** Hex SHA-256 of the whole file, read once from end to end. */
async function hashFile(file: Blob, signal: AbortSignal, line: ProgressLine): Promise<string> {
  const hash = createHash("sha256");
  const rateOf = openRateMeter(() => performance.now());
  let bytes = 0;
  for await (const chunk of file.stream()) {
    signal.throwIfAborted();
    hash.update(chunk);
    bytes += chunk.byteLength;
    line.update("Hashing", bytes / file.size, formatPace(rateOf(bytes), file.size - bytes));
  }
  return hash.digest("hex");
}

async function digest(part: Blob): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of part.stream()) hash.update(chunk);
  return hash.digest("base64");
}

async function put(
  { url, headers }: SignedPart,
  body: Blob,
  _onSent: unknown,
  signal: AbortSignal,
): Promise<number> {
  const response = await fetch(url, { method: "PUT", headers, body, signal });
  // Read to its end, so that the connection serves the next part.
  await response.arrayBuffer();
  return response.status;
}
