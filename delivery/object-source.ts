import type { Readable } from "node:stream";
import type { ObjectFacts } from "../core/delivery-rules.ts";
import type { ByteRange } from "../core/http-conditions.ts";
import type { BlobFacts, Blobs } from "../stores/blobs.ts";
import { watchIdle } from "../stores/blobs-download.ts";
import { comparedBody } from "./compared-body.ts";

export interface Wish {
  /** All bytes, perhaps some or none of them (a range, a condition), or what is known of the object alone. */
  wanted: "whole" | "part" | "head";
  signal: AbortSignal;
}

/** Where the edge gets objects from: the store itself, or a cache before it. */
export interface ObjectSource {
  /** The object under `key`; null where there is none. */
  find(key: string, wish: Wish): Promise<FoundObject | null>;
}

/** An object that is there. Whoever found it closes it, once or more often. */
export interface FoundObject {
  facts: ObjectFacts;
  /** The bytes or a range of them: whole where they lie in memory, else piece by piece at the reader's pace. */
  read(range?: ByteRange): Promise<Buffer | AsyncIterable<Buffer>>;
  close(): void;
}

/**
 * A range is compared as a part of its whole, for which all of it is read: of any segment, but not of what is larger than this,
 * where a player that seeks would have the store send the object again and again.
 */
const LARGEST_COMPARED_BYTES = 64 * 1024 * 1024;

/**
 * Straight from the store, compared with the digest that it keeps on the way (`comparedBody`). Costs it two requests: it tells
 * that digest with the head alone.
 */
export function storeSource(blobs: Blobs): ObjectSource {
  return {
    async find(key, { wanted, signal }) {
      if (wanted === "whole") return wholeObject(blobs, key, signal);
      const facts = await blobs.head("media", key);
      if (facts === null) return null;
      let body: Readable | undefined;
      return {
        facts,
        async read(range) {
          const isCompared = range === undefined || facts.sizeBytes <= LARGEST_COMPARED_BYTES;
          const wish = { range: isCompared ? undefined : range, ifMatch: facts.etag, signal };
          const opened = await blobs.open("media", key, wish);
          // It was there a moment ago: gone is the same as changed.
          if (opened === null) throw new Error("the object vanished");
          body = opened.body;
          const pieces = watchIdle(opened.body);
          if (!isCompared) return pieces;
          return comparedBody(pieces, opened.facts, Promise.resolve(facts), range ?? wholeOf(facts));
        },
        close: () => body?.destroy(),
      };
    },
  };
}

/** The body is on its way while the head is asked for; only its last byte waits for that. */
async function wholeObject(blobs: Blobs, key: string, signal: AbortSignal): Promise<FoundObject | null> {
  const expected = blobs.head("media", key).catch(() => null);
  const opened = await blobs.open("media", key, { signal });
  if (opened === null) return null;
  const { facts, body } = opened;
  return {
    facts,
    // Who wants a range asks for the head first.
    read: async () => comparedBody(watchIdle(body), facts, expected, wholeOf(facts)),
    close: () => body.destroy(),
  };
}

function wholeOf({ sizeBytes }: BlobFacts): ByteRange {
  return { start: 0, end: sizeBytes - 1 };
}
