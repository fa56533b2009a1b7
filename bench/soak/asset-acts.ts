import { setTimeout as pause } from "node:timers/promises";
import type { KnownAsset } from "./acknowledged.ts";
import type { Acts, Desk, Own } from "./desk.ts";
import { SUBTITLES } from "./films.ts";
import { lookAhead } from "./look-ahead.ts";
import { sendFilm } from "./send-film.ts";

/** What editors do to a film that is being made. */
export function unfinishedActs(desk: Desk, asset: KnownAsset): Acts {
  return [
    [0.4, () => stopAndGoOn(desk, asset)],
    [asset.isAwaited ? 0 : 2, () => lookAhead(desk, asset)],
    [asset.isAwaited ? 0.2 : 0, () => removeAsset(desk, asset)],
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
  // It may be that its master has not come.
  asset.isAwaited = asset.isFetched;
  known.count("retry");
}

/** And to one of all that they have; seldom to one that is being made: it would never get ready. */
export function assetActs(desk: Desk, { assets }: Own, unfinished: readonly KnownAsset[]): Acts {
  const those = assets.filter(
    (asset) =>
      asset.fate !== "deleted" &&
      !asset.isAwaited &&
      asset.film.failsWith.length === 0 &&
      (!unfinished.includes(asset) || desk.chance.share() < 0.1),
  );
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
  const path = `/v1/assets/${asset.id}` as const;
  const { body } = await client.insist("GET", `${path}/generations`);
  const restorable = (body.data ?? []).filter((one) => one.restorable);
  if (restorable.length === 0) return;
  const { generation } = chance.pick(restorable);
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
