import { OpenAPIHono } from "@hono/zod-openapi";
import { notFound } from "../core/errors.ts";
import { countryCode } from "../core/regions.ts";
import { steeredMpd } from "../core/steered-manifests.ts";
import { pathwayOf, playingFrom, STEERING_NAME, steeringManifest } from "../core/steering.ts";
import { askerOf } from "./asker.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { publicBase } from "./public-base.ts";
import { shownGrant } from "./shown-grant.ts";
import { STEERING_CALLS, STEERING_TYPE } from "./steering-view.ts";

const MPD = /^[a-z0-9_-]+\.mpd$/;
/** What stands for `edge` where the viewer's manifest names every edge itself. */
const NAMED = "named";

/**
 * `GET /steering/v/<grant>/<assetId>/<generation>/steering.json?edge=HOST`: which edge to play from, by 8216bis 7.2, and
 * the package's MPDs beside it, which name them all. Who may ask is who holds a grant for the film; `edge` is where their master came
 * from, `country` what their account's token says. Players come here from the edge, which knows of no other edge, and later by RELOAD-URI.
 */
export function steeringRoutes(deps: ApiDeps) {
  const { config, edges, texts } = deps;
  const routes = new OpenAPIHono<ApiEnv>();
  for (const call of STEERING_CALLS) routes.openAPIRegistry.registerPath(call);
  routes.get("/steering/*", async (c) => {
    // After a redirect a browser says that it is from nowhere (Fetch 4.4): only * admits that, and there is no cookie.
    c.header("Access-Control-Allow-Origin", "*");
    c.header("Cache-Control", "no-store");
    const asker = askerOf(c, config);
    const { path, grant, claims } = shownGrant(deps, c.req.path.slice("/steering".length), asker);
    const { prefix, session } = claims;
    // Anybody may write it: it moves whoever does to another edge, and opens nothing.
    const country = countryCode(c.req.query("country"));
    const viewer = { session, country: country ?? asker.country };
    const serverAt = (edge: string): string => {
      const query = new URLSearchParams({ edge, ...(country === null ? {} : { country }) });
      // hls.js resolves a relative RELOAD-URI against the address that it asked first, which was the edge's.
      return `${publicBase(config, c)}/steering/v/${grant}${prefix}${STEERING_NAME}?${query}`;
    };
    if (path === prefix + STEERING_NAME) {
      const edge = c.req.query("edge") ?? "";
      // An edge that calls itself something else is none that we know: all of them are told as others.
      const own =
        edge === NAMED ? null : (config.edges.find(({ hostname }) => hostname === edge)?.hostname ?? "");
      const pathway = c.req.query("_HLS_pathway") ?? c.req.query("_DASH_pathway");
      const hostname = playingFrom(config.edges, own, pathway);
      const ranked = edges.ranked({ ...viewer, hostname });
      const manifest = steeringManifest({ ranked, own, isCalm: edges.isCalm(), reloadUri: serverAt(edge) });
      return c.body(JSON.stringify(manifest), 200, { "Content-Type": STEERING_TYPE });
    }
    if (!MPD.test(path.slice(prefix.length))) throw notFound("object");
    const mpd = await texts.read(path.slice(1));
    if (mpd === null) throw notFound("object");
    const ranked = edges.ranked({ ...viewer, hostname: null });
    const locations = ranked.map(({ url, hostname }) => ({
      id: pathwayOf(hostname),
      baseUrl: `${url}/v/${grant}${prefix}`,
    }));
    const written = steeredMpd(mpd, locations, serverAt(NAMED));
    return c.body(written, 200, { "Content-Type": "application/dash+xml" });
  });
  return routes;
}
