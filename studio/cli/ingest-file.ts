import { basename, extname } from "node:path";
import type { Title } from "../answers.ts";
import { addSubtitle } from "../subtitle-track.ts";
import type { FileIngest } from "./file-ingest.ts";
import { follow } from "./follow-asset.ts";
import { isUrl, orderPull } from "./order-pull.ts";
import { openFile, openUpload, reopen, send } from "./send-file.ts";

/** One file, from disk or fetched by the server, to ready (and published, where wished). Throws what `explainFailure` can explain. */
export async function ingestFile(ingest: FileIngest): Promise<void> {
  const { api, line, signal } = ingest;
  const texts = await Promise.all(ingest.subtitles.map(({ path: text }) => openFile(text)));
  const assetId = isUrl(ingest.path) ? await order(ingest, texts) : await bring(ingest, texts);
  const asset = await follow(ingest, assetId);
  if (ingest.titleName === null && !ingest.publish) return;
  // What a URL ends in may be what opens the file; what the server calls it is not.
  const name = ingest.titleName ?? nameOf(isUrl(ingest.path) ? asset.filename : ingest.path);
  const key = `${asset.id}-title`;
  const body = { type: "movie", name: { en: name }, assetId: asset.id };
  const title = await api.call<Title>("POST", "/v1/titles", { body, idempotencyKey: key, signal });
  if (!ingest.publish) return line.finish(`Title      ${title.id} "${name}" (draft)`);
  await api.call("POST", `/v1/titles/${title.id}/publish`, {
    body: {},
    idempotencyKey: `${key}-publish`,
    signal,
  });
  line.finish(`Published  ${title.id} "${name}"`);
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
  const { api, path, encoding, signal, line } = ingest;
  const assetId = await orderPull(api, path, encoding, signal);
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

/** A name to show for a file that was given none. */
function nameOf(path: string): string {
  return basename(path, extname(path)).replaceAll(/[_.]+/g, " ").trim() || basename(path) || path;
}
