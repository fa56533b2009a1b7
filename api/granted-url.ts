import { Failure } from "../core/errors.ts";
import { IMAGES_SESSION, signGrant } from "../core/grant.ts";
import type { GrantLimits } from "../core/grant-limits.ts";
import { PREVIEW_FOLDER, packagePrefix } from "../core/keys.ts";
import { chosenPoster, posterPath, postersOf } from "../core/posters.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { PosterView } from "./asset-view.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiDeps } from "./deps.ts";

/** Addresses that may be read by whoever holds them, and for how long. */

/** Of a player that renews; one that cannot gets a grant that outlasts the film and its pauses (`core/grant-span.ts`). */
export const RENEWED_GRANT_SECONDS = 5 * 60;
/** Nobody watches one session longer than a day. */
export const SESSION_SECONDS = 24 * 3_600;
/**
 * No grant for a package outlives this once another is shown: a session's day, and an hour for clocks and for a request
 * that had read the old pointer.
 */
export const GRANT_REACH_SECONDS = SESSION_SECONDS + 3_600;
/** Posters in lists are public to every viewer of the tenant: one URL per half hour, so that browsers cache it. */
const POSTER_WINDOW_SECONDS = 1_800;
/** Which of those half hours it is: what is signed within one is the same. */
export function posterWindow(now: Date): number {
  return Math.floor(now.getTime() / 1000 / POSTER_WINDOW_SECONDS);
}

export type Signing = Pick<ApiConfig, "grantKeys" | "deliveryUrl" | "previewUrl">;

type PicturedAsset = Pick<AssetRecord, "_id" | "published" | "renditions" | "posterAtSeconds">;

export interface GrantedMedia {
  assetId: string;
  generation: string;
  session: string;
  expiresAt: Date;
  limits?: GrantLimits | undefined;
}

/** `<delivery>/v/<grant>/<assetId>/<generation>/<path>`, good until `expiresAt`. */
export function grantedUrl(config: Signing, media: GrantedMedia, path: string): string {
  return grantedUrls(config, media)(path);
}

/** The same for any number of paths, behind one grant. */
export function grantedUrls(config: Signing, media: GrantedMedia): (path: string) => string {
  const [key] = config.grantKeys;
  if (key === undefined) throw noSigningKey();
  const prefix = packagePrefix(media.assetId, media.generation);
  const expiresAtSeconds = Math.floor(media.expiresAt.getTime() / 1000);
  const claims = { prefix: `/${prefix}`, expiresAtSeconds, session: media.session };
  const grant = signGrant(key, claims, media.limits);
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
export function posterUrl(config: Signing, asset: PicturedAsset, now: Date): string | null {
  return presentPosters(config, asset, now).find(({ chosen }) => chosen)?.url ?? null;
}

/** What a published asset offers as its poster, best first, each behind a grant for pictures alone. */
export function presentPosters(config: Signing, asset: PicturedAsset, now: Date): PosterView[] {
  if (asset.published === null) return [];
  const expiresAt = new Date((posterWindow(now) + 2) * POSTER_WINDOW_SECONDS * 1000);
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

/** When a grant of so many seconds ends that is given now: in any case no later than these moments. */
export function grantExpiry(now: Date, seconds: number, ...ends: readonly (Date | null)[]): Date {
  const times = ends.flatMap((end) => (end === null ? [] : [end.getTime()]));
  return new Date(Math.min(now.getTime() + seconds * 1000, ...times));
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
