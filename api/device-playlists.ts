import { setTimeout as pause } from "node:timers/promises";
import type { Device } from "../core/device.ts";
import { masterFor } from "../core/device-master.ts";
import { mpdFor } from "../core/device-mpd.ts";
import { DASH_MANIFEST, MAIN_PLAYLIST, packagePrefix } from "../core/keys.ts";
import { offeredFolders } from "../core/offered-tracks.ts";
import { steeredMultivariant } from "../core/steered-manifests.ts";
import type { ShownAsset } from "../stores/library/session-desk.ts";
import type { Log } from "../stores/log.ts";
import type { DerivedTexts, Package } from "./derived-texts.ts";

/** Paths below the package's prefix. */
export interface Manifests {
  hls: string;
  dash: string;
  /** Whether the master has a steering server. */
  isSteered: boolean;
  /** The folders of the tracks that the master offers; null where that is all of the package. */
  offered: ReadonlySet<string> | null;
}

/** The manifests of a published package for a session on this device, made the first time that such a one asks. */
export type DevicePlaylists = (
  asset: Pick<ShownAsset, "_id" | "published">,
  device: Device,
) => Promise<Manifests>;

export const WHOLE: Manifests = { hls: MAIN_PLAYLIST, dash: DASH_MANIFEST, isSteered: false, offered: null };
/** A viewer never waits longer than this for a playlist of their own; the whole one plays everywhere too. */
const DEADLINE_MS = 2_000;
/** How many combinations of package and device are remembered: a few hundred bytes each. */
const REMEMBERED = 10_000;
const EVERYTHING = JSON.stringify({
  families: null,
  hdr: true,
  maxHeight: null,
  maxChannels: null,
  audioId: null,
} satisfies Device);

/**
 * What a device cannot show is left out, and where there are several edges the master has a steering server, also of
 * films that were published before there was a second edge. Where that cannot be made now viewers get the whole one: a film
 * that may stutter is better than none.
 */
export function openDevicePlaylists(parts: {
  derived: DerivedTexts;
  isSteered: boolean;
  log: Log;
}): DevicePlaylists {
  const { derived, isSteered, log } = parts;
  const remembered = new Map<string, Promise<Manifests>>();
  const begin = (place: string, assetId: string, work: Promise<Manifests>): Promise<Manifests> => {
    work.then(
      (manifests) => remembered.has(place) && remembered.set(place, Promise.resolve(manifests)),
      (thrown) => {
        remembered.delete(place);
        log.warn({ assetId, err: thrown }, "no playlist for the session; the whole one is given");
      },
    );
    // Shared with all who come meanwhile: who comes after the deadline waits no more.
    const inTime = Promise.race([work.catch(() => WHOLE), pause(DEADLINE_MS, WHOLE, { ref: false })]);
    remembered.set(place, inTime);
    const [oldest] = remembered.keys();
    if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return inTime;
  };
  return async ({ _id, published }, device) => {
    const wish = JSON.stringify(device);
    if (published === null || (wish === EVERYTHING && !isSteered)) return WHOLE;
    const { generation, at: publishedAt } = published;
    // With the moment of its publication, as `DerivedTexts` has it.
    const place = `${_id}/${generation}/${publishedAt.getTime()}/${wish}`;
    const of = { prefix: packagePrefix(_id, generation), publishedAt };
    return remembered.get(place) ?? begin(place, _id, makeBoth(derived, of, device, isSteered));
  };
}

async function makeBoth(
  derived: DerivedTexts,
  of: Package,
  device: Device,
  isSteered: boolean,
): Promise<Manifests> {
  const steered = isSteered ? steeredMultivariant : (text: string) => text;
  let offered: Manifests["offered"] = null;
  const cut = (whole: string): string => {
    const own = masterFor(whole, device);
    if (own !== whole) offered = offeredFolders(own);
    return steered(own);
  };
  const [hls, dash] = await Promise.all([
    derived(of, MAIN_PLAYLIST, cut),
    derived(of, DASH_MANIFEST, (text) => mpdFor(text, device)),
  ]);
  return { hls, dash, isSteered, offered };
}
