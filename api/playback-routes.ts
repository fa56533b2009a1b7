import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { isAvailable } from "../core/availability.ts";
import { UNKNOWN_COUNTRY } from "../core/edge-report.ts";
import { notFound, requestFailure } from "../core/errors.ts";
import { MAIN_PLAYLIST, PREVIEW_FOLDER } from "../core/keys.ts";
import type { Caller } from "../core/records/account.ts";
import type { PlaybackRecord } from "../core/records/playback.ts";
import { recordPosition } from "../stores/library/playbacks.ts";
import { noteBeacons } from "../stores/library/reports.ts";
import type { ShownAsset, ShownTitle } from "../stores/library/session-desk.ts";
import { limitsFor } from "./asker.ts";
import { forRole } from "./auth.ts";
import { beacons, countedBeacons, latestOf } from "./beacons.ts";
import { countryOf } from "./caller-country.ts";
import { claimStream, endSession } from "./claim-stream.ts";
import { IDEMPOTENT, IN_LANGUAGE, instant, jsonAnswer, jsonBody } from "./contract.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { atBestEdge, grantExpiry, grantedUrl, RENEWED_GRANT_SECONDS } from "./granted-url.ts";
import { once } from "./idempotency.ts";
import { openPlayback, readViewer } from "./open-playback.ts";
import { playbackView } from "./playback-view.ts";
import { trackPreferences } from "./preference-routes.ts";
import { problemAnswer, tooManyStreams } from "./problem-answers.ts";
import { refuseIfOver } from "./session-over.ts";
import { acceptedLanguages } from "./title-view.ts";

const newPlayback = z
  .strictObject({
    titleId: z.string().min(1).max(200),
    capabilities: z
      .strictObject({
        /** The player renews its grant while it plays, so short ones will do. */
        renews: z.boolean().optional(),
        /** RFC 6381 strings or plain names (`avc1.640028`, `hevc`, `av1`). Of each only the codec itself counts. */
        codecs: z.array(z.string().max(100)).max(50).optional(),
        /** Of the picture's shorter side. Where all are larger the smallest one is given. */
        maxHeight: z.number().int().min(1).max(10_000).optional(),
        hdr: z.boolean().optional(),
        /** Of sound that the device plays; more than two brings 5.1 beside stereo. */
        channels: z.number().int().min(1).max(64).optional(),
      })
      .optional(),
    /** For this session alone, instead of the account's. */
    preferences: trackPreferences.optional(),
    /**
     * Where the account plays as much as it may: `true` ends the oldest session for this one, an id that one.
     */
    takeover: z.union([z.boolean(), z.string().min(1).max(200)]).optional(),
  })
  .openapi("NewPlayback");

const sessionParams = z.object({ sessionId: z.string().min(1).max(200) });

const common = { tags: ["Playback"], ...forRole("viewer") };
const startRoute = createRoute({
  ...common,
  ...IN_LANGUAGE,
  ...IDEMPOTENT,
  method: "post",
  path: "/v1/playback",
  summary: "Watch a title",
  request: { body: jsonBody(newPlayback) },
  responses: {
    201: jsonAnswer(playbackView, "A session with the signed manifest URL"),
    404: problemAnswer(
      "There is no such title, or it is not to be seen now, or not where the viewer is, or there is no film to it yet",
    ),
    409: tooManyStreams("A series or a season, which has nothing of its own to play (`not_playable`)"),
  },
});
const renewRoute = createRoute({
  ...common,
  ...IN_LANGUAGE,
  method: "post",
  path: "/v1/playback/{sessionId}/renew",
  summary: "Go on watching",
  request: { params: sessionParams },
  responses: {
    200: jsonAnswer(
      z.object({ manifestUrl: z.string(), expiresAt: instant }).openapi("Renewed"),
      "A fresh grant",
    ),
    409: tooManyStreams("The session is over, or its film not to be seen any more (`playback_over`)"),
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
  const { library, config, desk } = deps;
  const found = async ({ tenant, subject }: Caller, id: string): Promise<PlaybackRecord> => {
    const playback = await desk.session({ tenant, subject, id });
    if (playback === null) throw notFound("playback session");
    return playback;
  };
  return new OpenAPIHono<ApiEnv>()
    .openapi(startRoute, async (c) => {
      const { titleId, ...wish } = c.req.valid("json");
      const caller = c.get("caller");
      const country = countryOf(c, config);
      const [shown, viewer] = await Promise.all([
        playableTitle(deps, caller.tenant, titleId, country),
        readViewer(deps, caller, titleId),
      ]);
      const languages = acceptedLanguages(c.req.header("Accept-Language"));
      const { asset, title } = shown;
      const sessionWish = {
        ...{ ...wish, asset, titleId, viewer, languages, country, until: title.availableUntil },
        limits: limitsFor(c, config, title.regions),
        chapters: title.chapters,
      };
      const answer = await once(c, library, c.req.valid("json"), (makeId) =>
        openPlayback(deps, caller, { ...sessionWish, sessionId: makeId("ps") }),
      );
      return c.json(answer, 201);
    })
    .openapi(renewRoute, async (c) => {
      const caller = c.get("caller");
      const { tenant, subject } = caller;
      const watched = await desk.watched({ tenant, subject, id: c.req.valid("param").sessionId });
      if (watched === null) throw notFound("playback session");
      const { playback, title } = watched;
      const now = library.serverNow();
      await refuseIfOver(deps, watched, countryOf(c, config));
      // The session's own end stays: a day after it began.
      const expiresAt = grantExpiry(
        now,
        RENEWED_GRANT_SECONDS,
        playback.expiresAt,
        title?.availableUntil ?? null,
      );
      const languages = acceptedLanguages(c.req.header("Accept-Language"));
      const account = config.streamsPerAccount === 0 ? null : await desk.account(caller);
      await claimStream(deps, account, { playback, until: expiresAt, takeover: false, languages });
      const { assetId, generation, _id: session } = playback;
      const folder = playback.isPreview === true ? PREVIEW_FOLDER : "";
      const path = folder + (playback.manifest ?? MAIN_PLAYLIST);
      const near = atBestEdge(deps, session, countryOf(c, config));
      const limits = limitsFor(c, config, title?.regions ?? null);
      const manifestUrl = grantedUrl(near, { assetId, generation, session, expiresAt, limits }, path);
      return c.json({ manifestUrl, expiresAt: expiresAt.toISOString() }, 200);
    })
    .openapi(beaconsRoute, async (c) => {
      const playback = await found(c.get("caller"), c.req.valid("param").sessionId);
      const { events } = c.req.valid("json");
      const now = library.serverNow();
      const latest = latestOf(events, now);
      // A clock that runs ahead must not freeze the position until its time has come.
      const positionAt = new Date(Math.min(latest.at.getTime(), now.getTime()));
      const { positionSeconds, at: saidAt } = latest;
      await recordPosition(library, playback, { positionSeconds, saidAt, positionAt });
      // After the position, which the viewer comes back to: of the two it is the one not to lose.
      const country = countryOf(c, config) ?? UNKNOWN_COUNTRY;
      await noteBeacons(library, playback, country, countedBeacons(events));
      return c.body(null, 202);
    })
    .openapi(endRoute, async (c) => {
      const playback = await found(c.get("caller"), c.req.valid("param").sessionId);
      await endSession(deps, playback);
      return c.body(null, 204);
    });
}

/** The title and what a viewer is shown of it now. Throws 404 where they may not see it, 409 where they may and there is nothing in it. */
async function playableTitle(
  { desk, library }: ApiDeps,
  tenant: string,
  titleId: string,
  country: string | null,
): Promise<{ asset: ShownAsset; title: ShownTitle }> {
  const shown = await desk.shown({ tenant, id: titleId });
  if (shown === null || !isAvailable(shown.title, library.serverNow(), country)) throw notFound("title");
  const { asset, title } = shown;
  if (asset !== null && asset.published !== null && asset.state !== "deleted") return { asset, title };
  // The catalog hides what has nothing to play, unless it holds others.
  if (title.type === "movie" || title.type === "episode") throw notFound("title");
  throw requestFailure(409, "not_playable", "There is nothing to play for this title yet.");
}
