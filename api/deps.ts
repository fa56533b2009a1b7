import type { Caller } from "../core/records/account.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import type { SessionDesk } from "../stores/library/session-desk.ts";
import type { Log } from "../stores/log.ts";
import type { LaneCounts } from "../stores/queue.ts";
import type { AssetWatch } from "./asset-watch.ts";
import type { Authenticator } from "./auth.ts";
import type { Catalog } from "./catalog.ts";
import type { ApiConfig } from "./config.ts";
import type { DevicePlaylists } from "./device-playlists.ts";
import type { EdgeWatch } from "./edge-watch.ts";
import type { Metrics } from "./metrics.ts";
import type { RateLimits } from "./rate-limit.ts";
import type { Revoker } from "./revoker.ts";
import type { StoredTexts } from "./stored-texts.ts";
import type { Trending } from "./trending.ts";
import type { WebhookSender } from "./webhook-sender.ts";

/** Says that an asset has work to do. Best effort and quick: a reconciler finds what was not said. */
export interface WorkHint {
  offer(assetId: string): Promise<void>;
  /** Has a preview's cell made before everything else: the id of its task, or null where there is no such cell. */
  offerCell(asset: AssetRecord, cell: number): Promise<string | null>;
}

/** What the routes are built on, put together in `main.ts` (or in a test). */
export interface ApiDeps {
  config: ApiConfig;
  library: Library;
  blobs: Blobs;
  /** Manifests of packages. */
  texts: StoredTexts;
  hint: WorkHint;
  /** Asserts what we need of Redis; throws where it is away or weak. */
  checkQueue(): Promise<void>;
  /** Jobs by lane, as Redis has them. Throws where it does not answer. */
  countJobs(): Promise<LaneCounts>;
  authenticate: Authenticator;
  limits: RateLimits;
  revoker: Revoker;
  catalog: Catalog;
  desk: SessionDesk;
  devicePlaylists: DevicePlaylists;
  trending: Trending;
  watch: AssetWatch;
  metrics: Metrics;
  edges: EdgeWatch;
  webhooks: Pick<WebhookSender, "wake">;
  log: Log;
}

/** What a request carries through its handlers. */
export interface ApiEnv {
  Variables: { requestId: string; caller: Caller };
  /** Node's own two, where it serves. */
  Bindings: {
    incoming?: { socket?: { remoteAddress?: string } };
    outgoing?: { setHeader(name: string, value: string): unknown };
  };
}
