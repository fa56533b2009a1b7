import { createHash } from "node:crypto";
import type { KnownAsset } from "./acknowledged.ts";
import type { Desk } from "./desk.ts";
import type { Film } from "./films.ts";
import { NO_FILM } from "./origin.ts";

/** Has a film fetched from the origin, or sometimes one that is not there, or that is not what was said of it. */
export async function haveFetched(desk: Desk, film: Film): Promise<KnownAsset | null> {
  const { client, chance, known, origin } = desk;
  const whim = chance.share();
  const wanted = whim < 0.05 ? NO_FILM : whim < 0.1 ? mistaken(film) : film;
  const filename = `${chance.below(1e6)}-${wanted.name}`;
  const sourceUrl = origin.urlOf(wanted, filename);
  const wish = { sourceUrl, ...(whim < 0.4 && wanted !== NO_FILM ? { sha256: statedHash(wanted) } : {}) };
  const key = { "idempotency-key": `fetch-${Math.floor(chance.share() * 1e15)}` };
  const { status, body } = await client.insist("POST", "/v1/assets", wish, [202], key);
  if (status !== 202) return null;
  known.count("fetch");
  return {
    ...{ id: body.id, uploadIds: [], isFetched: true, isAwaited: true },
    ...{ film: wanted, filename, fate: "made", alsoFate: null, tracks: new Set(), isRolledBack: false },
  };
}

/** A film that does not have the hash that is stated of it. */
function mistaken({ name, bytes, failsWith }: Film): Film {
  return { name, bytes, failsWith: [...failsWith, "checksum_mismatch"] };
}

function statedHash({ bytes, failsWith }: Film): string {
  const hash = createHash("sha256").update(bytes);
  if (failsWith.includes("checksum_mismatch")) hash.update("and more");
  return hash.digest("hex");
}
