import { Hono } from "hono";
import { z } from "zod";
import { CROWDED_SESSIONS_PATH, MOST_CROWDED, VIEWER_SESSION } from "../core/crowded-sessions.ts";
import { findPlaybacks } from "../stores/library/playbacks.ts";
import { endSession } from "./claim-stream.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { EDGE_BODY_LIMIT, saidByEdge } from "./said-by-edge.ts";

const crowdedSessions = z.strictObject({
  sessions: z.array(z.string().regex(VIEWER_SESSION)).min(1).max(MOST_CROWDED),
});

/**
 * `POST /edge-crowded-sessions`: an edge names sessions that are used from more places than a household has, signed with a grant key. They are
 * ended; 204 then. The same again changes nothing, and of one that is forgotten nothing is left to end.
 */
export function crowdedSessionRoutes(deps: ApiDeps) {
  return new Hono<ApiEnv>().post(CROWDED_SESSIONS_PATH, EDGE_BODY_LIMIT, async (c) => {
    const { sessions } = await saidByEdge(c, deps.config, crowdedSessions);
    for (const playback of await findPlaybacks(deps.library, sessions)) {
      await endSession(deps, playback);
      const { tenant, _id: sessionId, subject: of } = playback;
      deps.log.warn({ tenant, sessionId, of }, "session ended, which was used from too many places");
    }
    return c.body(null, 204);
  });
}
