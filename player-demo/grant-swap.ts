/** The contract ("Playback"): `<delivery base>/v/<grant>/<assetId>/<generation>/…`. */
const GRANTED = /^(.*?\/v\/)([^/]+)(\/.*)$/;

/** The grant that a delivery URL carries; null where it carries none. */
export function grantOf(url: string): string | null {
  return GRANTED.exec(url)?.[2] ?? null;
}

/**
 * The same object under another grant. Playlists name their parts relatively, so what hls.js asks for carries the
 * grant that the playlist was read with; here it gets the newest one. Other URLs stay as they are.
 */
export function withGrant(url: string, grant: string): string {
  const [, base, , rest] = GRANTED.exec(url) ?? [];
  return base === undefined || rest === undefined ? url : base + grant + rest;
}

/** How long to wait before renewing: half of what is left, never less than a second. In ms. */
export function renewDelayMs(leftMs: number): number {
  return Math.max(1_000, Math.floor(leftMs / 2));
}
