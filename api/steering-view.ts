import { z } from "@hono/zod-openapi";
import { problemAnswer } from "./problem-answers.ts";

/** The media type of a steering manifest (Apple 10.4). */
export const STEERING_TYPE = "application/vnd.apple.steering-list";

const grantedParams = z.object({
  grant: z.string().openapi({ description: "As in the session's `manifestUrl`" }),
  assetId: z.string(),
  generation: z.string(),
});

/** 8216bis 7.2; ETSI TS 103 998 has the same for DASH. */
const steeringList = z
  .object({
    VERSION: z.literal(1),
    /** Seconds until the player asks again. */
    TTL: z.number().int(),
    "RELOAD-URI": z.string(),
    "PATHWAY-PRIORITY": z.array(z.string()),
    "PATHWAY-CLONES": z.array(
      z.object({
        "BASE-ID": z.string(),
        ID: z.string(),
        "URI-REPLACEMENT": z.object({ HOST: z.string() }),
      }),
    ),
  })
  .openapi("SteeringManifest");

const country = z
  .string()
  .optional()
  .openapi({ description: "What the account's token says, of two letters" });
const pathway = z.string().optional().openapi({ description: "The pathway that is played from now" });

const common = { tags: ["Steering"], method: "get" as const };
const refused = {
  403: problemAnswer("The grant is not good for this package, or no longer (`grant_refused`)"),
};

/** What is asked under a grant and no token. Routes of their own would hold a player's query to its form, and it may be any. */
export const STEERING_CALLS = [
  {
    ...common,
    path: "/steering/v/{grant}/{assetId}/{generation}/steering.json",
    summary: "Which edge to play from, best first",
    request: {
      params: grantedParams,
      query: z.object({
        edge: z.string().optional().openapi({ description: "The hostname that the master came from" }),
        country,
        _HLS_pathway: pathway,
        _DASH_pathway: pathway,
      }),
    },
    responses: {
      200: {
        description: "A steering manifest (8216bis 7.2)",
        content: { [STEERING_TYPE]: { schema: steeringList } },
      },
      ...refused,
    },
  },
  {
    ...common,
    path: "/steering/v/{grant}/{assetId}/{generation}/{manifest}",
    summary: "An MPD of the package that names every edge",
    request: {
      params: grantedParams.extend({ manifest: z.string().openapi({ example: "main.mpd" }) }),
      query: z.object({ country }),
    },
    responses: {
      200: {
        description: "The MPD",
        content: { "application/dash+xml": { schema: z.string() } },
      },
      ...refused,
      404: problemAnswer("The package has no such MPD"),
      503: problemAnswer("Storage is away; see Retry-After"),
    },
  },
];
