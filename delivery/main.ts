import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { countPlaces } from "../core/crowded-sessions.ts";
import { openBlobs } from "../stores/blobs.ts";
import { watchGrantKeys } from "../stores/grant-key-watch.ts";
import { openLog } from "../stores/log.ts";
import { watchRevocations } from "../stores/revocation-watch.ts";
import { createDelivery } from "./app.ts";
import { openCachedSource } from "./cache/cached-source.ts";
import { openClientCounts } from "./client-counts.ts";
import { readDeliveryConfig } from "./config.ts";
import { openMetrics } from "./metrics.ts";
import { storeSource } from "./object-source.ts";
import { askApi, withPreviews } from "./preview-source.ts";
import { reportCounts } from "./report-counts.ts";
import { reportCrowds } from "./report-crowds.ts";

/** Streams in flight get this long after SIGTERM; orchestrators kill after 30 s. */
const STOP_GRACE_MS = 20_000;

const config = readDeliveryConfig(process.env);
const log = openLog({ name: "delivery", level: config.logLevel });
const blobs = openBlobs(config.blobs);
const metrics = openMetrics();
const { cache: settings } = config;
const cache = settings === null ? null : await openCachedSource({ blobs, settings, metrics, log });
const revocations = await watchRevocations({
  blobs,
  log,
  folder: settings?.folder,
  // What was deleted must not lie in caches for long either.
  onList: ({ assets }) => cache?.forget((key) => assets.has(key.slice(0, key.indexOf("/")))),
});
const counts = openClientCounts(metrics);
const { apiUrl, grantKeysFile } = config;
const keyWatch = grantKeysFile === null ? null : await watchGrantKeys({ file: grantKeysFile, log });
const grantKeys = () => keyWatch?.keys() ?? config.grantKeys;
const crowds = apiUrl === null || config.placesPerSession === 0 ? null : countPlaces(config.placesPerSession);
const crowdReporter =
  apiUrl === null || crowds === null ? null : reportCrowds({ crowds, apiUrl, grantKeys, log });
const reporter = apiUrl === null ? null : reportCounts({ counts, apiUrl, grantKeys, log });
const app = createDelivery({
  blobs,
  source: withPreviews(cache ?? storeSource(blobs), apiUrl === null ? null : askApi(apiUrl, grantKeys)),
  counts,
  crowds,
  grantKeys,
  revocations: revocations.list,
  nowSeconds: () => Date.now() / 1_000,
  corsOrigins: config.corsOrigins,
  trustedHeaders: config.trustedHeaders,
  steeringUrl: config.steeringUrl,
  maxConnections: config.http.maxConnections,
  tls: config.tls && {
    cert: await readFile(config.tls.certFile),
    key: await readFile(config.tls.keyFile),
  },
  state: {
    cacheWorks: () => (cache === null ? null : !cache.isResting()),
    revocationsAgeSeconds: revocations.ageSeconds,
  },
  metrics,
  log,
});

let stopped: Promise<void> | undefined;
async function stop(signal: string): Promise<void> {
  log.info({ signal }, "stopping");
  await app.stop(STOP_GRACE_MS);
  reporter?.close();
  crowdReporter?.close();
  await reporter?.flush();
  revocations.close();
  keyWatch?.close();
  blobs.close();
  log.info("stopped");
}
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (stopped ??= stop(signal)));

app.server.listen(config.http.port, config.http.host);
await once(app.server, "listening");
const { address, port } = app.server.address() as AddressInfo;
log.info({ address, port, kids: grantKeys().map((key) => key.kid) }, "listening");
