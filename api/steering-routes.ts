import { type Context, Hono } from "hono";
import { notFound, requestFailure } from "../core/errors.ts";
import { splitGrantedPath, verifyGrant } from "../core/grant.ts";
import { playingFrom, STEERING_NAME, steeringManifest } from "../core/steering.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { countryOf } from "./viewer-country.ts";

/** Apple 10.4. */
const STEERING_TYPE = "application/vnd.apple.steering-list";

/**
 * `GET /steering/v/<grant>/<assetId>/<generation>/steering.json?edge=HOST`: which edge to play from, by 8216bis 7.2.
 * Who may ask is who holds a grant for the film; `edge` is where their master came from. Players come here from the
 * edge, which knows of no other edge, and later by RELOAD-URI. It reads nothing and waits for nobody.
 */
export function steeringRoutes({ config, edges, library }: ApiDeps) {
  return new Hono<ApiEnv>().get("/steering/*", (c) => {
    // After a redirect a browser says that it is from nowhere (Fetch 4.4): only * admits that, and there is no cookie.
    c.header("Access-Control-Allow-Origin", "*");
    c.header("Cache-Control", "no-store");
    const country = countryOf(config, c);
    const asked = splitGrantedPath(c.req.path.slice("/steering".length));
    const asker = { address: null, country, userAgent: c.req.header("User-Agent") ?? null };
    const now = library.serverNow().getTime() / 1000;
    const verdict = asked && verifyGrant(config.grantKeys, asked.grant, asked.path, now, asker);
    if (asked === null || !verdict?.ok)
      throw requestFailure(403, "grant_refused", "This address is not valid, or no longer.");
    if (asked.path !== verdict.claims.prefix + STEERING_NAME) throw notFound("object");
    const own = config.edges.find(({ hostname }) => hostname === c.req.query("edge"))?.hostname ?? "";
    const pathway = c.req.query("_HLS_pathway") ?? c.req.query("_DASH_pathway");
    const { session } = verdict.claims;
    const manifest = steeringManifest({
      ranked: edges.ranked({ session, country, hostname: playingFrom(config.edges, own, pathway) }),
      own,
      isCalm: edges.isCalm(),
      reloadUri: `${baseOf(config, c)}${c.req.path}?edge=${encodeURIComponent(own)}`,
    });
    return c.body(JSON.stringify(manifest), 200, { "Content-Type": STEERING_TYPE });
  });
}

/** hls.js resolves a relative RELOAD-URI against the address that it asked first, which was the edge's. */
function baseOf({ publicUrl }: ApiConfig, c: Context<ApiEnv>): string {
  return publicUrl ?? new URL(c.req.url).origin;
}
