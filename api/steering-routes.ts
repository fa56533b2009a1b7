import { type Context, Hono } from "hono";
import { notFound, requestFailure } from "../core/errors.ts";
import { type GrantClaims, splitGrantedPath, verifyGrant } from "../core/grant.ts";
import { steeredMpd } from "../core/steered-manifests.ts";
import { pathwayOf, playingFrom, STEERING_NAME, steeringManifest } from "../core/steering.ts";
import { countryFromProxy } from "./caller-country.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { openStoredTexts } from "./stored-texts.ts";

/** Apple 10.4. */
const STEERING_TYPE = "application/vnd.apple.steering-list";
const MPD = /^[a-z0-9_-]+\.mpd$/;
/** What stands for `edge` where the viewer's manifest names every edge itself. */
const NAMED = "named";

/**
 * `GET /steering/v/<grant>/<assetId>/<generation>/steering.json?edge=HOST`: which edge to play from, by 8216bis 7.2, and
 * the package's MPDs beside it, which name them all. Who may ask is who holds a grant for the film; `edge` is where their master came
 * from. Players come here from the edge, which knows of no other edge, and later by RELOAD-URI.
 */
export function steeringRoutes(deps: ApiDeps) {
  const { config, edges } = deps;
  const manifests = openStoredTexts(deps.blobs);
  return new Hono<ApiEnv>().get("/steering/*", async (c) => {
    // After a redirect a browser says that it is from nowhere (Fetch 4.4): only * admits that, and there is no cookie.
    c.header("Access-Control-Allow-Origin", "*");
    c.header("Cache-Control", "no-store");
    const { path, grant, claims } = granted(deps, c);
    const { prefix, session } = claims;
    const viewer = { session, country: countryFromProxy(c, config) };
    if (path === prefix + STEERING_NAME) {
      const edge = c.req.query("edge") ?? "";
      // An edge that calls itself something else is none that we know: all of them are told as others.
      const own =
        edge === NAMED ? null : (config.edges.find(({ hostname }) => hostname === edge)?.hostname ?? "");
      const pathway = c.req.query("_HLS_pathway") ?? c.req.query("_DASH_pathway");
      const hostname = playingFrom(config.edges, own, pathway);
      const ranked = edges.ranked({ ...viewer, hostname });
      const reloadUri = `${baseOf(config, c)}${c.req.path}?edge=${encodeURIComponent(edge)}`;
      const manifest = steeringManifest({ ranked, own, isCalm: edges.isCalm(), reloadUri });
      return c.body(JSON.stringify(manifest), 200, { "Content-Type": STEERING_TYPE });
    }
    if (!MPD.test(path.slice(prefix.length))) throw notFound("object");
    const mpd = await manifests.read(path.slice(1));
    if (mpd === null) throw notFound("object");
    const ranked = edges.ranked({ ...viewer, hostname: null });
    const locations = ranked.map(({ url, hostname }) => ({
      id: pathwayOf(hostname),
      baseUrl: `${url}/v/${grant}${prefix}`,
    }));
    const server = `${baseOf(config, c)}/steering/v/${grant}${prefix}${STEERING_NAME}?edge=${NAMED}`;
    return c.body(steeredMpd(mpd, locations, server), 200, { "Content-Type": "application/dash+xml" });
  });
}

/** What the grant in the path lets be asked about. Throws 403 without a good one. */
function granted(
  { config, library }: ApiDeps,
  c: Context<ApiEnv>,
): { path: string; grant: string; claims: GrantClaims } {
  const asked = splitGrantedPath(c.req.path.slice("/steering".length));
  const asker = {
    address: null,
    country: countryFromProxy(c, config),
    userAgent: c.req.header("User-Agent") ?? null,
  };
  const now = library.serverNow().getTime() / 1000;
  const verdict = asked && verifyGrant(config.grantKeys, asked.grant, asked.path, now, asker);
  if (asked === null || !verdict?.ok)
    throw requestFailure(403, "grant_refused", "This address is not valid, or no longer.");
  return { ...asked, claims: verdict.claims };
}

/** hls.js resolves a relative RELOAD-URI against the address that it asked first, which was the edge's. */
function baseOf({ publicUrl }: ApiConfig, c: Context): string {
  return publicUrl ?? new URL(c.req.url).origin;
}
