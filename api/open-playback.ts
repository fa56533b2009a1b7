import { z } from "@hono/zod-openapi";
import { CLEAR_KEY_SYSTEM } from "../core/clear-key.ts";
import { Failure } from "../core/errors.ts";
import { IMAGES_SESSION, signGrant } from "../core/grant.ts";
import {
  DASH_MANIFEST,
  MAIN_PLAYLIST,
  PREVIEW_FOLDER,
  packagePrefix,
  STORYBOARD_PATH,
} from "../core/keys.ts";
import { chosenPoster, hasStoryboard, posterPath, postersOf } from "../core/posters.ts";
import type { AssetRecord, Caller, PlaybackRecord } from "../core/records.ts";
import { timelineSeconds } from "../core/timeline.ts";
import type { Library } from "../stores/library/connect.ts";
import { createPlayback, findPosition } from "../stores/library/playbacks.ts";
import { type PosterView, trackRoles } from "./asset-view.ts";
import type { ApiConfig } from "./config.ts";
import { instant } from "./contract.ts";

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
    posterUrl: z.string().nullable(),
    /** WebVTT of small pictures for the seek bar: `<sheet>.jpg#xywh=…`, relative. */
    storyboardUrl: z.string().nullable(),
    expiresAt: instant,
    resumeAtSeconds: z.number(),
    durationSeconds: z.number(),
    tracks: z.array(trackView),
    /** How its media is protected; absent where it is not. */
    protection: protectionView.optional(),
  })
  .openapi("Playback");
type PlaybackView = z.infer<typeof playbackView>;

type Signing = Pick<ApiConfig, "grantKeys" | "deliveryUrl" | "previewUrl">;
type Opening = Signing & Pick<ApiConfig, "publicUrl">;

/** `<delivery>/v/<grant>/<assetId>/<generation>/<path>`, good until `expiresAt`. */
export function grantedUrl(
  config: Signing,
  media: { assetId: string; generation: string; session: string; expiresAt: Date },
  path: string,
): string {
  const [key] = config.grantKeys;
  if (key === undefined) throw noSigningKey();
  const prefix = packagePrefix(media.assetId, media.generation);
  const expiresAtSeconds = Math.floor(media.expiresAt.getTime() / 1000);
  const grant = signGrant(key, { prefix: `/${prefix}`, expiresAtSeconds, session: media.session });
  const edge = path.startsWith(PREVIEW_FOLDER) ? config.previewUrl : config.deliveryUrl;
  return `${edge}/v/${grant}/${prefix}${path}`;
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
  return postersOf(asset).map((poster) => ({
    id: poster.id,
    url: grantedUrl(config, media, posterPath(poster)),
    atSeconds: poster.atSeconds,
    chosen: poster.id === chosen?.id,
  }));
}

export function grantExpiry(now: Date, renews: boolean): Date {
  const seconds = renews ? RENEWED_GRANT_SECONDS : LASTING_GRANT_SECONDS;
  return new Date(now.getTime() + seconds * 1000);
}

export interface PlaybackWish {
  /** With a published package, or something of one to look at. */
  asset: AssetRecord;
  titleId: string | null;
  renews: boolean;
  sessionId: string;
}

/** A session for one account and one package, with the grant that opens it. */
export async function openPlayback(
  { config, library }: { config: Opening; library: Library },
  { tenant, subject }: Caller,
  { asset, titleId, renews, sessionId }: PlaybackWish,
): Promise<PlaybackView> {
  const { generation, durationSeconds, folder, keyId } = shownOf(asset);
  const now = library.serverNow();
  const last = titleId === null ? null : await findPosition(library, tenant, subject, titleId);
  const resumeAtSeconds = resumeAt(last?.positionSeconds ?? 0, durationSeconds);
  const expiresAt = grantExpiry(now, renews);
  const playback: PlaybackRecord = await createPlayback(library, {
    _id: sessionId,
    tenant,
    subject,
    titleId,
    assetId: asset._id,
    generation,
    ...(folder === "" ? {} : { isPreview: true }),
    ...(keyId === undefined ? {} : { keyId }),
    createdAt: now,
    expiresAt: new Date(now.getTime() + SESSION_SECONDS * 1000),
    firstGrantExpiresAt: expiresAt,
    endedAt: null,
  });
  const media = {
    assetId: playback.assetId,
    generation: playback.generation,
    session: playback._id,
    expiresAt,
  };
  const poster = chosenPoster(asset);
  return {
    sessionId: playback._id,
    manifestUrl: grantedUrl(config, media, folder + MAIN_PLAYLIST),
    ...(folder === "" ? { dashUrl: grantedUrl(config, media, DASH_MANIFEST) } : {}),
    posterUrl: poster === null ? null : grantedUrl(config, media, posterPath(poster)),
    storyboardUrl: hasStoryboard(asset) ? grantedUrl(config, media, STORYBOARD_PATH) : null,
    expiresAt: expiresAt.toISOString(),
    resumeAtSeconds,
    durationSeconds,
    tracks: tracksOf(asset),
    ...(playback.keyId === undefined
      ? {}
      : { protection: protectionOf(config, playback._id, playback.keyId) }),
  };
}

/** Relative where the API does not know its own address: it is asked where this answer came from. */
function protectionOf(
  { publicUrl }: Opening,
  sessionId: string,
  keyId: string,
): z.infer<typeof protectionView> {
  const licenseUrl = `${publicUrl ?? ""}/v1/playback/${sessionId}/license`;
  return { scheme: "cbcs", keySystem: CLEAR_KEY_SYSTEM, licenseUrl, keyIds: [keyId] };
}

/** What there is to see of an asset: its published package, else the preview of what is being made. */
function shownOf(asset: AssetRecord): {
  generation: string;
  durationSeconds: number;
  folder: string;
  keyId?: string | undefined;
} {
  if (asset.published !== null) return { ...asset.published, folder: "" };
  if (asset.plan === null || asset.preview === undefined) throw new Error("nothing is to be seen");
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

function tracksOf({ renditions }: AssetRecord): PlaybackView["tracks"] {
  return renditions.flatMap(({ kind, ...track }) =>
    kind === "image" ? [] : [trackView.parse({ kind, ...track })],
  );
}
