import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openAuthenticator } from "../api/auth.ts";
import { grantExpiry, grantedUrl, RENEWED_GRANT_SECONDS } from "../api/granted-url.ts";
import { openRateLimits } from "../api/rate-limit.ts";
import { parseGrantKeys } from "../core/grant.ts";
import { MAIN_PLAYLIST } from "../core/keys.ts";
import { openLibrary } from "../stores/library/connect.ts";
import { openSessionDesk } from "../stores/library/session-desk.ts";

/**
 * The least that a Hono server can do for a POST with a JSON body: what the API's routes are measured beside. At
 * `/calls` it also does, one after the other and each by itself, the calls to MongoDB that opening a session is made of: a
 * title, an asset, an account with a position beside it, and one durable insert. At `/renew` it does what no renewal can do without, by the
 * API's own parts and with nothing around them: whose token it is, one point of their budget, the session with its film as they
 * are now, a signature. At `/sign` the signature alone.
 */
const { MATINEE_MONGO_URL, MATINEE_REDIS_URL = "" } = process.env;
if (MATINEE_MONGO_URL === undefined) throw new Error("MATINEE_MONGO_URL says where MongoDB is");
const library = await openLibrary(MATINEE_MONGO_URL);
const authenticate = openAuthenticator(library, null);
const rates = { perAccount: 10_000_000, perStranger: 10_000_000 };
const limits = openRateLimits({ url: MATINEE_REDIS_URL, prefix: `bare-${process.pid}` }, rates);
const desk = openSessionDesk(library);
const grantKeys = parseGrantKeys(`bare:${randomBytes(32).toString("hex")}`);
const signing = { grantKeys, deliveryUrl: "http://edge.test", previewUrl: "http://edge.test" };

function granted(film: { assetId: string; generation: string; session: string }) {
  const expiresAt = grantExpiry(library.serverNow(), RENEWED_GRANT_SECONDS);
  const manifestUrl = grantedUrl(signing, { ...film, expiresAt }, MAIN_PLAYLIST);
  return { manifestUrl, expiresAt: expiresAt.toISOString() };
}

const app = new Hono()
  .post("/", async (c) => c.json({ got: await c.req.json() }, 201))
  .post("/calls", async (c) => {
    const got = await c.req.json();
    await Promise.all([
      library.titles.findOne({ _id: got.titleId }),
      library.accounts.findOne({ _id: "nobody" }),
      library.positions.findOne({ _id: "nowhere" }),
    ]);
    await library.assets.findOne({ _id: got.assetId }, { projection: { plan: 0, source: 0 } });
    const now = library.serverNow();
    await library.playbacks.insertOne({
      ...{ _id: randomBytes(13).toString("hex"), tenant: "default", subject: "bare", titleId: got.titleId },
      ...{ assetId: "asset", generation: "generation", createdAt: now, expiresAt: now },
      ...{ firstGrantExpiresAt: now, endedAt: null },
    });
    return c.json({ got }, 201);
  })
  .post("/sign/:session", (c) =>
    c.json(granted({ assetId: "bare", generation: "bare", session: c.req.param("session") })),
  )
  .post("/renew/:session", async (c) => {
    const caller = await authenticate(c.req.header("Authorization")?.slice("Bearer ".length) ?? "");
    if (caller === null) return c.json({}, 401);
    const { tenant, subject } = caller;
    await limits.account.consume(`${tenant}:${subject}`);
    const watched = await desk.watched({ tenant, subject, id: c.req.param("session") });
    if (watched === null) return c.json({}, 404);
    const { assetId, generation, _id: session } = watched.playback;
    return c.json(granted({ assetId, generation, session }));
  });

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  process.stdout.write(`listening ${port}\n`);
});
