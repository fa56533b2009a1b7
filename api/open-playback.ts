import { chooseTracks } from "../core/choose-tracks.ts";
import { type Capabilities, deviceOf } from "../core/device.ts";
import type { GrantLimits } from "../core/grant-limits.ts";
import { lastingGrantSeconds } from "../core/grant-span.ts";
import { MAIN_PLAYLIST, PREVIEW_FOLDER, STORYBOARD_PATH } from "../core/keys.ts";
import { chosenPoster, hasStoryboard, posterPath } from "../core/posters.ts";
import type { AccountRecord, Caller, TrackPreferences } from "../core/records/account.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { PlaybackRecord, PositionRecord } from "../core/records/playback.ts";
import { resumeAt, type SeenChapter } from "../core/seen.ts";
import { STEERING_NAME } from "../core/steering.ts";
import { timelineSeconds } from "../core/timeline.ts";
import type { ShownAsset } from "../stores/library/session-desk.ts";
import { claimStream } from "./claim-stream.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiDeps } from "./deps.ts";
import { type Manifests, WHOLE } from "./device-playlists.ts";
import {
  atBestEdge,
  grantExpiry,
  grantedUrls,
  RENEWED_GRANT_SECONDS,
  SESSION_SECONDS,
} from "./granted-url.ts";
import { type PlaybackView, protectionOf, tracksOf } from "./playback-view.ts";

/** With a published package, or something of one to look at. */
type Playable = Pick<ShownAsset, "_id" | "published" | "renditions" | "posterAtSeconds"> &
  Partial<Pick<AssetRecord, "plan" | "preview">>;

export interface PlaybackWish {
  asset: Playable;
  titleId: string | null;
  sessionId: string;
  /** When the title's span of time ends; null where it has no end. */
  until?: Date | null;
  /** The title's own, which say where its credits are. */
  chapters?: readonly SeenChapter[] | undefined;
  /** What its grants are bound to. */
  limits?: GrantLimits;
  /** The viewer's country, null where nobody knows. */
  country: string | null;
  viewer?: Viewer;
  capabilities?: Capabilities & { renews?: boolean | undefined };
  /** Before those of the account. */
  preferences?: TrackPreferences | undefined;
  /** Which others of the account may be ended for this one. */
  takeover?: boolean | string;
  /** Of the viewer, most wanted first. */
  languages?: readonly string[];
}

/** What is known of who watches, and where they left this title. */
export interface Viewer {
  account: AccountRecord | null;
  last: PositionRecord | null;
}
const NOBODY_KNOWN: Viewer = { account: null, last: null };

/** Reads both at once. */
export async function readViewer(
  { desk }: Pick<ApiDeps, "desk">,
  who: Caller,
  titleId: string,
): Promise<Viewer> {
  const [account, last] = await Promise.all([desk.account(who), desk.position({ ...who, titleId })]);
  return { account, last };
}

type Opening = Pick<ApiDeps, "config" | "library" | "desk" | "devicePlaylists" | "revoker" | "edges">;

/**
 * A session for one account and one package, with the grant that opens it. It is on record, and counted among those
 * that the account plays, when this resolves.
 */
export async function openPlayback(
  deps: Opening,
  { tenant, subject, country }: Caller,
  wish: PlaybackWish,
): Promise<PlaybackView> {
  const { library, desk } = deps;
  const { asset, titleId, capabilities = {} } = wish;
  const { account, last } = wish.viewer ?? NOBODY_KNOWN;
  const { generation, durationSeconds, folder, keyId } = shownOf(asset);
  const preferences = wish.preferences ?? account?.preferences;
  const selected = chooseTracks(asset.renditions, preferences, capabilities.channels);
  const manifests = folder === "" ? await manifestsFor(deps, wish, preferences, selected.audioId) : WHOLE;
  const now = library.serverNow();
  const seconds = capabilities.renews ? RENEWED_GRANT_SECONDS : lastingGrantSeconds(durationSeconds);
  const expiresAt = grantExpiry(now, seconds, wish.until ?? null);
  const playback: PlaybackRecord = {
    _id: wish.sessionId,
    tenant,
    subject,
    titleId,
    assetId: asset._id,
    generation,
    ...(folder === "" ? {} : { isPreview: true }),
    ...(manifests.hls === MAIN_PLAYLIST ? {} : { manifest: manifests.hls }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(wish.country === null ? {} : { country: wish.country }),
    createdAt: now,
    expiresAt: new Date(now.getTime() + SESSION_SECONDS * 1000),
    firstGrantExpiresAt: expiresAt,
    endedAt: null,
  };
  const { takeover = false, languages = [] } = wish;
  // Side by side: a session without a place is told to nobody.
  const [kept] = await Promise.all([
    desk.keep(playback),
    claimStream(deps, account, { playback, until: expiresAt, takeover, languages }),
  ]);
  const { assetId, generation: shown, _id: session } = kept;
  const media = { assetId, generation: shown, session, expiresAt, limits: wish.limits };
  const near = atBestEdge(deps, kept._id, wish.country);
  const urlOf = grantedUrls(near, media);
  const poster = chosenPoster(asset);
  return {
    sessionId: kept._id,
    manifestUrl: urlOf(folder + (kept.manifest ?? MAIN_PLAYLIST)),
    ...(folder === "" ? { dashUrl: urlOf(manifests.dash) } : {}),
    ...(manifests.isSteered ? steeringOf(near, urlOf, manifests.dash, country) : {}),
    posterUrl: poster === null ? null : urlOf(posterPath(poster)),
    storyboardUrl: hasStoryboard(asset) ? urlOf(STORYBOARD_PATH) : null,
    expiresAt: expiresAt.toISOString(),
    resumeAtSeconds: resumeAt(last?.positionSeconds ?? 0, durationSeconds, wish.chapters),
    durationSeconds,
    tracks: tracksOf(asset, manifests.offered),
    selected,
    ...(kept.keyId === undefined ? {} : { protection: protectionOf(deps.config, kept._id, kept.keyId) }),
  };
}

/** The one place where it is decided which manifests a session is sent to. */
function manifestsFor(
  { devicePlaylists }: Opening,
  { asset, capabilities = {} }: PlaybackWish,
  preferences: TrackPreferences | undefined,
  audioId: string | null,
): Promise<Manifests> {
  // Players choose by their own settings unless the account says something else than the film.
  const isWanted = (preferences?.audio.length ?? 0) > 0;
  const usual = chooseTracks(asset.renditions, undefined, capabilities.channels).audioId;
  return devicePlaylists(asset, deviceOf(capabilities, isWanted && audioId !== usual ? audioId : null));
}

/**
 * The steering server of the session's master without the way over the edge, and an MPD that names every edge. Both say
 * the country of the account's token, which nobody shows there.
 */
function steeringOf(
  { publicUrl, deliveryUrl }: Pick<ApiConfig, "publicUrl" | "deliveryUrl">,
  urlOf: (path: string) => string,
  mpd: string,
  country: string | undefined,
): Pick<PlaybackView, "steeringUrl" | "dashUrl"> {
  const at = (path: string, query: Record<string, string>): string => {
    const { pathname } = new URL(urlOf(path));
    const said = new URLSearchParams({ ...query, ...(country === undefined ? {} : { country }) }).toString();
    const place = `${publicUrl ?? ""}/steering${pathname.slice(pathname.lastIndexOf("/v/"))}`;
    return said === "" ? place : `${place}?${said}`;
  };
  return {
    steeringUrl: at(STEERING_NAME, { edge: new URL(deliveryUrl).hostname }),
    // Whoever does not know where we are could not resolve it.
    ...(publicUrl === null ? {} : { dashUrl: at(mpd, {}) }),
  };
}

/** What there is to see of an asset: its published package, else the preview of what is being made. */
function shownOf(asset: Playable): {
  generation: string;
  durationSeconds: number;
  folder: string;
  keyId?: string | undefined;
} {
  if (asset.published !== null) return { ...asset.published, folder: "" };
  if (!asset.plan || asset.preview === undefined) throw new Error("nothing is to be seen");
  return {
    generation: asset.preview,
    durationSeconds: timelineSeconds(asset.plan.timeline),
    folder: PREVIEW_FOLDER,
    keyId: asset.plan.protection?.keyId,
  };
}
