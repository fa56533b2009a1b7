import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { Failure } from "../core/errors.ts";
import type { Bucket, OpenedBlob, ReadOptions, TakePieces, WholeBlob } from "./blobs.ts";
import { type BlobClients, retried, translated } from "./blobs-client.ts";
import { watchIdle } from "./blobs-download.ts";
import { open } from "./blobs-reading.ts";

/** Bytes of objects, in memory or handed on as they come: all that was promised, or a failure. */

export async function read(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
): Promise<Uint8Array | null> {
  return (await gather(clients, bucket, key, options))?.bytes ?? null;
}

export async function readWhole(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  signal: AbortSignal | undefined,
): Promise<WholeBlob | null> {
  return gather(clients, bucket, key, signal === undefined ? {} : { signal });
}

async function gather(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
): Promise<WholeBlob | null> {
  let came: Uint8Array[] = [];
  const passed = await passOn(clients, bucket, key, options, async (pieces, at) => {
    came = at === 0 ? [...pieces] : [...came, ...pieces];
  });
  return passed && { bytes: Buffer.concat(came), facts: passed.facts };
}

export async function readThrough(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
  take: TakePieces,
): Promise<number | null> {
  return (await passOn(clients, bucket, key, options, take))?.lengthBytes ?? null;
}

async function passOn(
  clients: BlobClients,
  bucket: Bucket,
  key: string,
  options: ReadOptions,
  take: TakePieces,
): Promise<Pick<OpenedBlob, "facts" | "lengthBytes"> | null> {
  return retried(options.signal, async () => {
    const opened = await open(clients, bucket, key, options);
    if (opened === null) return null;
    const { body, facts, lengthBytes } = opened;
    const isWhole = lengthBytes === facts.sizeBytes;
    const hash = isWhole && facts.sha256 !== undefined ? createHash("sha256") : null;
    let arrived = 0;
    try {
      const handfuls = inHandfuls(body);
      for (;;) {
        const { done, value: pieces } = await translated(`read ${key}`, options.signal, () =>
          handfuls.next(),
        );
        if (done === true) break;
        const at = arrived;
        for (const piece of pieces) {
          hash?.update(piece);
          arrived += piece.byteLength;
        }
        // They are the taker's from here on.
        await take(pieces, at);
      }
    } finally {
      // Whoever takes them may have failed.
      body.destroy();
    }
    if (arrived !== lengthBytes) throw cutShort(key);
    if (hash !== null && hash.digest("base64") !== facts.sha256) throw cutShort(key);
    return { facts, lengthBytes };
  });
}

/** Pieces come as the network cuts them, mostly 64 KiB: to hand on each by itself costs more than what is done with it. */
const HANDFUL_BYTES = 512 * 2 ** 10;

async function* inHandfuls(body: Readable): AsyncGenerator<Buffer[], undefined> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  for await (const piece of watchIdle(body)) {
    held.push(piece);
    heldBytes += piece.byteLength;
    if (heldBytes < HANDFUL_BYTES) continue;
    yield held;
    held = [];
    heldBytes = 0;
  }
  if (held.length > 0) yield held;
}

function cutShort(key: string): Failure {
  return new Failure("transient", "blob_store_unavailable", `The bytes of ${key} arrived damaged.`);
}
