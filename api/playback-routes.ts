import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { namedCountry } from "../core/edge-report.ts";
import { notFound, requestFailure } from "../core/errors.ts";
import { MAIN_PLAYLIST, PREVIEW_FOLDER } from "../core/keys.ts";
import type { Caller, PlaybackRecord } from "../core/records.ts";
import { findAsset, findPublishedAssets } from "../stores/library/assets.ts";
import { endPlayback, findPlayback, recordPosition } from "../stores/library/playbacks.ts";
import { endReport, noteBeacons } from "../stores/library/reports.ts";
import { findAvailableTitle } from "../stores/library/titles.ts";
import { isPlayable } from "./asset-view.ts";
import { atLeast } from "./auth.ts";
import { beacons, countedBeacons, latestOf } from "./beacons.ts";
import { BEARER, instant, jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { once } from "./idempotency.ts";
import { grantExpiry, grantedUrl, openPlayback, playbackView } from "./open-playback.ts";

const newPlayback = z
  .strictObject({
    titleId: z.string().min(1).max(200),
    capabilities: z
      .strictObject({
        /** The player renews its grant while it plays, so short ones will do. */
        renews: z.boolean().optional(),
        codecs: z.array(z.string().max(100)).max(50).optional(),
        maxHeight: z.number().int().min(1).max(10_000).optional(),
        hdr: z.boolean().optional(),
      })
      .optional(),
  })
  .openapi("NewPlayback");

const sessionParams = z.object({ sessionId: z.string().min(1).max(200) });

const common = { tags: ["Playback"], security: BEARER, middleware: atLeast("viewer") };
const startRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/playback",
  summary: "Watch a title",
  request: { body: jsonBody(newPlayback) },
  responses: { 201: jsonAnswer(playbackView, "A session with the signed manifest URL") },
});
const renewRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/playback/{sessionId}/renew",
  summary: "Go on watching",
  request: { params: sessionParams },
  responses: {
    200: jsonAnswer(
      z.object({ manifestUrl: z.string(), expiresAt: instant }).openapi("Renewed"),
      "A fresh grant",
    ),
  },
});
const beaconsRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/playback/{sessionId}/beacons",
  summary: "Say where the viewer is and how the film plays",
  request: { params: sessionParams, body: jsonBody(beacons) },
  responses: { 202: { description: "Noted; order and repeats do not matter" } },
});
const endRoute = createRoute({
  ...common,
  method: "delete",
  path: "/v1/playback/{sessionId}",
  summary: "Stop watching",
  request: { params: sessionParams },
  responses: { 204: { description: "The session is over" } },
});

/** Playback sessions: grants, their renewal, and where each viewer is. */
export function playbackRoutes(deps: ApiDeps) {
  const { library, config } = deps;
  const found = async ({ tenant, subject }: Caller, sessionId: string): Promise<PlaybackRecord> => {
    const playback = await findPlayback(library, tenant, subject, sessionId);
    if (playback === null) throw notFound("playback session");
    return playback;
  };
  return new OpenAPIHono<ApiEnv>()
    .openapi(startRoute, async (c) => {
      const body = c.req.valid("json");
      const caller = c.get("caller");
      const title = await findAvailableTitle(library, caller.tenant, body.titleId);
      if (title === null) throw notFound("title");
      const assets = await findPublishedAssets(
        library,
        caller.tenant,
        title.assetId === null ? [] : [title.assetId],
      );
      const [asset] = assets.values();
      if (asset === undefined)
        throw requestFailure(409, "not_playable", "There is nothing to play for this title yet.");
      const renews = body.capabilities?.renews ?? false;
      const answer = await once(c, library, body, (makeId) =>
        openPlayback(deps, caller, { asset, titleId: title._id, renews, sessionId: makeId("ps") }),
      );
      return c.json(answer, 201);
    })
    .openapi(renewRoute, async (c) => {
      const caller = c.get("caller");
      const playback = await found(caller, c.req.valid("param").sessionId);
      const now = library.serverNow();
      if (playback.endedAt !== null || playback.expiresAt <= now || !(await mayGoOn(deps, playback))) {
        throw requestFailure(409, "playback_over", "This session is over; start a new one.");
      }
      // The session's own end stays: a day after it began.
      const expiresAt = new Date(Math.min(grantExpiry(now, true).getTime(), playback.expiresAt.getTime()));
      const { assetId, generation, _id: session } = playback;
      const path = playback.isPreview === true ? PREVIEW_FOLDER + MAIN_PLAYLIST : MAIN_PLAYLIST;
      const manifestUrl = grantedUrl(config, { assetId, generation, session, expiresAt }, path);
      return c.json({ manifestUrl, expiresAt: expiresAt.toISOString() }, 200);
    })
    .openapi(beaconsRoute, async (c) => {
      const playback = await found(c.get("caller"), c.req.valid("param").sessionId);
      const { events } = c.req.valid("json");
      const latest = latestOf(events);
      // A clock that runs ahead must not freeze the position until its time has come.
      const at = new Date(Math.min(latest.at.getTime(), library.serverNow().getTime()));
      await recordPosition(library, playback, latest.positionSeconds, at);
      // After the position, which the viewer comes back to: of the two it is the one not to lose.
      const country = config.countryHeader === null ? null : c.req.header(config.countryHeader);
      await noteBeacons(library, playback, namedCountry(country), countedBeacons(events));
      return c.body(null, 202);
    })
    .openapi(endRoute, async (c) => {
      const playback = await found(c.get("caller"), c.req.valid("param").sessionId);
      await endPlayback(library, playback);
      await endReport(library, playback._id);
      await deps.revoker.endSession(playback);
      return c.body(null, 204);
    });
}

/** Whether the session's film may still be seen: taken down means no new grant (RELIABILITY T35). */
async function mayGoOn({ library }: ApiDeps, { tenant, titleId, assetId }: PlaybackRecord): Promise<boolean> {
  const asset = await findAsset(library, tenant, assetId);
  if (asset === null || !isPlayable(asset)) return false;
  return titleId === null || (await findAvailableTitle(library, tenant, titleId)) !== null;
}
