import type { Readable } from "node:stream";
import type { ObjectFacts } from "../core/delivery-rules.ts";
import type { ByteRange } from "../core/http-conditions.ts";
import type { Blobs, OpenedBlob } from "../stores/blobs.ts";
import { watchIdle } from "../stores/blobs-download.ts";

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

/** Straight from the store. A plain GET costs it one request, any other two. */
export function storeSource(blobs: Blobs): ObjectSource {
  return {
    async find(key, { wanted, signal }) {
      if (wanted === "whole") {
        const opened = await blobs.open("media", key, { signal });
        return opened === null ? null : openedObject(opened);
      }
      const facts = await blobs.head("media", key);
      if (facts === null) return null;
      let body: Readable | undefined;
      return {
        facts,
        async read(range) {
          const opened = await blobs.open("media", key, { range, ifMatch: facts.etag, signal });
          // It was there a moment ago: gone is the same as changed.
          if (opened === null) throw new Error("the object vanished");
          body = opened.body;
          return watchIdle(opened.body);
        },
        close: () => body?.destroy(),
      };
    },
  };
}

function openedObject({ facts, body }: OpenedBlob): FoundObject {
  return {
    facts,
    // Who wants a range asks for the head first.
    read: async () => watchIdle(body),
    close: () => body.destroy(),
  };
}
