import { Failure, sourceFailure } from "../core/errors.ts";
import { fetchedKey } from "../core/keys.ts";
import { tooLarge, unreachable } from "../core/pull-answer.ts";
import { heldParts, pullPartLength } from "../core/pull-parts.ts";
import type { PullTransfer } from "../core/records/pull.ts";
import type { StoredPart } from "../stores/blobs.ts";
import { recordTransfer } from "../stores/library/pulls.ts";
import { removeTransfer } from "../stores/remove-transfer.ts";
import type { TaskContext } from "./task-context.ts";

/** Of a file of unknown length no more can be told than that it comes. */
const UNKNOWN_RATIO = 0.01;

/** What a server says of the file that it begins to send. */
export interface FileFacts {
  etag: string | null;
  sizeBytes: number | null;
  filename: string;
}

/** What storage holds of a file that is being fetched, and how more is added to it. */
export class HeldTransfer {
  readonly #context: TaskContext;
  #filename: string;
  #transfer: PullTransfer | null;
  #parts: StoredPart[] = [];
  #heldBytes = 0;
  /** Put together already, by an attempt that ended before it could say so. */
  #isMade = false;

  private constructor(context: TaskContext) {
    this.#context = context;
    this.#filename = context.asset.filename;
    this.#transfer = context.asset.pull?.transfer ?? null;
  }

  /**
   * Takes up what an earlier attempt, here or elsewhere, has left in storage. Whoever was at it before and still runs changes
   * nothing of it any more. Throws `pull_superseded`.
   */
  static async takeUp(context: TaskContext): Promise<HeldTransfer> {
    const held = new HeldTransfer(context);
    if (held.#transfer === null || held.#transfer.isDropped) return held;
    if (!(await held.#change({ ...held.#transfer, epoch: context.task.epoch }))) throw superseded();
    await held.#look();
    return held;
  }

  async #look(): Promise<void> {
    const { blobs } = this.#context;
    if (this.#transfer === null) return;
    const { key, sizeBytes } = this.#transfer;
    const stored = await blobs.listParts(this.#transfer);
    if (stored !== null) {
      const { parts, bytes } = heldParts(stored, sizeBytes);
      this.#parts = parts;
      this.#heldBytes = bytes;
    } else if (sizeBytes !== null && (await blobs.head("sources", key))?.sizeBytes === sizeBytes) {
      this.#isMade = true;
      this.#heldBytes = sizeBytes;
    }
  }

  /** null: nothing was ever held. */
  get transfer(): PullTransfer | null {
    return this.#transfer;
  }

  /** What the file is called. */
  get filename(): string {
    return this.#filename;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get isWhole(): boolean {
    return this.#heldBytes > 0 && this.#transfer?.sizeBytes === this.#heldBytes;
  }

  /** What is held is of no use: the file is asked for from its beginning. */
  drop(): void {
    this.#parts = [];
    this.#heldBytes = 0;
  }

  /** A file from its beginning, in the place of whatever is held. */
  async begin({ etag, sizeBytes, filename }: FileFacts): Promise<void> {
    const { blobs, task, asset } = this.#context;
    if (sizeBytes === 0) throw empty();
    await this.#remove();
    // The type is ours: what a server says of the file is never served to anybody (RELIABILITY T12).
    const key = fetchedKey(asset.tenant, asset._id, task.epoch);
    const multipartId = await blobs.createMultipart(key, "application/octet-stream");
    this.#filename = filename;
    if (!(await this.#change({ key, multipartId, etag, sizeBytes, epoch: task.epoch }))) {
      await blobs.abortMultipart({ key, multipartId });
      throw superseded();
    }
    this.drop();
  }

  /** Frees what is held, before there is anything new: no reaper looks for what is on no record. */
  async #remove(): Promise<void> {
    const transfer = this.#transfer;
    if (transfer === null) return;
    // First on record: somebody may have taken it up meanwhile, and then its parts are in use.
    if (!transfer.isDropped && !(await this.#change({ ...transfer, isDropped: true }))) throw superseded();
    await removeTransfer(this.#context.blobs, transfer);
  }

  /** How long the file is, where only the answer about its rest says so. */
  async learnSize(sizeBytes: number | null): Promise<void> {
    const transfer = this.#transfer;
    if (transfer === null || transfer.sizeBytes !== null || sizeBytes === null) return;
    if (!(await this.#change({ ...transfer, sizeBytes }))) throw superseded();
  }

  /** Stores what comes behind the held bytes; parts that are whole stay, though the body breaks off. */
  async take(body: AsyncIterable<Buffer>, maxBytes: number): Promise<void> {
    // One part is sent while the next one comes: two are in memory at most.
    let sending: Promise<void> = Promise.resolve();
    try {
      for await (const part of this.#inParts(body, maxBytes)) {
        await sending;
        sending = this.#store(part);
        sending.catch(() => undefined);
      }
      await sending;
    } finally {
      await sending.catch(() => undefined);
    }
    if (this.#transfer?.sizeBytes === null) await this.end();
  }

  /** The body in parts as they lie in storage, the last one as long as it is. */
  async *#inParts(body: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
    const sizeBytes = this.#transfer?.sizeBytes ?? null;
    let partNumber = this.#parts.length + 1;
    let position = this.#heldBytes;
    let part: Buffer | null = null;
    let filled = 0;
    for await (const piece of body) {
      if (position + piece.length > maxBytes) throw tooLarge(maxBytes);
      if (sizeBytes !== null && position + piece.length > sizeBytes)
        throw unreachable("The server that the file is on sends more than it said.");
      for (let at = 0; at < piece.length; ) {
        part ??= Buffer.allocUnsafe(
          Math.min(pullPartLength(partNumber), (sizeBytes ?? Number.POSITIVE_INFINITY) - position),
        );
        const copied = piece.copy(part, filled, at);
        at += copied;
        filled += copied;
        position += copied;
        if (filled < part.length) continue;
        yield part;
        partNumber += 1;
        part = null;
        filled = 0;
      }
      this.#context.report(sizeBytes === null ? UNKNOWN_RATIO : position / sizeBytes);
    }
    // An answer may be whole and not all of the file; a short part in its middle would be of no use.
    if (sizeBytes !== null && position !== sizeBytes)
      throw unreachable("The server that the file is on does not send all of it.");
    if (part !== null) yield part.subarray(0, filled);
  }

  async #store(body: Buffer): Promise<void> {
    const { blobs, signal } = this.#context;
    const { key, multipartId } = this.#transfer!;
    const ref = { key, multipartId, partNumber: this.#parts.length + 1 };
    this.#parts.push(await blobs.sendPart(ref, body, signal));
    this.#heldBytes += body.length;
  }

  /** The file ends where what is held does. */
  async end(): Promise<void> {
    if (this.#heldBytes === 0) throw empty();
    if (!(await this.#change({ ...this.#transfer!, sizeBytes: this.#heldBytes }))) throw superseded();
  }

  async #change(next: PullTransfer): Promise<boolean> {
    const { library, asset } = this.#context;
    const changed = { transfer: next, filename: this.#filename };
    const isOurs = await recordTransfer(library, asset, this.#transfer, changed);
    if (isOurs) this.#transfer = next;
    return isOurs;
  }

  /** Makes one object of the parts. */
  async finish(): Promise<{ key: string; etag: string; sizeBytes: number }> {
    const { blobs, signal } = this.#context;
    const transfer = this.#transfer!;
    const { key, multipartId } = transfer;
    // Whoever lost the claim leaves this to who has it, and may not have heard of it yet: two at once spoil it.
    signal.throwIfAborted();
    if (!(await this.#change(transfer))) throw superseded();
    const facts = this.#isMade
      ? await blobs.head("sources", key)
      : await blobs.completeMultipart({ key, multipartId, parts: this.#parts });
    if (facts === null) throw superseded();
    return { key, etag: facts.etag, sizeBytes: facts.sizeBytes };
  }
}

function empty(): Failure {
  return sourceFailure("source_damaged", "The server that the file is on sends an empty one.");
}

/** Somebody else fetches it, or nobody is to any more. */
export function superseded(): Failure {
  return new Failure("transient", "pull_superseded", "The asset does not wait for this any more.");
}
