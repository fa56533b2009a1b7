import { serve } from "@hono/node-server";
import { Hono } from "hono";

/** The least that a Hono server can do for a POST with a JSON body: what the API's routes are measured beside. */
const app = new Hono().post("/", async (c) => c.json({ got: await c.req.json() }, 201));

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  process.stdout.write(`listening ${port}\n`);
});
