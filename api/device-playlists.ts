import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { contentTypeOf } from "../core/delivery-rules.ts";
import type { Device } from "../core/device.ts";
import { masterFor } from "../core/device-master.ts";
import { mpdFor } from "../core/device-mpd.ts";
import { Failure } from "../core/errors.ts";
import { DASH_MANIFEST, MAIN_PLAYLIST, packagePrefix } from "../core/keys.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { ShownAsset } from "../stores/library/session-desk.ts";
import type { Log } from "../stores/log.ts";

/** Paths below the package's prefix. */
export interface Manifests {
  hls: string;
  dash: string;
}

/** The manifests of a published package that fit a device, made the first time that such a one asks. */
export type DevicePlaylists = (
  asset: Pick<ShownAsset, "_id" | "published">,
  device: Device,
) => Promise<Manifests>;

export const WHOLE: Manifests = { hls: MAIN_PLAYLIST, dash: DASH_MANIFEST };
/** A viewer never waits longer than this for a playlist of their own; the whole one plays everywhere too. */
const DEADLINE_MS = 2_000;
/** How many combinations of package and device are remembered: a few hundred bytes each. */
const REMEMBERED = 5_000;
const EVERYTHING = JSON.stringify({
  families: null,
  hdr: true,
  maxHeight: null,
  maxChannels: null,
  audioId: null,
} satisfies Device);

/**
 * Each fitting playlist lies under its package as `main-<hash of its text>`, written once, so that devices that get
 * the same share one object, and edges cache it as they do all others. What it names is shared by all of them.
 */
export function openDevicePlaylists({ blobs, log }: { blobs: Blobs; log: Log }): DevicePlaylists {
  const made = new Map<string, Promise<Manifests>>();
  return async ({ _id, published }, device) => {
    const wish = JSON.stringify(device);
    if (published === null || wish === EVERYTHING) return WHOLE;
    // With the moment of its publication: a generation that was collected and made again has lost these.
    const place = `${_id}/${published.generation}/${published.at.getTime()}/${wish}`;
    const known = made.get(place) ?? makeBoth(blobs, packagePrefix(_id, published.generation), device);
    if (!made.has(place)) {
      if (made.size >= REMEMBERED) made.clear();
      made.set(place, known);
      known.catch((thrown) => {
        made.delete(place);
        log.warn({ assetId: _id, err: thrown }, "no playlist for the device; the whole one is given");
      });
    }
    const late = pause(DEADLINE_MS, WHOLE, { ref: false });
    return Promise.race([known.catch(() => WHOLE), late]);
  };
}

async function makeBoth(blobs: Blobs, prefix: string, device: Device): Promise<Manifests> {
  const [hls, dash] = await Promise.all([
    fitting(blobs, prefix, MAIN_PLAYLIST, (text) => masterFor(text, device)),
    fitting(blobs, prefix, DASH_MANIFEST, (text) => mpdFor(text, device)),
  ]);
  return { hls, dash };
}

/** The path of what `fit` makes of the stored manifest, which is there once this resolves. */
async function fitting(
  blobs: Blobs,
  prefix: string,
  path: string,
  fit: (text: string) => string,
): Promise<string> {
  const stored = await blobs.read("media", prefix + path);
  if (stored === null) throw new Failure("ours", "internal", `There is no ${path} under ${prefix}.`);
  const whole = gunzipSync(stored).toString("utf8");
  const text = fit(whole);
  if (text === whole) return path;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const own = path.replace(".", `-${hash}.`);
  // Named by what it says: what lies there already is it, whoever's zlib packed it.
  if ((await blobs.head("media", prefix + own)) !== null) return own;
  await blobs.put("media", prefix + own, gzipSync(text, { level: 9 }), {
    contentType: contentTypeOf(own),
    contentEncoding: "gzip",
    cacheControl: "public, max-age=31536000, immutable",
    createOnce: true,
  });
  return own;
}
