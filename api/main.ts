import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import closeWithGrace from "close-with-grace";
import { openBlobs } from "../stores/blobs.ts";
import { watchGrantKeys } from "../stores/grant-key-watch.ts";
import { upsertApiKeys } from "../stores/library/api-keys.ts";
import { openLibrary } from "../stores/library/connect.ts";
import { nameOfLibrary } from "../stores/library/identity.ts";
import { openSessionDesk } from "../stores/library/session-desk.ts";
import { openLog } from "../stores/log.ts";
import { ofLibrary, openQueue } from "../stores/queue.ts";
import { createApp } from "./app.ts";
import { openAssetWatch } from "./asset-watch.ts";
import { openAuthenticator } from "./auth.ts";
import { openCatalog } from "./catalog.ts";
import { readApiConfig } from "./config.ts";
import type { ApiDeps } from "./deps.ts";
import { openDerivedTexts } from "./derived-texts.ts";
import { openDevicePlaylists } from "./device-playlists.ts";
import { openEdgeWatch } from "./edge-watch.ts";
import { foldFigures } from "./fold-figures.ts";
import { foretellSchedules } from "./foretell-schedules.ts";
import { GRANT_REACH_SECONDS } from "./granted-url.ts";
import { openMetrics } from "./metrics.ts";
import { loadPages } from "./pages.ts";
import { openRateLimits } from "./rate-limit.ts";
import { reapAssets } from "./reap-assets.ts";
import { reapGenerations } from "./reap-generations.ts";
import { reapPreviews } from "./reap-previews.ts";
import { reapPulls } from "./reap-pulls.ts";
import { reapUploads } from "./reap-uploads.ts";
import { openRevoker } from "./revoker.ts";
import { openStoredTexts } from "./stored-texts.ts";
import { openTrending } from "./trending.ts";
import { warmCatalogs } from "./warm-catalogs.ts";
import { openWebhookSender } from "./webhook-sender.ts";
import { openWorkHint } from "./work-hint.ts";

const REAP_EVERY_MS = 30_000;
/** So soon after a session's end it is among the figures. */
const FOLD_EVERY_MS = 10_000;
/** Answers under way get this long after SIGTERM; orchestrators kill after 30 s. */
const STOP_GRACE_MS = 15_000;

const config = readApiConfig(process.env);
const log = openLog({ name: "api", level: config.logLevel });
const library = await openLibrary(config.mongoUrl, { appName: "matinee-api" });
await library.ensureIndexes();
await upsertApiKeys(
  library,
  config.bootKeys.map(({ sha256: _id, ...owner }) => ({ _id, ...owner })),
);
const blobs = openBlobs(config.blobs);
// The studio served from here uploads to storage across origins, as do the pages of the list.
const ownOrigin = config.publicUrl === null ? [] : [new URL(config.publicUrl).origin];
await blobs
  .ensureBuckets({ corsOrigins: [...new Set([...ownOrigin, ...config.corsOrigins])] })
  .catch((thrown) => log.error({ err: thrown }, "buckets not made; see /readyz"));
const redis = ofLibrary(config.queue, await nameOfLibrary(library));
const queue = openQueue(redis);
const revoker = openRevoker({ library, blobs, log, grantKeys: config.grantKeys });
const { grantKeysFile } = config;
const keyWatch =
  grantKeysFile === null
    ? null
    : await watchGrantKeys({ file: grantKeysFile, log, onKeys: revoker.takeKeys });
if (keyWatch !== null) revoker.takeKeys(keyWatch.keys());
// Before the first signature: a key that was revoked while we were away must not sign.
await revoker.refresh().catch((thrown) => log.warn({ err: thrown }, "revocations not published yet"));
const metrics = openMetrics(library, () => queue.counts());
const edges = openEdgeWatch({ edges: config.edges, metrics, log });
const texts = openStoredTexts(blobs);
const webhooks = openWebhookSender({
  ...{ library, metrics, log, masterKeys: config.masterKeys },
  networks: config.webhooks.networks,
});
const deps: ApiDeps = {
  config,
  library,
  blobs,
  texts,
  hint: openWorkHint({ library, queue, log }),
  checkQueue: () => queue.check(),
  countJobs: () => queue.counts(),
  authenticate: openAuthenticator(library, config.jwt),
  limits: openRateLimits(redis, config.rates),
  revoker,
  catalog: openCatalog(library),
  desk: openSessionDesk(library),
  devicePlaylists: openDevicePlaylists({
    derived: openDerivedTexts({ blobs, texts }),
    isSteered: config.edges.length > 1,
    log,
  }),
  trending: openTrending(library),
  watch: openAssetWatch(library, config, log),
  metrics,
  edges,
  webhooks,
  log,
};

await warmCatalogs(deps);
const app = createApp(deps, await loadPages(config.pagesDir));
const server = serve(
  {
    fetch: app.fetch,
    hostname: config.http.host,
    port: config.http.port,
    serverOptions: {
      // Slow senders are cut off (RELIABILITY T40); answers, such as event streams, may take as long as they like.
      ...{ headersTimeout: 10_000, requestTimeout: 30_000 },
      // Longer than the 60 s that load balancers keep an idle connection, so that they close first: a request that
      // meets a closing connection on its way is lost.
      keepAliveTimeout: 65_000,
    },
  },
  ({ address, port }) => log.info({ address, port }, "listening"),
) as Server;
// A connection that was busy when the stop began must not wait out its keep-alive.
server.on("request", (_, answer) =>
  answer.once("close", () => setImmediate(() => server.listening || server.closeIdleConnections())),
);

const policy = { keepForRollback: config.keepGenerations, reachSeconds: GRANT_REACH_SECONDS };
let reaping: Promise<void> = Promise.resolve();
const reaper = setInterval(() => {
  reaping = reaping
    .then(() => reapUploads(deps))
    .then(() => reapAssets(deps))
    .then(() => reapGenerations(deps, policy))
    .then(() => reapPreviews(deps))
    .then(() => reapPulls(deps))
    .then(() => foretellSchedules(deps))
    .catch((thrown) => log.warn({ err: thrown }, "reaper's round failed"));
}, REAP_EVERY_MS);
let folding: Promise<void> = Promise.resolve();
const folder = setInterval(() => {
  folding = folding
    .then(() => foldFigures(deps))
    .catch((thrown) => log.warn({ err: thrown }, "figures not folded"));
}, FOLD_EVERY_MS);

closeWithGrace({ delay: STOP_GRACE_MS, logger: false }, async ({ signal, err }) => {
  if (err) log.fatal({ err }, "stopping after a defect");
  else log.info({ signal }, "stopping");
  clearInterval(reaper);
  clearInterval(folder);
  keyWatch?.close();
  revoker.close();
  deps.watch.close();
  edges.close();
  const closed = new Promise((resolve) => server.close(resolve));
  await Promise.all([closed, reaping, folding, webhooks.close()]);
  deps.limits.close();
  await queue.close();
  blobs.close();
  await library.close();
  log.info("stopped");
});
