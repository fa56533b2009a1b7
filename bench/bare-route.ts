import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openLibrary } from "../stores/library/connect.ts";

/**
 * The least that a Hono server can do for a POST with a JSON body: what the API's routes are measured beside. At
 * `/calls` it also does, one after the other and each by itself, the calls to MongoDB that opening a session is made of: a
 * title, an asset, an account with a position beside it, and one durable insert.
 */
const url = process.env.MATINEE_MONGO_URL;
const library = url === undefined ? null : await openLibrary(url);
const app = new Hono()
  .post("/", async (c) => c.json({ got: await c.req.json() }, 201))
  .post("/calls", async (c) => {
    const got = await c.req.json();
    if (library === null) return c.json({ got }, 503);
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
  });

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  process.stdout.write(`listening ${port}\n`);
});
