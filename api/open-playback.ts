import { z } from "@hono/zod-openapi";
import { chooseTracks } from "../core/choose-tracks.ts";
import { CLEAR_KEY_SYSTEM } from "../core/clear-key.ts";
import { type Capabilities, deviceOf } from "../core/device.ts";
import { Failure } from "../core/errors.ts";
import { IMAGES_SESSION, signGrant } from "../core/grant.ts";
import { MAIN_PLAYLIST, PREVIEW_FOLDER, packagePrefix, STORYBOARD_PATH } from "../core/keys.ts";
import { chosenPoster, hasStoryboard, posterPath, postersOf } from "../core/posters.ts";
import type {
  AccountRecord,
  AssetRecord,
  Caller,
  PlaybackRecord,
  PositionRecord,
  TrackPreferences,
} from "../core/records.ts";
import { STEERING_NAME } from "../core/steering.ts";
import { timelineSeconds } from "../core/timeline.ts";
import type { ShownAsset } from "../stores/library/session-desk.ts";
import { type PosterView, trackRoles } from "./asset-view.ts";
import { claimStream } from "./claim-stream.ts";
import type { ApiConfig } from "./config.ts";
import { instant } from "./contract.ts";
import type { ApiDeps } from "./deps.ts";
import { type Manifests, WHOLE } from "./device-playlists.ts";

/** A player that renews gets short grants, one that cannot gets one that outlasts a film and its pauses. */
export const RENEWED_GRANT_SECONDS = 5 * 60;
const LASTING_GRANT_SECONDS = 6 * 3_600;
/** Nobody watches one session longer than a day. */
export const SESSION_SECONDS = 24 * 3_600;
/**
 * No grant for a package outlives this once another is shown: a session's day, and an hour for clocks and for a request
 * that had read the old pointer.
 */
export const GRANT_REACH_SECONDS = SESSION_SECONDS + 3_600;
/** Posters in lists are public to every viewer of the tenant: one URL per half hour, so that browsers cache it. */
const POSTER_WINDOW_SECONDS = 1_800;
/** Behind this share the film counts as seen: it starts from the beginning. */
const SEEN_RATIO = 0.95;

const protectionView = z.object({
  scheme: z.literal("cbcs"),
  /** For `requestMediaKeySystemAccess`. */
  keySystem: z.literal(CLEAR_KEY_SYSTEM),
  /** Takes the player's request by POST, with the account's token as everywhere. */
  licenseUrl: z.string(),
  /** Lower-case hex. */
  keyIds: z.array(z.string()),
});

const trackView = z.object({
  id: z.string(),
  kind: z.enum(["video", "audio", "subtitle"]),
  codec: z.string(),
  language: z.string().optional(),
  label: z.string().optional(),
  role: trackRoles.optional(),
  channels: z.number().int().optional(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  averageBps: z.number(),
  peakBps: z.number(),
});

export const playbackView = z
  .object({
    sessionId: z.string(),
    manifestUrl: z.string(),
    /** The same segments for DASH players. */
    dashUrl: z.string().optional(),
    /** Where there are several edges: which to play from, as the master's own steering server says it (8216bis 7.2). */
    steeringUrl: z.string().optional(),
    posterUrl: z.string().nullable(),
    /** WebVTT of small pictures for the seek bar: `<sheet>.jpg#xywh=…`, relative. */
    storyboardUrl: z.string().nullable(),
    expiresAt: instant,
    resumeAtSeconds: z.number(),
    durationSeconds: z.number(),
    tracks: z.array(trackView),
    /** The ids of the tracks that fit the account's preferences; null: none. */
    selected: z.object({ audioId: z.string().nullable(), subtitleId: z.string().nullable() }),
    /** How its media is protected; absent where it is not. */
    protection: protectionView.optional(),
  })
  .openapi("Playback");
type PlaybackView = z.infer<typeof playbackView>;

type Signing = Pick<ApiConfig, "grantKeys" | "deliveryUrl" | "previewUrl">;

interface GrantedMedia {
  assetId: string;
  generation: string;
  session: string;
  expiresAt: Date;
}

/** `<delivery>/v/<grant>/<assetId>/<generation>/<path>`, good until `expiresAt`. */
export function grantedUrl(config: Signing, media: GrantedMedia, path: string): string {
  return grantedUrls(config, media)(path);
}

/** The same for any number of paths, behind one grant. */
function grantedUrls(config: Signing, media: GrantedMedia): (path: string) => string {
  const [key] = config.grantKeys;
  if (key === undefined) throw noSigningKey();
  const prefix = packagePrefix(media.assetId, media.generation);
  const expiresAtSeconds = Math.floor(media.expiresAt.getTime() / 1000);
  const grant = signGrant(key, { prefix: `/${prefix}`, expiresAtSeconds, session: media.session });
  return (path) => {
    const edge = path.startsWith(PREVIEW_FOLDER) ? config.previewUrl : config.deliveryUrl;
    return `${edge}/v/${grant}/${prefix}${path}`;
  };
}

/** Every key was revoked: nothing can be watched until another one is set. */
function noSigningKey(): Failure {
  return new Failure("transient", "no_signing_key", "Nothing can be signed right now.", {
    retryAfterSeconds: 60,
  });
}

/** The chosen poster of a published asset for lists; null where it has none. */
export function posterUrl(config: Signing, asset: AssetRecord, now: Date): string | null {
  return presentPosters(config, asset, now).find(({ chosen }) => chosen)?.url ?? null;
}

/** What a published asset offers as its poster, best first, each behind a grant for pictures alone. */
export function presentPosters(config: Signing, asset: AssetRecord, now: Date): PosterView[] {
  if (asset.published === null) return [];
  const window = Math.floor(now.getTime() / 1000 / POSTER_WINDOW_SECONDS) + 2;
  const expiresAt = new Date(window * POSTER_WINDOW_SECONDS * 1000);
  const { generation } = asset.published;
  const media = { assetId: asset._id, generation, session: IMAGES_SESSION, expiresAt };
  const chosen = chosenPoster(asset);
  const urlOf = grantedUrls(config, media);
  return postersOf(asset).map((poster) => ({
    id: poster.id,
    url: urlOf(posterPath(poster)),
    atSeconds: poster.atSeconds,
    chosen: poster.id === chosen?.id,
  }));
}

export function grantExpiry(now: Date, renews: boolean): Date {
  const seconds = renews ? RENEWED_GRANT_SECONDS : LASTING_GRANT_SECONDS;
  return new Date(now.getTime() + seconds * 1000);
}

/** With a published package, or something of one to look at. */
type Playable = Pick<ShownAsset, "_id" | "published" | "renditions" | "posterAtSeconds"> &
  Partial<Pick<AssetRecord, "plan" | "preview">>;

export interface PlaybackWish {
  asset: Playable;
  titleId: string | null;
  sessionId: string;
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

type Opening = Pick<
  ApiDeps,
  "config" | "library" | "desk" | "devicePlaylists" | "revoker" | "edges" | "masterOf"
>;

/**
 * A session for one account and one package, with the grant that opens it. It is on record, and counted among those
 * that the account plays, when this resolves.
 */
export async function openPlayback(
  deps: Opening,
  { tenant, subject }: Caller,
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
  const expiresAt = grantExpiry(now, capabilities.renews ?? false);
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
  const media = { assetId: kept.assetId, generation: kept.generation, session: kept._id, expiresAt };
  const near = atBestEdge(deps, kept._id, wish.country);
  const urlOf = grantedUrls(near, media);
  const poster = chosenPoster(asset);
  const plain = kept.manifest ?? MAIN_PLAYLIST;
  const master = folder === "" ? await deps.masterOf(kept.assetId, kept.generation, plain) : plain;
  const isSteered = master !== plain;
  return {
    sessionId: kept._id,
    manifestUrl: urlOf(folder + master),
    ...(folder === "" ? { dashUrl: urlOf(manifests.dash) } : {}),
    ...(isSteered ? steeringOf(near, media, manifests.dash) : {}),
    posterUrl: poster === null ? null : urlOf(posterPath(poster)),
    storyboardUrl: hasStoryboard(asset) ? urlOf(STORYBOARD_PATH) : null,
    expiresAt: expiresAt.toISOString(),
    resumeAtSeconds: resumeAt(last?.positionSeconds ?? 0, durationSeconds),
    durationSeconds,
    tracks: tracksOf(asset),
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

/** The settings with the edge that is best for this viewer now. */
export function atBestEdge<C extends Signing>(
  { config, edges }: { config: C; edges: ApiDeps["edges"] },
  session: string,
  country: string | null,
): C {
  const [best] = edges.ranked({ session, country, hostname: null });
  return best === undefined ? config : { ...config, deliveryUrl: best.url };
}

/** The steering server of the session's master without the way over the edge, and an MPD that names every edge. */
function steeringOf(
  config: Signing & Pick<ApiConfig, "publicUrl">,
  media: GrantedMedia,
  mpd: string,
): Pick<PlaybackView, "steeringUrl" | "dashUrl"> {
  const at = (path: string): string => {
    const { pathname } = new URL(grantedUrl(config, media, path));
    return `${config.publicUrl ?? ""}/steering${pathname.slice(pathname.lastIndexOf("/v/"))}`;
  };
  const { hostname } = new URL(config.deliveryUrl);
  return {
    steeringUrl: `${at(STEERING_NAME)}?edge=${encodeURIComponent(hostname)}`,
    // Whoever does not know where we are could not resolve it.
    ...(config.publicUrl === null ? {} : { dashUrl: at(mpd) }),
  };
}

/** Relative where the API does not know its own address: it is asked where this answer came from. */
function protectionOf(
  { publicUrl }: Pick<ApiConfig, "publicUrl">,
  sessionId: string,
  keyId: string,
): z.infer<typeof protectionView> {
  const licenseUrl = `${publicUrl ?? ""}/v1/playback/${sessionId}/license`;
  return { scheme: "cbcs", keySystem: CLEAR_KEY_SYSTEM, licenseUrl, keyIds: [keyId] };
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

/** Where to go on: at the beginning where the film is as good as seen. */
export function resumeAt(positionSeconds: number, durationSeconds: number): number {
  return positionSeconds < durationSeconds * SEEN_RATIO ? positionSeconds : 0;
}

function tracksOf({ renditions }: Playable): PlaybackView["tracks"] {
  return renditions.flatMap((rendition) => {
    const { id, kind, codec, language, label, role, channels, width, height, averageBps, peakBps } =
      rendition;
    if (kind === "image") return [];
    return [{ id, kind, codec, language, label, role, channels, width, height, averageBps, peakBps }];
  });
}
