import type { AccountRecord } from "../../core/records/account.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { PlaybackRecord, PositionRecord } from "../../core/records/playback.ts";
import type { TitleRecord } from "../../core/records/title.ts";
import type { SeenChapter } from "../../core/seen.ts";
import { together } from "../together.ts";
import { accountId, changeStreams, type StreamChange } from "./accounts.ts";
import type { Library } from "./connect.ts";
import { fromDriver } from "./driver-errors.ts";
import { insertPlaybacks, positionId } from "./playbacks.ts";

/** What of a title decides whether it may be watched, and what is watched. */
export type ShownTitle = Pick<
  TitleRecord,
  "_id" | "tenant" | "type" | "name" | "state" | "assetId" | "availableFrom" | "availableUntil" | "regions"
> & { chapters?: SeenChapter[] };
/** What of an asset a viewer is given. Its plan and its source may be megabytes. */
export type ShownAsset = Pick<
  AssetRecord,
  "_id" | "tenant" | "state" | "published" | "renditions" | "posterAtSeconds"
>;

export interface Shown {
  title: ShownTitle;
  asset: ShownAsset | null;
}

/** A session, and what it shows as that is now. */
export interface Watched {
  playback: PlaybackRecord;
  /** Both null of an editor's preview of an asset that is not published, which shows what no viewer is given. */
  title: ShownTitle | null;
  asset: ShownAsset | null;
}

/** A thing of one tenant. */
export interface Wanted {
  tenant: string;
  id: string;
}
export interface Account {
  tenant: string;
  subject: string;
}

/**
 * What opening and renewing a session reads and writes. A crowd that comes at once shares its calls (`together`): a
 * thousand viewers of one premiere are a few reads of one title, and their sessions a few writes, each of which is
 * durable before any of its viewers hears of it.
 */
export interface SessionDesk {
  /** The title as it is now, or null; whether it is available is for `core/availability.ts` to say. */
  title(wanted: Wanted): Promise<ShownTitle | null>;
  /** The title and what it shows, or null where there is no such title. */
  shown(wanted: Wanted): Promise<Shown | null>;
  /** The asset, or null; deleted ones are found too. What is handed out is shared: not to be changed. */
  asset(wanted: Wanted): Promise<ShownAsset | null>;
  /** Where the account left the title, or null where it never watched it. */
  position(wanted: Account & { titleId: string }): Promise<PositionRecord | null>;
  /** What is known of the account, or null where nothing is. */
  account(wanted: Account): Promise<AccountRecord | null>;
  /** The account's own session, or null. */
  session(wanted: Account & { id: string }): Promise<PlaybackRecord | null>;
  /** The same with what it shows, all as it is now; null where there is no such session of the account. */
  watched(wanted: Account & { id: string }): Promise<Watched | null>;
  /** Keeps the session. The same id again (the same request) gives the one that is there. */
  keep(playback: PlaybackRecord): Promise<PlaybackRecord>;
  /** Writes what an account plays; false where it was changed since it was read. */
  claim(change: StreamChange): Promise<boolean>;
}

export function openSessionDesk(library: Library): SessionDesk {
  const title = together((wanted: readonly Wanted[]) => readTitles(library, wanted));
  const asset = together((wanted: readonly Wanted[]) => readAssets(library, wanted));
  const session: SessionDesk["session"] = together(async (wanted) => {
    const ids = wanted.map(({ id }) => id);
    const found = byId(await fromDriver(library.playbacks.find(withIds(ids)).toArray()));
    return wanted.map(({ tenant, subject, id }) => {
      const playback = found.get(id);
      return playback?.tenant === tenant && playback.subject === subject ? playback : null;
    });
  });
  return {
    title,
    asset,
    shown: besideEachOther(title, asset),
    position: together(async (wanted) => {
      const ids = wanted.map(({ tenant, subject, titleId }) => positionId(tenant, subject, titleId));
      const found = byId(await fromDriver(library.positions.find(withIds(ids)).toArray()));
      return ids.map((id) => found.get(id) ?? null);
    }),
    account: together(async (wanted) => {
      const ids = wanted.map(({ tenant, subject }) => accountId(tenant, subject));
      const found = byId(await fromDriver(library.accounts.find(withIds(ids)).toArray()));
      return ids.map((id) => found.get(id) ?? null);
    }),
    session,
    watched: besideTheSession(session, title, asset),
    keep: together((playbacks) => insertPlaybacks(library, playbacks)),
    claim: together((changes) => changeStreams(library, changes)),
  };
}

/**
 * A title names its asset, and seldom another one than it did before: that one is read beside the title, and counts where
 * the title still names it. Only the guess is remembered, nothing that was read.
 */
function besideEachOther(title: SessionDesk["title"], asset: SessionDesk["asset"]): SessionDesk["shown"] {
  const guesses = new Map<string, string>();
  return async (wanted) => {
    const guess = guesses.get(wanted.id);
    const [found, guessed] = await Promise.all([
      title(wanted),
      guess === undefined ? null : asset({ tenant: wanted.tenant, id: guess }),
    ]);
    if (found === null) return null;
    if (found.assetId === null) return { title: found, asset: null };
    if (found.assetId === guess) return { title: found, asset: guessed };
    remember(guesses, wanted.id, found.assetId);
    return { title: found, asset: await asset({ tenant: wanted.tenant, id: found.assetId }) };
  };
}

/**
 * What a session shows is never changed, so that it is remembered, and read beside the session the next time. Nothing that was read is.
 */
function besideTheSession(
  session: SessionDesk["session"],
  title: SessionDesk["title"],
  asset: SessionDesk["asset"],
): SessionDesk["watched"] {
  const shows = new Map<string, Shows>();
  const read = async (
    tenant: string,
    { titleId, assetId }: Shows,
  ): Promise<[ShownTitle | null, ShownAsset | null]> =>
    titleId === null
      ? [null, null]
      : Promise.all([title({ tenant, id: titleId }), asset({ tenant, id: assetId })]);
  return async ({ tenant, subject, id }) => {
    const known = shows.get(id);
    const [playback, beside] = await Promise.all([
      session({ tenant, subject, id }),
      known && read(tenant, known),
    ]);
    if (playback === null) return null;
    if (known === undefined) remember(shows, id, { titleId: playback.titleId, assetId: playback.assetId });
    const [shownTitle, shownAsset] = beside ?? (await read(tenant, playback));
    return { playback, title: shownTitle, asset: shownAsset };
  };
}

type Shows = Pick<PlaybackRecord, "titleId" | "assetId">;

/** Two or three ids each. */
const MOST_REMEMBERED = 20_000;

function remember<T>(all: Map<string, T>, id: string, value: T): void {
  if (all.size >= MOST_REMEMBERED) all.clear();
  all.set(id, value);
}

async function readTitles(library: Library, wanted: readonly Wanted[]): Promise<(ShownTitle | null)[]> {
  const projection = {
    tenant: 1,
    type: 1,
    name: 1,
    state: 1,
    assetId: 1,
    availableFrom: 1,
    availableUntil: 1,
    regions: 1,
    // Their names, in every language, may be more than all the rest.
    ...{ "chapters.startSeconds": 1, "chapters.kind": 1 },
  };
  const query = library.titles.find<ShownTitle>(withIds(wanted.map(({ id }) => id)), { projection });
  return inOrder(wanted, await fromDriver(query.toArray()));
}

async function readAssets(library: Library, wanted: readonly Wanted[]): Promise<(ShownAsset | null)[]> {
  const projection = { tenant: 1, state: 1, published: 1, renditions: 1, posterAtSeconds: 1 };
  const query = library.assets.find<ShownAsset>(withIds(wanted.map(({ id }) => id)), { projection });
  return inOrder(wanted, await fromDriver(query.toArray()));
}

/**
 * By ids alone, which are nobody's twice; whose each is is looked at afterwards. MongoDB would take its index in either
 * case, the stand-in looks through the whole collection where a filter says more than `_id`.
 */
function withIds(ids: readonly string[]): { _id: { $in: string[] } } {
  return { _id: { $in: [...new Set(ids)] } };
}

/** To each what it asked for; what is another tenant's is not there. */
function inOrder<T extends { _id: string; tenant: string }>(
  wanted: readonly Wanted[],
  records: readonly T[],
): (T | null)[] {
  const found = byId(records);
  return wanted.map(({ tenant, id }) => {
    const record = found.get(id);
    return record?.tenant === tenant ? record : null;
  });
}

function byId<T extends { _id: string }>(records: readonly T[]): Map<string, T> {
  return new Map(records.map((record) => [record._id, record]));
}
