import { createHash } from "node:crypto";
import type { KnownAsset } from "./acknowledged.ts";
import type { Desk } from "./desk.ts";
import { urisOf } from "./viewer.ts";

/** How often somebody who seeks asks again for a part that is still being made. */
const TRIES = 4;

/** Looks at a moment of a film that is still being made, as its editor does. */
export async function lookAhead(desk: Desk, asset: KnownAsset): Promise<void> {
  const { client, chance, known } = desk;
  const key = { "idempotency-key": `look-${Math.floor(chance.share() * 1e15)}` };
  const opened = await client.insist("POST", `/v1/assets/${asset.id}/preview`, undefined, [201, 409], key);
  if (opened.status !== 201) return;
  const { manifestUrl } = opened.body;
  const main = await fetched(desk, manifestUrl);
  const playlists = main === null ? [] : urisOf(main, manifestUrl).filter((uri) => uri.endsWith(".m3u8"));
  if (playlists.length === 0) return;
  const playlist = chance.pick(playlists);
  const text = await fetched(desk, playlist);
  const cells = text === null ? [] : urisOf(text, playlist);
  if (cells.length > 0 && (await fetched(desk, chance.pick(cells))) !== null) known.count("looked ahead");
}

/** Its text; null where it is still being made, or an edge or the store is away. */
async function fetched({ seen, faults, complaints }: Desk, wanted: string): Promise<string | null> {
  const path = new URL(wanted).pathname.replace(/^\/v\/[^/]+/, "");
  for (let tries = 0; tries < TRIES; tries++) {
    const from = faults.now();
    const answer = await fetch(wanted, { signal: AbortSignal.timeout(60_000) }).then(
      async (response) => ({ status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }),
      (thrown: unknown) => ({ status: 0, bytes: Buffer.from(String(thrown)) }),
    );
    if (answer.status === 200) {
      const sha256 = createHash("sha256").update(answer.bytes).digest("hex");
      const before = seen.get(path);
      seen.set(path, before ?? sha256);
      if (before !== undefined && before !== sha256) complaints.add(`OTHER BYTES of ${path}`, from);
      return answer.bytes.toString("utf8");
    }
    const isAway = faults.during(from, faults.now(), 5_000).length > 0;
    if (answer.status !== 503 && !isAway)
      complaints.add(`GET ${path}: ${answer.status} ${answer.bytes.toString("utf8", 0, 200)}`, from);
  }
  return null;
}
