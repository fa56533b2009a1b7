import type { OpenedUpload, SignedPart, UploadStatus } from "../answers.ts";
import { type Api, ApiProblem } from "../api-client.ts";
import type { EncodingWish } from "../encoding-wish.ts";
import { openRateMeter } from "../pace.ts";
import { sendParts } from "../upload-file.ts";
import { missingParts, partRange, toBase64 } from "../upload-plan.ts";
import { problemOf } from "./problem-text.ts";
import { forgetUpload, rememberedUpload, rememberUpload } from "./remembered-uploads.ts";
import type { Said } from "./said.ts";

export type UploadPhase = "sending" | "paused" | "completing" | "failed" | "done" | "cancelled";

/** One file on its way. Pausing stops what is in flight; going on asks storage what it holds and sends the rest. */
export class BrowserUpload {
  readonly file: File;
  phase: UploadPhase = "sending";
  sentBytes = 0;
  bytesPerSecond = 0;
  problem: Said | null = null;
  assetId: string | null = null;
  readonly #api: Api;
  readonly #encoding: EncodingWish;
  readonly #onChange: () => void;
  #uploadId: string | null;
  #stop = new AbortController();

  constructor(api: Api, file: File, encoding: EncodingWish, onChange: () => void) {
    this.#api = api;
    this.file = file;
    this.#encoding = encoding;
    this.#onChange = onChange;
    this.#uploadId = rememberedUpload(file, encoding);
  }

  /** Sends what is missing, and settles when that is over, one way or another. */
  async run(): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    this.problem = null;
    this.#enter("sending");
    try {
      const upload = await this.#open(stop.signal);
      if (upload.state === "open") await this.#send(upload, stop.signal);
      if (stop.signal.aborted) return;
      this.#enter("completing");
      await this.#api.call("POST", `/v1/uploads/${upload.id}/complete`, { body: {} });
      forgetUpload(this.file);
      this.#enter("done");
    } catch (thrown) {
      if (stop.signal.aborted) return;
      this.problem = problemOf(thrown);
      this.#enter("failed");
    }
  }

  pause(): void {
    this.#stop.abort();
    this.#enter("paused");
  }

  async cancel(): Promise<void> {
    this.#stop.abort();
    this.#enter("cancelled");
    forgetUpload(this.file);
    if (this.#uploadId !== null) {
      await this.#api.call("DELETE", `/v1/uploads/${this.#uploadId}`).catch(() => undefined);
    }
  }

  async #open(signal: AbortSignal): Promise<UploadStatus> {
    const begun = this.#uploadId === null ? null : await this.#reopen(this.#uploadId, signal);
    const upload = begun ?? { ...(await this.#openNew(signal)), parts: [] };
    this.#uploadId = upload.id;
    this.assetId = upload.assetId;
    rememberUpload(this.file, upload.id, this.#encoding);
    this.#onChange();
    return upload;
  }

  /** null where the upload is no more. */
  async #reopen(uploadId: string, signal: AbortSignal): Promise<UploadStatus | null> {
    try {
      const upload = await this.#api.call<UploadStatus>("GET", `/v1/uploads/${uploadId}`, { signal });
      return upload.state === "open" || upload.state === "completed" ? upload : null;
    } catch (thrown) {
      if (thrown instanceof ApiProblem && thrown.status === 404) return null;
      throw thrown;
    }
  }

  #openNew(signal: AbortSignal): Promise<OpenedUpload> {
    const { name, size, type } = this.file;
    const contentType = /^[\w.+-]+\/[\w.+-]+$/.test(type) ? { contentType: type } : {};
    const body = { filename: name, sizeBytes: size, encoding: this.#encoding, ...contentType };
    return this.#api.call("POST", "/v1/uploads", { body, idempotencyKey: crypto.randomUUID(), signal });
  }

  async #send(upload: UploadStatus, signal: AbortSignal): Promise<void> {
    const layout = { ...upload, sizeBytes: this.file.size };
    const missing = missingParts(layout, upload.parts);
    const missingBytes = missing.reduce((sum, partNumber) => {
      const { start, end } = partRange(layout, partNumber);
      return sum + end - start;
    }, 0);
    const heldBytes = this.file.size - missingBytes;
    const rateOf = openRateMeter(() => performance.now());
    const onSent = (bytes: number) => {
      this.sentBytes = heldBytes + bytes;
      this.bytesPerSecond = rateOf(bytes);
      this.#onChange();
    };
    onSent(0);
    await sendParts({ api: this.#api, file: this.file, upload, missing, signal, digest, put, onSent });
  }

  #enter(phase: UploadPhase): void {
    this.phase = phase;
    this.#onChange();
  }
}

async function digest(part: Blob): Promise<string> {
  return toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer())));
}

/** XMLHttpRequest, because fetch does not tell how much of a body went out. */
function put(signed: SignedPart, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal) {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = new XMLHttpRequest();
  const abort = () => request.abort();
  request.open(signed.method, signed.url);
  for (const [name, value] of Object.entries(signed.headers)) request.setRequestHeader(name, value);
  request.upload.onprogress = ({ loaded }) => onSent(loaded);
  request.onload = () => resolve(request.status);
  request.onerror = () => reject(new Error("no answer"));
  request.onabort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  request.send(body);
  return promise.finally(() => signal.removeEventListener("abort", abort));
}
