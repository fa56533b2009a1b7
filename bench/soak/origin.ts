import { createHash } from "node:crypto";
import { serveFile, startFilmServer } from "../../test/rig/film-server.ts";
import { openWire, type Wire } from "../../test/rig/wire.ts";
import type { Film } from "./films.ts";

/** Somebody else's server, that masters are fetched from, behind a wire that can go wrong. */
export interface Origin {
  wire: Wire;
  /** Where it has that film under a name of its own. */
  urlOf(film: Film, filename: string): string;
  /** Answers 503 to everything, until `mend`. */
  fail(): void;
  mend(): void;
  close(): void;
}

/** What it has not: who names it is refused. */
export const NO_FILM: Film = { name: "none.mp4", bytes: new Uint8Array(), failsWith: ["source_refused"] };

/** Serves each film whole or from where it broke off, under any number of names. */
export async function openOrigin(): Promise<Origin> {
  const films = new Map<string, { bytes: Buffer; etag: string }>();
  let isFailing = false;
  const server = await startFilmServer((request, response, seen) => {
    const film = films.get(seen.path);
    if (isFailing || film === undefined) response.writeHead(isFailing ? 503 : 404).end();
    else serveFile(film.bytes, film.etag)(request, response, seen);
  });
  const wire = await openWire({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
  return {
    wire,
    urlOf(film, filename) {
      const path = `/films/${filename}`;
      const etag = `"${createHash("sha256").update(film.bytes).digest("hex")}"`;
      const { buffer, byteOffset, length } = film.bytes;
      if (film !== NO_FILM) films.set(path, { bytes: Buffer.from(buffer, byteOffset, length), etag });
      return `http://127.0.0.1:${wire.port}${path}`;
    },
    fail() {
      isFailing = true;
    },
    mend() {
      isFailing = false;
    },
    close() {
      wire.close();
      server.close();
    },
  };
}
