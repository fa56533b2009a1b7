import type { OpenedUpload, SignedPart } from "./answers.ts";
import { type Api, pause } from "./api-client.ts";
import {
  inRuns,
  MAX_ATTEMPTS_A_PART,
  MAX_SIGNED_A_CALL,
  partRange,
  partVerdict,
  retryDelayMs,
} from "./upload-plan.ts";

const PARALLEL_PARTS = 4;
/** Hashed and signed together: few enough that sending starts at once, many enough to spare the API. */
const PARTS_A_RUN = 16;

/** A part that storage will not take, whatever is tried. */
export class PartRefused extends Error {
  readonly partNumber: number;

  constructor(partNumber: number, status: number) {
    super(status === 0 ? "The blob storage does not answer." : `The blob storage answered ${status}.`);
    this.name = "PartRefused";
    this.partNumber = partNumber;
  }
}

export interface PartSending {
  api: Api;
  file: Blob;
  upload: OpenedUpload;
  /** Numbers of the parts to send. */
  missing: readonly number[];
  signal: AbortSignal;
  /** Base64 SHA-256. */
  digest(part: Blob): Promise<string>;
  /** Sends the bytes and gives the HTTP status; `onSent` hears how many went out so far. Throws where nothing answers. */
  put(signed: SignedPart, body: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<number>;
  /** Bytes of `missing` that have gone out, of parts not yet stored too. */
  onSent(bytes: number): void;
}

/** Sends the missing parts, some at a time. Throws PartRefused, ApiProblem, or the signal's reason. */
export async function sendParts(sending: PartSending): Promise<void> {
  const runs = inRuns(sending.missing, Math.min(PARTS_A_RUN, MAX_SIGNED_A_CALL));
  const sent = new Map<number, number>();
  const failed = new AbortController();
  const signal = AbortSignal.any([sending.signal, failed.signal]);
  const queue: SignedPart[] = [];
  let signing: Promise<void> | null = null;
  const refill = async () => {
    const run = runs.shift();
    if (run !== undefined) queue.push(...(await signParts(sending, run, signal)));
  };
  const next = async (): Promise<SignedPart | undefined> => {
    while (queue.length === 0 && (runs.length > 0 || signing !== null)) {
      signing ??= refill().finally(() => {
        signing = null;
      });
      await signing;
    }
    return queue.shift();
  };
  const work = async () => {
    for (let part = await next(); part !== undefined; part = await next()) {
      const { partNumber } = part;
      await sendPart(sending, part, signal, (bytes) => {
        sent.set(partNumber, bytes);
        sending.onSent(sent.values().reduce((sum, each) => sum + each, 0));
      });
    }
  };
  const stopOthers = (thrown: unknown) => {
    failed.abort(thrown);
    throw thrown;
  };
  await Promise.all(Array.from({ length: PARALLEL_PARTS }, () => work().catch(stopOthers)));
}

async function signParts({ api, file, upload, digest }: PartSending, numbers: number[], signal: AbortSignal) {
  const parts: { partNumber: number; sha256: string }[] = [];
  for (const partNumber of numbers) {
    signal.throwIfAborted();
    parts.push({ partNumber, sha256: await digest(cut(file, upload, partNumber)) });
  }
  const path = `/v1/uploads/${upload.id}/parts`;
  return (await api.call<{ parts: SignedPart[] }>("POST", path, { body: { parts }, signal })).parts;
}

async function sendPart(
  sending: PartSending,
  first: SignedPart,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<void> {
  const body = cut(sending.file, sending.upload, first.partNumber);
  let signed = first;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    if (Date.parse(signed.expiresAt) <= Date.now())
      signed = await signAgain(sending, first.partNumber, signal);
    const status = await sending.put(signed, body, onSent, signal).catch(() => 0);
    signal.throwIfAborted();
    const verdict = status === 0 ? "again" : partVerdict(status);
    if (verdict === "stored") return onSent(body.size);
    if (verdict === "refused" || attempt >= MAX_ATTEMPTS_A_PART) {
      throw new PartRefused(first.partNumber, status);
    }
    onSent(0);
    await pause(retryDelayMs(attempt, Math.random()), signal);
    if (verdict === "sign") signed = await signAgain(sending, first.partNumber, signal);
  }
}

async function signAgain(sending: PartSending, partNumber: number, signal: AbortSignal): Promise<SignedPart> {
  const [signed] = await signParts(sending, [partNumber], signal);
  if (signed === undefined) throw new PartRefused(partNumber, 403);
  return signed;
}

function cut(file: Blob, upload: OpenedUpload, partNumber: number): Blob {
  const { start, end } = partRange({ ...upload, sizeBytes: file.size }, partNumber);
  return file.slice(start, end);
}
