import type { Film } from "./films.ts";

/** What the product has said yes to: it must be there in the end. */

export interface KnownAsset {
  id: string;
  uploadIds: string[];
  /** It is fetched from elsewhere. */
  isFetched: boolean;
  /** Its master is not known to be here yet: nothing that needs one may be done to it. */
  isAwaited: boolean;
  film: Film;
  /** The name that the last accepted master came under. */
  filename: string;
  fate: "made" | "cancelled" | "deleted";
  /** An answer is outstanding whose effect may be either: what it may be as well. */
  alsoFate: "cancelled" | "deleted" | "made" | null;
  /** Languages of tracks that were accepted and neither taken out nor rolled back. */
  tracks: Set<string>;
  /** It was gone back to an earlier generation: what it is made of is that one's. */
  isRolledBack: boolean;
}

export interface KnownTitle {
  id: string;
  asset: KnownAsset;
  name: string;
  state: "draft" | "published" | "unpublished" | "scheduled" | "deleted";
  /** When its publication changed last, in milliseconds of the soak. */
  changedAt: number;
  links: string[];
  /** How often it came before viewers and was taken from them. */
  publications: number;
  takedowns: number;
}

export interface Acknowledged {
  assets: KnownAsset[];
  titles: KnownTitle[];
  /** By viewer and title: where the last accepted beacon was, and what later ones of unknown fate said. */
  positions: Map<string, { seconds: number; maybe: number[] }>;
  /** Addresses of manifests whose sessions were ended. */
  ended: string[];
  counts: Record<string, number>;
  count(what: string): void;
}

export function openAcknowledged(): Acknowledged {
  const counts: Record<string, number> = {};
  return {
    assets: [],
    titles: [],
    positions: new Map(),
    ended: [],
    counts,
    count(what) {
      counts[what] = (counts[what] ?? 0) + 1;
    },
  };
}
