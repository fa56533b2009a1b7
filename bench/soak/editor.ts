import { setTimeout as pause } from "node:timers/promises";
import type { KnownAsset, KnownTitle } from "./acknowledged.ts";
import { assetActs, unfinishedActs } from "./asset-acts.ts";
import type { Acts, Desk, Own } from "./desk.ts";
import { sendFilm } from "./send-film.ts";
import { publish, titleActs } from "./title-acts.ts";
import { pickWeighted } from "./weighted.ts";

/** As many films of one editor are on their way at most. */
const MOST_UNFINISHED = 2;
const PAUSE_MS = 700;

/** Does one thing after the other to films and titles of its own until `signal` is aborted, and ends what it had begun. */
export async function edit(desk: Desk, signal: AbortSignal): Promise<void> {
  const own: Own = { assets: [], titles: [] };
  const { chance } = desk;
  while (!signal.aborted) {
    const unfinished = await unfinishedOf(desk, own);
    const acts: Acts = [
      [unfinished.length < MOST_UNFINISHED ? 5 : 0, () => newFilm(desk, own)],
      ...titleActs(desk, own),
      ...(unfinished.length > 0 ? unfinishedActs(desk, chance.pick(unfinished)) : []),
      ...(unfinished.length < MOST_UNFINISHED ? assetActs(desk, own, unfinished) : []),
    ];
    await pickWeighted(chance, acts)?.();
    await pause(PAUSE_MS * (0.5 + chance.share()));
  }
}

/** Of the last ones, those that nobody stopped and that are not over. */
async function unfinishedOf({ client }: Desk, { assets }: Own): Promise<KnownAsset[]> {
  const found: KnownAsset[] = [];
  for (const asset of assets.slice(-6).filter(({ fate }) => fate === "made")) {
    const { body } = await client.insist("GET", `/v1/assets/${asset.id}`);
    if (["queued", "probing", "encoding"].includes(body.state)) found.push(asset);
  }
  return found;
}

async function newFilm(desk: Desk, own: Own): Promise<void> {
  const { client, chance, known, films, faults } = desk;
  const good = films.filter(({ failsWith }) => failsWith.length === 0);
  const film =
    chance.share() < 0.15 ? chance.pick(films.filter((one) => !good.includes(one))) : chance.pick(good);
  const filename = `${known.assets.length}-${film.name}`;
  const sent = await sendFilm(desk, film, filename);
  if (!sent.isComplete) {
    known.count(sent.isAborted ? "upload called off" : "upload left");
    return;
  }
  known.count("upload");
  const asset: KnownAsset = {
    ...{ id: sent.assetId, uploadIds: [sent.uploadId], film, filename, fate: "made", alsoFate: null },
    ...{ tracks: new Set(), isRolledBack: false },
  };
  known.assets.push(asset);
  own.assets.push(asset);
  if (film.failsWith.length > 0) return;
  const name = `Film ${known.titles.length}`;
  const key = { "idempotency-key": `title-${sent.uploadId}` };
  const made = await client.insist("POST", "/v1/titles", { name, assetId: asset.id }, [201], key);
  if (made.status !== 201) return;
  known.count("title");
  const title: KnownTitle = {
    ...{ id: made.body.id, asset, name, state: "draft", changedAt: faults.now(), links: [] },
    ...{ publications: 0, takedowns: 0 },
  };
  known.titles.push(title);
  own.titles.push(title);
  await publish(desk, title);
}
