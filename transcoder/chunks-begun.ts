import type { ChunkOfFilm } from "../core/work.ts";

/** Which chunks of which films this worker has begun: of these it has read what they are made of. */
export interface ChunksBegun {
  of(film: Film): ReadonlySet<number>;
  note(chunk: ChunkOfFilm): void;
}

type Film = Pick<ChunkOfFilm, "assetId" | "generation">;

/** More than a worker is at in turn; a film that was forgotten is read a little more of. */
const MOST_FILMS = 64;

export function openChunksBegun(): ChunksBegun {
  const films = new Map<string, Set<number>>();
  const keyOf = ({ assetId, generation }: Film): string => `${assetId}.${generation}`;
  return {
    of: (film) => films.get(keyOf(film)) ?? new Set(),
    note: (begun) => {
      const key = keyOf(begun);
      const chunks = films.get(key) ?? new Set();
      films.delete(key);
      films.set(key, chunks.add(begun.chunk));
      const [oldest] = films.keys();
      if (films.size > MOST_FILMS && oldest !== undefined) films.delete(oldest);
    },
  };
}
