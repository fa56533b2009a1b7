import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { openBlobs } from "../stores/blobs.ts";
import { openLog } from "../stores/log.ts";
import { createDelivery } from "./app.ts";
import { readDeliveryConfig } from "./config.ts";
import { openMetrics } from "./metrics.ts";

/** Streams in flight get this long after SIGTERM; orchestrators kill after 30 s. */
const STOP_GRACE_MS = 20_000;

const config = readDeliveryConfig(process.env);
const log = openLog({ name: "delivery", level: config.logLevel });
const blobs = openBlobs(config.blobs);
const app = createDelivery({
  blobs,
  grantKeys: config.grantKeys,
  corsOrigins: config.corsOrigins,
  maxConnections: config.http.maxConnections,
  metrics: openMetrics(),
  log,
  nowSeconds: () => Date.now() / 1_000,
});

let stopped: Promise<void> | undefined;
async function stop(signal: string): Promise<void> {
  log.info({ signal }, "stopping");
  await app.stop(STOP_GRACE_MS);
  blobs.close();
  log.info("stopped");
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (stopped ??= stop(signal)));

app.server.listen(config.http.port, config.http.host);
await once(app.server, "listening");
const { address, port } = app.server.address() as AddressInfo;
log.info({ address, port, kids: config.grantKeys.map((key) => key.kid) }, "listening");
