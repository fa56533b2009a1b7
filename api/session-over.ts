import { isAvailable } from "../core/availability.ts";
import { requestFailure } from "../core/errors.ts";
import { findAsset } from "../stores/library/assets.ts";
import type { Watched } from "../stores/library/session-desk.ts";
import type { ApiDeps } from "./deps.ts";
import { isPlayable } from "./playable.ts";

type Deps = Pick<ApiDeps, "library">;

/**
 * Throws 409 `playback_over` where a session gives no more rights to who is there: ended, a day old, or its film is not to be seen
 * any more.
 */
export async function refuseIfOver(deps: Deps, watched: Watched, country: string | null): Promise<void> {
  const { endedAt, expiresAt } = watched.playback;
  const isOver = endedAt !== null || expiresAt <= deps.library.serverNow();
  if (isOver || !(await mayGoOn(deps, watched, country)))
    throw requestFailure(409, "playback_over", "This session is over; start a new one.");
}

/** Whether the session's film may still be seen: taken down means no new grant (RELIABILITY T35). */
async function mayGoOn(
  { library }: Deps,
  { playback: { tenant, titleId, assetId }, title, asset }: Watched,
  country: string | null,
): Promise<boolean> {
  if (titleId === null) {
    const previewed = await findAsset(library, tenant, assetId);
    return previewed !== null && isPlayable(previewed);
  }
  if (title === null || asset === null || asset.state === "deleted") return false;
  return asset.published !== null && isAvailable(title, library.serverNow(), country);
}
