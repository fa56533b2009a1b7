import { createHash, randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import { basename, extname } from "node:path";
import type { Asset, Finding, OpenedUpload, SignedPart, Title, UploadStatus } from "../answers.ts";
import type { Api } from "../api-client.ts";
import { formatBytes, formatClock, openRateMeter } from "../pace.ts";
import { addSubtitle } from "../subtitle-track.ts";
import { sendParts } from "../upload-file.ts";
import { fitsLayout, missingParts, partRange } from "../upload-plan.ts";
import { watchAsset } from "../watch-asset.ts";
import { IngestFailure } from "./next-step.ts";
import { isUrl, orderPull } from "./order-pull.ts";
import { formatPace, type ProgressLine } from "./progress-bar.ts";

export interface SubtitleFile {
  /** BCP-47. */
  language: string;
  path: string;
}

export interface FileIngest {
  api: Api;
  path: string;
  /** Go on with this upload instead of opening one. */
  uploadId: string | null;
  /** Ladders beside H.264; the server knows which there are. */
  codecs: string[];
  /** By ClearKey. */
  isProtected: boolean;
  /** null: no title is made. */
  titleName: string | null;
  publish: boolean;
  /** Files beside the film. */
  subtitles: readonly SubtitleFile[];
  signal: AbortSignal;
  line: ProgressLine;
  /** Hears of the upload as soon as there is one, and null once it needs no resuming any more. */
  onUpload(uploadId: string | null): void;
}

/** One file, from disk or fetched by the server, to ready (and published, where wished). Throws what `explainFailure` can explain. */
export async function ingestFile(ingest: FileIngest): Promise<void> {
  const { api, line, signal } = ingest;
  const texts = await Promise.all(ingest.subtitles.map(({ path: text }) => openFile(text)));
  const assetId = isUrl(ingest.path) ? await order(ingest, texts) : await bring(ingest, texts);
  const asset = await follow(ingest, assetId);
  if (ingest.titleName === null) return;
  const key = `${asset.id}-title`;
  const body = { type: "movie", name: { en: ingest.titleName }, assetId: asset.id };
  const title = await api.call<Title>("POST", "/v1/titles", { body, idempotencyKey: key, signal });
  if (!ingest.publish) return line.finish(`Title      ${title.id} "${ingest.titleName}" (draft)`);
  await api.call("POST", `/v1/titles/${title.id}/publish`, {
    body: {},
    idempotencyKey: `${key}-publish`,
    signal,
  });
  line.finish(`Published  ${title.id} "${ingest.titleName}"`);
}

/** Sends a file from disk: the asset that it becomes. */
async function bring(ingest: FileIngest, texts: Blob[]): Promise<string> {
  const file = await openFile(ingest.path);
  const upload =
    ingest.uploadId === null ? await openUpload(ingest, file) : await reopen(ingest, ingest.uploadId, file);
  ingest.onUpload(upload.id);
  // Before the film is there, so that it is made with them.
  await addTexts(ingest, upload.assetId, texts);
  if (upload.state === "open") await send(ingest, file, upload);
  ingest.onUpload(null);
  return upload.assetId;
}

/** Has the server fetch a film. */
async function order(ingest: FileIngest, texts: Blob[]): Promise<string> {
  const { api, path, signal, line } = ingest;
  const assetId = await orderPull(api, path, encodingOf(ingest), signal);
  line.finish(`Ordered    asset ${assetId}, which the server fetches by itself`);
  await addTexts(ingest, assetId, texts);
  return assetId;
}

async function addTexts(
  { api, subtitles, signal }: FileIngest,
  assetId: string,
  texts: Blob[],
): Promise<void> {
  for (const [index, { language, path }] of subtitles.entries()) {
    const wish = { language, label: null, role: "main" as const, filename: basename(path) };
    await addSubtitle(api, assetId, { ...wish, file: texts[index]! }, signal);
  }
}

async function openFile(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch (thrown) {
    const failure = new IngestFailure("file_unreadable", `${path} cannot be read.`);
    failure.cause = thrown;
    throw failure;
  }
}

/** A name to show for a file that was given none. */
export function nameOf(given: string): string {
  const path = isUrl(given) ? decodeURIComponent(new URL(given).pathname) : given;
  return basename(path, extname(path)).replaceAll(/[_.]+/g, " ").trim() || basename(path);
}

function encodingOf({ codecs, isProtected }: FileIngest): Record<string, unknown> {
  return {
    ...(codecs.length > 0 ? { codecs } : {}),
    ...(isProtected ? { protection: "clearkey" } : {}),
  };
}

async function openUpload(ingest: FileIngest, file: Blob): Promise<UploadStatus> {
  const { api, path, signal, line } = ingest;
  const sha256 = await hashFile(file, signal, line);
  const encoding = encodingOf(ingest);
  const body = {
    ...{ filename: basename(path), sizeBytes: file.size, sha256 },
    ...(Object.keys(encoding).length > 0 ? { encoding } : {}),
  };
  const idempotencyKey = randomUUID();
  const opened = await api.call<OpenedUpload>("POST", "/v1/uploads", { body, idempotencyKey, signal });
  return { ...opened, parts: [] };
}

async function reopen(
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

async function send(
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

async function follow({ api, signal, line }: FileIngest, assetId: string): Promise<Asset> {
  let wasPlayable = false;
  for await (const asset of watchAsset(api, assetId, signal)) {
    const { state, progress, error } = asset;
    if (progress.playable && !wasPlayable) line.finish(`Playable   ${assetId}`);
    wasPlayable = progress.playable;
    if (state === "ready" || state === "failed")
      for (const finding of asset.findings) line.finish(findingText(finding));
    if (state === "ready") {
      const videos = asset.renditions.filter(({ kind }) => kind === "video").length;
      const texts = asset.renditions.filter(({ kind }) => kind === "subtitle").length;
      const also = texts === 0 ? "" : `, ${texts} subtitle tracks`;
      line.finish(`Ready      ${assetId}, ${videos} video renditions${also}`);
      return asset;
    }
    if (state === "failed") {
      const { code, message, retryable } = error ?? {
        code: "internal",
        message: "No reason given.",
        retryable: true,
      };
      throw new IngestFailure(code, message, retryable);
    }
    if (state === "cancelled" || state === "deleted") {
      throw new IngestFailure(state, `The asset ${assetId} was ${state}.`);
    }
    const left = progress.secondsLeft === null ? "" : `${formatClock(progress.secondsLeft)} left`;
    line.update(capitalized(progress.stage), progress.ratio, left);
  }
  throw new IngestFailure("internal", "The server told nothing more of the asset.", true);
}

function findingText({ code, severity, message, startSeconds, endSeconds, waivedBy }: Finding): string {
  const from = startSeconds === undefined ? "" : ` at ${formatClock(startSeconds)}`;
  const to = endSeconds === undefined ? "" : `–${formatClock(endSeconds)}`;
  const waived = waivedBy === undefined ? "" : ` (accepted by ${waivedBy})`;
  return `${capitalized(severity === "info" ? "note" : severity).padEnd(10)} ${code}${from}${to}: ${message}${waived}`;
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

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
