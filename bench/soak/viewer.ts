import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../../test/fuzz/random.ts";
import type { Acknowledged, KnownTitle } from "./acknowledged.ts";
import type { Client, Complaints } from "./client.ts";
import type { FaultLog } from "./faults.ts";

export interface Seat {
  name: string;
  client: Client;
  faults: FaultLog;
  complaints: Complaints;
  known: Acknowledged;
  /** Of every object that was ever seen: path below the grant, and the hash of its bytes. */
  seen: Map<string, string>;
  /** Names of the edges by their hosts. */
  edges: ReadonlyMap<string, string>;
  chance: Random;
}

const PAUSE_MS = 300;
/** A takedown, a deletion and their taking back are everywhere within a minute; and what is away then is that much later. */
const SETTLED_MS = 90_000;
/** An edge reads on for so long after a store that is back, and a player is sent elsewhere after one that died. */
const GRACE_MS = 5_000;

/** Watches one title after the other until `signal` is aborted. */
export async function watch(seat: Seat, signal: AbortSignal): Promise<void> {
  const { known, chance } = seat;
  while (!signal.aborted) {
    const shown = known.titles.filter(
      ({ state, asset }) => state === "published" && asset.fate !== "deleted",
    );
    if (shown.length > 0) await watchOne(seat, chance.pick(shown), signal);
    await pause(PAUSE_MS);
  }
}

async function watchOne(seat: Seat, title: KnownTitle, signal: AbortSignal): Promise<void> {
  const { client, chance, complaints, known } = seat;
  if (title.links.length > 0) await follow(seat, title);
  const key = { "idempotency-key": `play-${seat.name}-${Math.floor(chance.share() * 1e15)}` };
  const wish = { titleId: title.id, capabilities: { renews: true } };
  const opened = await client.insist("POST", "/v1/playback", wish, [201, 404, 409], key);
  // It is being made for the first time, or was taken down meanwhile.
  if (opened.status === 404 && !isUnsettled(seat, title))
    complaints.add(`${title.id} is published, and not to be seen`);
  if (opened.status !== 201) return;
  known.count("session");
  const { sessionId, resumeAtSeconds, durationSeconds } = opened.body;
  checkResume(seat, title, resumeAtSeconds, durationSeconds);
  const path = `/v1/playback/${sessionId}` as const;
  let { manifestUrl } = opened.body;
  for (let rounds = 1 + chance.below(4); rounds > 0 && !signal.aborted; rounds--) {
    await playSome(seat, title, manifestUrl);
    await tellPosition(seat, title, path, durationSeconds);
    const renewed = await client.insist("POST", `${path}/renew`, undefined, [200, 404, 409]);
    if (renewed.status !== 200) {
      if (!isUnsettled(seat, title)) complaints.add(`${path} not renewed: ${JSON.stringify(renewed.body)}`);
      break;
    }
    manifestUrl = renewed.body.manifestUrl;
  }
  await client.insist("DELETE", path, undefined, [204]);
  known.ended.push(manifestUrl);
}

/** Comes by a share link. */
async function follow(
  { client, chance, complaints, known, ...seat }: Seat,
  title: KnownTitle,
): Promise<void> {
  const code = chance.pick(title.links);
  const { status } = await client.insist("GET", `/l/${code}`, undefined, [302, 404]);
  if (status === 404 && !isUnsettled(seat, title))
    complaints.add(`link ${code} of ${title.id} leads nowhere`);
  known.count("link followed");
}

/** Somebody changed not long ago what viewers may see of it. */
function isUnsettled({ faults }: Pick<Seat, "faults">, { changedAt, asset, state }: KnownTitle): boolean {
  return state !== "published" || asset.alsoFate === "deleted" || faults.now() - changedAt < SETTLED_MS;
}

function checkResume({ known, name, complaints }: Seat, { id }: KnownTitle, at: number, lasts: number): void {
  const position = known.positions.get(`${name} ${id}`);
  if (position === undefined) return;
  const allowed = [position.seconds, ...position.maybe].map((one) => (one > 0.95 * lasts ? 0 : one));
  if (!allowed.some((one) => Math.abs(one - at) < 0.01))
    complaints.add(`${name} resumes ${id} at ${at}, and had said ${allowed.join(" or ")} of ${lasts}`);
}

async function tellPosition(
  { known, name, client, chance }: Seat,
  { id }: KnownTitle,
  path: string,
  durationSeconds: number,
): Promise<void> {
  const key = `${name} ${id}`;
  const positionSeconds = Math.round(chance.share() * durationSeconds * 0.9 * 100) / 100;
  const before = known.positions.get(key);
  known.positions.set(key, {
    seconds: before?.seconds ?? 0,
    maybe: [...(before?.maybe ?? []), positionSeconds],
  });
  const event = { type: "heartbeat", at: new Date().toISOString(), positionSeconds };
  const { status } = await client.insist("POST", `${path}/beacons`, { events: [event] }, [202]);
  if (status !== 202) return;
  known.positions.set(key, { seconds: positionSeconds, maybe: [] });
  known.count("position");
}

async function playSome(seat: Seat, title: KnownTitle, manifestUrl: string): Promise<void> {
  // As by content steering: any edge may be the one.
  const at = new URL(manifestUrl);
  at.hostname = seat.chance.pick([...seat.edges.keys()]);
  const main = await fetchObject(seat, title, at.href);
  if (main === null) return;
  const playlists = urisOf(main.toString("utf8"), at.href).filter((uri) => /\.m3u8$/.test(uri));
  for (let count = 0; count < 3 && playlists.length > 0; count++) {
    const playlist = seat.chance.pick(playlists);
    const text = await fetchObject(seat, title, playlist);
    if (text === null) return;
    const objects = urisOf(text.toString("utf8"), playlist);
    for (let pieces = 0; pieces < 3 && objects.length > 0; pieces++)
      await fetchObject(seat, title, seat.chance.pick(objects));
  }
}

/** Its bytes, the same as ever; null where it cannot be had, which is complained of where nothing excuses it. */
async function fetchObject(seat: Seat, title: KnownTitle, wanted: string): Promise<Buffer | null> {
  const { faults, edges, complaints, seen, known } = seat;
  const url = new URL(wanted);
  for (let tries = 0; tries < 3; tries++) {
    const edge = edges.get(url.hostname) ?? url.hostname;
    const from = faults.now();
    const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) }).then(
      async (response) => ({ status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }),
      (thrown: unknown) => ({ status: 0, bytes: Buffer.from(String(thrown)) }),
    );
    known.count("object");
    const path = url.pathname.replace(/^\/v\/[^/]+/, "");
    if (answer.status === 200) {
      const sha256 = createHash("sha256").update(answer.bytes).digest("hex");
      const before = seen.get(path);
      seen.set(path, before ?? sha256);
      if (before !== undefined && before !== sha256)
        complaints.add(`OTHER BYTES of ${path} at ${edge}`, from);
      return answer.bytes;
    }
    const isRefusal = [403, 404, 410].includes(answer.status);
    const isExcused = isRefusal
      ? isUnsettled(seat, title)
      : faults.during(from, faults.now(), GRACE_MS, [edge, ...(answer.status === 0 ? [] : ["s3"])]).length >
          0 ||
        (answer.status === 0 && faults.during(from, faults.now(), GRACE_MS, ["s3"]).length > 0);
    if (!isExcused)
      complaints.add(
        `GET ${path} at ${edge}: ${answer.status} ${answer.bytes.toString("utf8", 0, 200)}`,
        from,
      );
    if (isRefusal) return null;
    // As players do: another edge.
    url.hostname = seat.chance.pick([...edges.keys()].filter((host) => host !== url.hostname));
  }
  return null;
}

/** What a playlist names, by lines and by attributes. */
export function urisOf(text: string, base: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const attributes = [...text.matchAll(/URI="([^"]+)"/g)].map(([, uri = ""]) => uri);
  return (
    [...new Set([...lines, ...attributes])]
      .map((uri) => new URL(uri, base))
      // Keys are named and not fetched.
      .filter(({ protocol, pathname }) => protocol === "http:" && !pathname.includes("steering"))
      .map(({ href }) => href)
  );
}
