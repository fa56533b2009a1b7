import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../test/fuzz/random.ts";
import type { Acknowledged, KnownAsset, KnownTitle } from "./acknowledged.ts";
import type { Client, Complaints } from "./client.ts";
import type { FaultLog } from "./faults.ts";
import { type Film, SUBTITLES } from "./films.ts";
import { lookAhead } from "./look-ahead.ts";
import { sendFilm } from "./send-film.ts";
import { pickWeighted } from "./weighted.ts";

export interface Desk {
  name: string;
  client: Client;
  faults: FaultLog;
  complaints: Complaints;
  known: Acknowledged;
  films: readonly Film[];
  /** Of every object that was ever seen: path below the grant, and the hash of its bytes. */
  seen: Map<string, string>;
  chance: Random;
}

interface Own {
  assets: KnownAsset[];
  titles: KnownTitle[];
}

/** As many films of one editor are on their way at most. */
const MOST_UNFINISHED = 2;
const PAUSE_MS = 700;

/** Does one thing after the other to films and titles of its own until `signal` is aborted, and ends what it had begun. */
export async function edit(desk: Desk, signal: AbortSignal): Promise<void> {
  const own: Own = { assets: [], titles: [] };
  const { chance } = desk;
  while (!signal.aborted) {
    const unfinished = await unfinishedOf(desk, own);
    const acts: [number, () => Promise<void>][] = [
      [unfinished.length < MOST_UNFINISHED ? 5 : 0, () => newFilm(desk, own)],
      ...titleActs(desk, own),
      ...(unfinished.length > 0 ? unfinishedActs(desk, chance.pick(unfinished)) : []),
      ...(unfinished.length <= MOST_UNFINISHED ? assetActs(desk, own) : []),
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

function titleActs(desk: Desk, { titles }: Own): [number, () => Promise<void>][] {
  const those = titles.filter(({ state }) => state !== "deleted");
  if (those.length === 0) return [];
  const title = desk.chance.pick(those);
  return [
    [3, () => rename(desk, title)],
    [title.state === "published" ? 1 : 3, () => publish(desk, title)],
    [title.state === "published" ? 1 : 0, () => unpublish(desk, title)],
    [title.state === "draft" ? 0 : 0.5, () => schedule(desk, title)],
    [title.state === "published" ? 2 : 0, () => link(desk, title)],
    [0.3, () => removeTitle(desk, title)],
  ];
}

async function rename({ client, known, complaints, chance }: Desk, title: KnownTitle): Promise<void> {
  const name = `${title.name.split(",")[0]}, ${chance.below(1e9)}`;
  const path = `/v1/titles/${title.id}`;
  for (;;) {
    const found = await client.insist("GET", path);
    if (found.body.name?.en === name) break;
    if (found.body.name?.en !== title.name)
      complaints.add(`${title.id} is called ${JSON.stringify(found.body.name)}, and not ${title.name}`);
    const patched = await client.once("PATCH", path, { name }, [200], { "if-match": found.etag ?? "" });
    if (patched.status === 200) break;
    await pause(300);
  }
  title.name = name;
  known.count("patch");
}

async function publish({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  title.changedAt = Number.POSITIVE_INFINITY;
  const { status } = await client.insist("POST", `/v1/titles/${title.id}/publish`, {}, [200]);
  title.changedAt = faults.now();
  if (status !== 200) return;
  if (title.state !== "published") title.publications++;
  title.state = "published";
  known.count("publish");
}

async function unpublish({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  title.changedAt = Number.POSITIVE_INFINITY;
  const { status } = await client.insist("POST", `/v1/titles/${title.id}/unpublish`, undefined, [200]);
  title.changedAt = faults.now();
  if (status !== 200) return;
  title.takedowns++;
  title.state = "unpublished";
  known.count("unpublish");
}

/** For tomorrow: it is not to be seen until then. */
async function schedule({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  const availableFrom = new Date(Date.now() + 86_400_000).toISOString();
  const was = title.state;
  title.changedAt = Number.POSITIVE_INFINITY;
  const { status } = await client.insist("POST", `/v1/titles/${title.id}/publish`, { availableFrom }, [200]);
  title.changedAt = faults.now();
  if (status !== 200) return;
  if (was === "published") title.takedowns++;
  title.state = "scheduled";
  known.count("schedule");
}

async function link({ client, known, chance }: Desk, title: KnownTitle): Promise<void> {
  const key = { "idempotency-key": `link-${Math.floor(chance.share() * 1e15)}` };
  const made = await client.insist("POST", "/v1/links", { titleId: title.id, startSeconds: 1 }, [201], key);
  if (made.status !== 201) return;
  title.links.push(made.body.code);
  known.count("link");
}

async function removeTitle({ client, known, faults }: Desk, title: KnownTitle): Promise<void> {
  title.changedAt = Number.POSITIVE_INFINITY;
  const was = title.state;
  // Asked again after an answer that was lost, it is gone.
  const { status } = await client.insist("DELETE", `/v1/titles/${title.id}`, undefined, [204, 404]);
  title.changedAt = faults.now();
  if (status !== 204 && status !== 404) return;
  if (was === "published") title.takedowns++;
  title.state = "deleted";
  known.count("title deleted");
}

function unfinishedActs(desk: Desk, asset: KnownAsset): [number, () => Promise<void>][] {
  return [
    [0.4, () => stopAndGoOn(desk, asset)],
    [2, () => lookAhead(desk, asset)],
  ];
}

async function stopAndGoOn({ client, known, chance }: Desk, asset: KnownAsset): Promise<void> {
  const path = `/v1/assets/${asset.id}`;
  const stopped = await client.insist("POST", `${path}/cancel`, {}, [202, 409]);
  if (stopped.status !== 202) return;
  asset.fate = "cancelled";
  known.count("cancel");
  if (chance.share() < 0.3) return;
  await pause(2_000 * chance.share());
  const again = await client.insist("POST", `${path}/retry`, {}, [202, 409]);
  // Asked again after an answer that was lost, it is at work already.
  if (again.status !== 202 && !again.isRepeated) return;
  asset.fate = "made";
  known.count("retry");
}

function assetActs(desk: Desk, { assets }: Own): [number, () => Promise<void>][] {
  const those = assets.filter(({ fate, film }) => fate !== "deleted" && film.failsWith.length === 0);
  if (those.length === 0) return [];
  const asset = desk.chance.pick(those);
  return [
    [1, () => replace(desk, asset)],
    [2, () => addTrack(desk, asset)],
    [1, () => rollBack(desk, asset)],
    [0.5, () => reprocess(desk, asset)],
    [0.4, () => removeAsset(desk, asset)],
  ];
}

async function replace(desk: Desk, asset: KnownAsset): Promise<void> {
  const film = desk.chance.pick(desk.films.filter(({ failsWith }) => failsWith.length === 0));
  const filename = `again-${desk.chance.below(1e9)}-${film.name}`;
  const sent = await sendFilm(desk, film, filename, { assetId: asset.id });
  if (!sent.isComplete) return;
  Object.assign(asset, { film, filename, fate: "made", isRolledBack: false });
  asset.uploadIds.push(sent.uploadId);
  desk.known.count("master replaced");
}

async function addTrack({ client, known, chance }: Desk, asset: KnownAsset): Promise<void> {
  const language = chance.pick(["de", "fr", "es", "it", "nl", "pl"]);
  const key = { "idempotency-key": `track-${Math.floor(chance.share() * 1e15)}` };
  const track = { kind: "subtitle", language, label: language, vtt: SUBTITLES };
  const { status } = await client.insist("POST", `/v1/assets/${asset.id}/tracks`, track, [202], key);
  if (status !== 202) return;
  asset.tracks.add(language);
  // The same text again in the same place changes nothing; what was cancelled stays so.
  if (asset.fate === "cancelled") asset.alsoFate = "made";
  known.count("track");
}

async function reprocess({ client, known, chance }: Desk, asset: KnownAsset): Promise<void> {
  const key = { "idempotency-key": `reprocess-${Math.floor(chance.share() * 1e15)}` };
  const speed = chance.pick(["fast", "balanced"]);
  const wish = { encoding: { speed, ...(chance.share() < 0.3 ? { protection: "clearkey" } : {}) } };
  const { status } = await client.insist("POST", `/v1/assets/${asset.id}/reprocess`, wish, [202], key);
  if (status !== 202) return;
  asset.fate = "made";
  known.count("reprocess");
}

async function rollBack({ client, known, chance }: Desk, asset: KnownAsset): Promise<void> {
  const path = `/v1/assets/${asset.id}`;
  const { body } = await client.insist("GET", `${path}/generations`);
  const restorable = (body.data ?? []).filter((one: { restorable: boolean }) => one.restorable);
  if (restorable.length === 0) return;
  const { generation } = chance.pick<{ generation: string }>(restorable);
  const key = { "idempotency-key": `back-${Math.floor(chance.share() * 1e15)}` };
  const { status } = await client.insist("POST", `${path}/rollback`, { generation }, [202, 409], key);
  if (status !== 202) return;
  Object.assign(asset, { isRolledBack: true, fate: "made", alsoFate: null });
  asset.tracks.clear();
  known.count("rollback");
}

async function removeAsset({ client, known }: Desk, asset: KnownAsset): Promise<void> {
  asset.alsoFate = "deleted";
  const { status } = await client.insist("DELETE", `/v1/assets/${asset.id}`, undefined, [202]);
  if (status !== 202) return;
  asset.fate = "deleted";
  known.count("asset deleted");
}
