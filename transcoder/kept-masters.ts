import { createHash } from "node:crypto";
import { rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type ByteRange, coveredBytes, joined } from "../core/byte-ranges.ts";
import { Failure } from "../core/errors.ts";
import type { PinnedSource } from "../core/source.ts";
import type { Blobs } from "../stores/blobs.ts";
import { asDiskFailure } from "./disk-failure.ts";
import { type FetchRange, makePartialFile, type PartialFile, type TakePieces } from "./partial-file.ts";
import { readSourceIndex, type SourceIndex } from "./source-index.ts";

/** A master of which what was asked for is on this machine. */
export interface KeptMaster {
  readonly file: PartialFile;
  /**
   * As the file's own, once there is room for it: `scratch_full` or `source_too_large` where there is none. Of a little master far more is
   * read with what is wanted, unless `gapBytes` says how much.
   */
  readonly fill: PartialFile["fill"];
  /** As the file's own, with the same failures where there is no room. */
  readonly put: PartialFile["put"];
  /** From storage, into memory. */
  readonly fetch: (range: ByteRange, signal: AbortSignal) => Promise<readonly Uint8Array[]>;
  users: number;
  /** By `performance.now()`. */
  usedAt: number;
  /** Set once; a failed look is tried anew by the next who asks. */
  index: Promise<SourceIndex | null> | null;
  isDigestChecked: boolean;
}

/** Kept free beside a master, for what is being encoded from it. */
const HEADROOM_BYTES = 256 * 2 ** 20;

/**
 * Sound lies in little pieces between the pictures: of half a minute of ProRes in 700, of which each costs as much by itself as a
 * MiB of what is between, and leaves as many spans of picture to be fetched one by one. So little masters are read in one go. Of a
 * large one whoever encodes its sound would read, and keep, all of the picture for it.
 */
const WIDE_GAP_BYTES = 2 ** 20;
const SMALL_MASTER_BYTES = 2 ** 30;

/** Codes of a master, or a part of one, that cannot be kept here. */
const NO_ROOM: ReadonlySet<string> = new Set(["scratch_full", "source_too_large"]);

/** Whether something failed because a master cannot be kept here. */
export function isForRoom(thrown: unknown): boolean {
  return thrown instanceof Failure && NO_ROOM.has(thrown.code);
}

/** The masters in a folder: each stays for the next who asks until another needs its room. */
export class KeptMasters {
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #blobs: Blobs;
  readonly #masters = new Map<string, Promise<KeptMaster>>();
  #fetchedBytes = 0;

  constructor(folder: string, limitBytes: number, blobs: Blobs) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
    this.#blobs = blobs;
  }

  /** Runs `use` with the master, which is not removed meanwhile. */
  async withMaster<T>(pinned: PinnedSource, use: (master: KeptMaster) => Promise<T>): Promise<T> {
    const known = this.#masters.get(pinned.key) ?? this.#admit(pinned);
    this.#masters.set(pinned.key, known);
    known.catch(() => this.#masters.delete(pinned.key));
    const master = await known.catch((thrown: unknown) => Promise.reject(asDiskFailure(thrown)));
    master.users += 1;
    try {
      return await use(master);
    } finally {
      master.users -= 1;
      master.usedAt = performance.now();
    }
  }

  /** Of the disk. */
  async freeBytes(): Promise<number> {
    const disk = await statfs(this.#folder);
    return disk.bavail * disk.bsize;
  }

  /** Bytes read from storage since the start. */
  fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  async #admit(pinned: PinnedSource): Promise<KeptMaster> {
    const name = `master-${createHash("sha256").update(pinned.key).digest("hex").slice(0, 24)}`;
    const bring: FetchRange = (range, take, signal) => this.#bring(pinned, range, take, signal);
    const file = await makePartialFile(join(this.#folder, name), pinned.sizeBytes, bring);
    const fill: KeptMaster["fill"] = async (ranges, signal, gapBytes) => {
      const absent = file.absent(ranges);
      const isWide = gapBytes === undefined && (await this.#makeWideRoom(pinned.key, file, absent));
      if (!isWide) await this.#makeRoom(pinned.key, file, coveredBytes(absent));
      await file.fill(ranges, signal, isWide ? WIDE_GAP_BYTES : gapBytes);
    };
    const put: KeptMaster["put"] = async (spans, bytes) => {
      await this.#makeRoom(pinned.key, file, bytes.length);
      await file.put(spans, bytes);
    };
    const fetch: KeptMaster["fetch"] = async (range, signal) => {
      let came: Uint8Array[] = [];
      const collect: TakePieces = async (pieces, position) => {
        came = position === range.start ? [...pieces] : [...came, ...pieces];
      };
      await bring(range, collect, signal);
      return came;
    };
    const kept = { users: 0, usedAt: performance.now(), index: null, isDigestChecked: false };
    return { file, fill, put, fetch, ...kept };
  }

  async #bring(
    { key, etag }: PinnedSource,
    range: ByteRange,
    take: TakePieces,
    signal: AbortSignal,
  ): Promise<void> {
    const options = { range: { start: range.start, end: range.end - 1 }, ifMatch: etag, signal };
    const arrived = await this.#blobs.readThrough("sources", key, options, (pieces, at) =>
      take(pieces, range.start + at),
    );
    if (arrived !== range.end - range.start)
      throw new Failure("transient", "source_short", "The source did not arrive whole.");
    this.#fetchedBytes += arrived;
  }

  /** Makes room for the ranges of a small master and what lies between near ones; false where there is none, or it is no small one. */
  async #makeWideRoom(key: string, file: PartialFile, ranges: readonly ByteRange[]): Promise<boolean> {
    if (file.sizeBytes > SMALL_MASTER_BYTES) return false;
    const wide = coveredBytes(joined(ranges, WIDE_GAP_BYTES));
    return this.#makeRoom(key, file, wide).then(
      () => true,
      (thrown) => {
        if (isForRoom(thrown)) return false;
        throw thrown;
      },
    );
  }

  /** Removes masters nobody uses, longest unused first, until so much more of this one fits the limit and the disk. */
  async #makeRoom(key: string, file: PartialFile, moreBytes: number): Promise<void> {
    const heldAlready = file.heldBytes();
    const needed = Math.min(file.sizeBytes, moreBytes + heldAlready);
    if (needed > this.#limitBytes) throw tooLarge(this.#limitBytes, needed);
    const others = await this.#othersThan(key);
    let held = others.reduce((sum, { master }) => sum + master.file.heldBytes(), 0);
    const idle = others
      .filter(({ master }) => master.users === 0)
      .sort((a, b) => a.master.usedAt - b.master.usedAt);
    while (
      held + needed > this.#limitBytes ||
      (await this.freeBytes()) < needed - heldAlready + HEADROOM_BYTES
    ) {
      const oldest = idle.shift();
      if (oldest === undefined) throw diskFull();
      this.#masters.delete(oldest.key);
      held -= oldest.master.file.heldBytes();
      await rm(oldest.master.file.path, { force: true });
    }
  }

  async #othersThan(own: string): Promise<{ key: string; master: KeptMaster }[]> {
    const opened = await Promise.all(
      [...this.#masters].map(async ([key, opening]) => ({ key, master: await opening.catch(() => null) })),
    );
    return opened.flatMap(({ key, master }) => (key === own || master === null ? [] : [{ key, master }]));
  }
}

/** Where a master's samples lie; null for containers that tell it only by being read to their end. */
export function indexOf(master: KeptMaster, signal: AbortSignal): Promise<SourceIndex | null> {
  const { file, fill } = master;
  master.index ??= readSourceIndex({ path: file.path, sizeBytes: file.sizeBytes, fill }, signal);
  master.index.catch(() => {
    master.index = null;
  });
  return master.index;
}

function tooLarge(limitBytes: number, needed: number): Failure {
  return new Failure(
    "resource",
    "source_too_large",
    `This worker keeps at most ${limitBytes} bytes of masters, and needs ${needed} of this one.`,
  );
}

function diskFull(): Failure {
  return new Failure(
    "resource",
    "scratch_full",
    "This worker has no room on disk for the source; free some or raise the limit.",
  );
}
