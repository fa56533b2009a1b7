import { setTimeout as pause } from "node:timers/promises";
import type { KnownAsset, KnownTitle } from "./acknowledged.ts";
import { assetActs, unfinishedActs } from "./asset-acts.ts";
import type { Acts, Desk, Own } from "./desk.ts";
import { haveFetched } from "./fetch-film.ts";
import type { Film } from "./films.ts";
import { boundaryActs } from "./look-around.ts";
import { sendFilm } from "./send-film.ts";
import { nameIn } from "./sightings.ts";
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
      ...boundaryActs(desk, own),
      ...(unfinished.length > 0 ? unfinishedActs(desk, chance.pick(unfinished)) : []),
      ...(unfinished.length < MOST_UNFINISHED ? assetActs(desk, own, unfinished) : []),
    ];
    await pickWeighted(chance, acts)?.();
    await pause(PAUSE_MS * (0.5 + chance.share()));
  }
}

/** Of the last ones and of those whose master is on its way, those that nobody stopped and that are not over. */
async function unfinishedOf({ client }: Desk, { assets }: Own): Promise<KnownAsset[]> {
  const found: KnownAsset[] = [];
  const last = assets.slice(-6);
  for (const asset of assets.filter((one) => one.fate === "made" && (one.isAwaited || last.includes(one)))) {
    const { body } = await client.insist("GET", `/v1/assets/${asset.id}`);
    asset.isAwaited = body.state === "waiting";
    if (["waiting", "queued", "probing", "encoding"].includes(body.state)) found.push(asset);
  }
  return found;
}

async function newFilm(desk: Desk, own: Own): Promise<void> {
  const { chance, known, films } = desk;
  const good = films.filter(({ failsWith }) => failsWith.length === 0);
  const film =
    chance.share() < 0.15 ? chance.pick(films.filter((one) => !good.includes(one))) : chance.pick(good);
  const asset = chance.share() < 0.35 ? await haveFetched(desk, film) : await send(desk, film);
  if (asset === null) return;
  known.assets.push(asset);
  own.assets.push(asset);
  if (asset.film.failsWith.length === 0) await showIt(desk, own, asset);
}

async function send(desk: Desk, film: Film): Promise<KnownAsset | null> {
  const { known } = desk;
  const filename = `${known.assets.length}-${film.name}`;
  const sent = await sendFilm(desk, film, filename);
  known.count(sent.isComplete ? "upload" : sent.isAborted ? "upload called off" : "upload left");
  if (!sent.isComplete) return null;
  return {
    ...{ id: sent.assetId, uploadIds: [sent.uploadId], isFetched: false, isAwaited: false },
    ...{ film, filename, fate: "made", alsoFate: null, tracks: new Set(), isRolledBack: false },
  };
}

async function showIt(desk: Desk, own: Own, asset: KnownAsset): Promise<void> {
  const { client, known, faults, tenant } = desk;
  const name = nameIn(tenant, known.titles.length);
  const key = { "idempotency-key": `title-${asset.id}` };
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
