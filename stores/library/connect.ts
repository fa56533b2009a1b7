import { performance } from "node:perf_hooks";
import { type Collection, type Db, type IndexDescription, MongoClient } from "mongodb";
import type { GenerationRecord } from "../../core/generations.ts";
import type { AccountRecord, ApiKeyRecord } from "../../core/records/account.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import type { LinkRecord } from "../../core/records/link.ts";
import type {
  ContentKeyRecord,
  PlaybackRecord,
  PositionRecord,
  RevocationRecord,
} from "../../core/records/playback.ts";
import type { TaskRecord } from "../../core/records/task.ts";
import type { TitleRecord } from "../../core/records/title.ts";
import type { UploadRecord } from "../../core/records/upload.ts";
import type { DeliveryRecord, WebhookRecord } from "../../core/records/webhook.ts";
import { API_KEY_INDEXES } from "./api-keys.ts";
import { ASSET_INDEXES, TASK_INDEXES } from "./assets.ts";
import { REMOVED_TITLE_INDEXES, type RemovedTitleRecord } from "./catalog-source.ts";
import type { ConformanceRecord } from "./conformance.ts";
import { DELIVERY_INDEXES } from "./deliveries.ts";
import { fromDriver } from "./driver-errors.ts";
import { FIGURES_INDEXES, type FiguresRecord } from "./figures.ts";
import type { FoldingRecord } from "./fold-reports.ts";
import { GENERATION_INDEXES } from "./generations.ts";
import { CLAIM_INDEXES, type ClaimRecord } from "./idempotency.ts";
import type { IdentityRecord } from "./identity.ts";
import { LINK_INDEXES } from "./links.ts";
import { PLAYBACK_INDEXES, POSITION_INDEXES } from "./playbacks.ts";
import { PULL_INDEXES } from "./pulls.ts";
import { REPORT_INDEXES, type ReportRecord } from "./reports.ts";
import { REVOCATION_INDEXES } from "./revocations.ts";
import { TITLE_INDEXES } from "./titles.ts";
import { UPLOAD_INDEXES } from "./uploads.ts";
import { WEBHOOK_INDEXES } from "./webhooks.ts";

/** How often the offset to the server's clock is measured again. */
const CLOCK_REFRESH_MS = 30_000;

/** A beat that `ping` writes and reads back: proof that writes are taken, not only that a socket is open. */
interface BeatRecord {
  _id: string;
  beat: number;
}

export interface LibraryOptions {
  /** Shown in the server's own log and connection list. */
  appName?: string;
  /** How long an operation waits for a primary before it fails as `transient`. */
  selectionTimeoutMs?: number;
  /** How long one operation may take on the wire. */
  operationTimeoutMs?: number;
  maxConnections?: number;
  /** Hears the name of every command that is sent. */
  onCommand?: (name: string) => void;
}

/** The door to MongoDB: typed collections, the server's clock, and the life of the connection. */
export interface Library {
  uploads: Collection<UploadRecord>;
  assets: Collection<AssetRecord>;
  tasks: Collection<TaskRecord>;
  generations: Collection<GenerationRecord>;
  titles: Collection<TitleRecord>;
  removedTitles: Collection<RemovedTitleRecord>;
  apiKeys: Collection<ApiKeyRecord>;
  accounts: Collection<AccountRecord>;
  playbacks: Collection<PlaybackRecord>;
  positions: Collection<PositionRecord>;
  revocations: Collection<RevocationRecord>;
  claims: Collection<ClaimRecord>;
  contentKeys: Collection<ContentKeyRecord>;
  conformance: Collection<ConformanceRecord>;
  reports: Collection<ReportRecord>;
  figures: Collection<FiguresRecord>;
  foldings: Collection<FoldingRecord>;
  webhooks: Collection<WebhookRecord>;
  deliveries: Collection<DeliveryRecord>;
  links: Collection<LinkRecord>;
  identities: Collection<IdentityRecord>;
  /** The database server's clock: the only one that leases and expiry go by (RELIABILITY F24). */
  serverNow(): Date;
  /** Writes and reads back; throws a `transient` Failure where the library does not take writes. */
  ping(): Promise<void>;
  ensureIndexes(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects and measures the server's clock; the database is the one that the URL names.
 * Throws a `transient` Failure where no primary answers in time.
 */
export async function openLibrary(url: string, options: LibraryOptions = {}): Promise<Library> {
  const client = new MongoClient(url, {
    appName: options.appName ?? "matinee",
    // An acknowledged write has to survive the loss of the primary.
    w: "majority",
    retryWrites: true,
    retryReads: true,
    serverSelectionTimeoutMS: options.selectionTimeoutMs ?? 3_000,
    connectTimeoutMS: 3_000,
    socketTimeoutMS: options.operationTimeoutMs ?? 15_000,
    waitQueueTimeoutMS: 3_000,
    maxPoolSize: options.maxConnections ?? 20,
    ignoreUndefined: true,
    monitorCommands: options.onCommand !== undefined,
  });
  client.on("commandStarted", ({ commandName }) => options.onCommand?.(commandName));
  try {
    await fromDriver(client.connect());
    const db = client.db();
    return library(client, db, await keepServerClock(db));
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
}

function library(client: MongoClient, db: Db, clock: ServerClock): Library {
  const beats = db.collection<BeatRecord>("beats");
  return {
    uploads: db.collection("uploads"),
    assets: db.collection("assets"),
    tasks: db.collection("tasks"),
    generations: db.collection("generations"),
    titles: db.collection("titles"),
    removedTitles: db.collection("removedTitles"),
    apiKeys: db.collection("apiKeys"),
    accounts: db.collection("accounts"),
    playbacks: db.collection("playbacks"),
    positions: db.collection("positions"),
    revocations: db.collection("revocations"),
    claims: db.collection("claims"),
    contentKeys: db.collection("contentKeys"),
    conformance: db.collection("conformance"),
    reports: db.collection("reports"),
    figures: db.collection("figures"),
    foldings: db.collection("foldings"),
    webhooks: db.collection("webhooks"),
    deliveries: db.collection("deliveries"),
    links: db.collection("links"),
    identities: db.collection("identities"),
    serverNow: () => clock.now(),
    ping: () => pingBeat(beats),
    ensureIndexes: () => ensureIndexes(db),
    async close() {
      clock.stop();
      await client.close();
    },
  };
}

interface ServerClock {
  now(): Date;
  stop(): void;
}

/**
 * The server's clock from `hello.localTime`, carried on by this process's monotonic clock between two
 * measurements, so that a jump of the machine's own wall clock moves nothing.
 */
async function keepServerClock(db: Db): Promise<ServerClock> {
  let offsetMs = await measureOffset(db);
  const timer = setInterval(() => {
    measureOffset(db).then(
      (measured) => {
        offsetMs = measured;
      },
      // The library is away: the offset last measured stays good, a monotonic clock drifts by ppm.
      () => undefined,
    );
  }, CLOCK_REFRESH_MS);
  timer.unref();
  return { now: () => new Date(offsetMs + performance.now()), stop: () => clearInterval(timer) };
}

/** Server time minus monotonic time, taken at the middle of the round trip. */
async function measureOffset(db: Db): Promise<number> {
  const asked = performance.now();
  const hello = await fromDriver(db.admin().command({ hello: 1 }));
  const answered = performance.now();
  return (hello.localTime as Date).getTime() - (asked + answered) / 2;
}

async function pingBeat(beats: Collection<BeatRecord>): Promise<void> {
  await fromDriver(beats.updateOne({ _id: "ping" }, { $inc: { beat: 1 } }, { upsert: true }));
  await fromDriver(beats.findOne({ _id: "ping" }, { maxTimeMS: 1_000 }));
}

async function ensureIndexes(db: Db): Promise<void> {
  const wanted: [string, IndexDescription[]][] = [
    ["uploads", UPLOAD_INDEXES],
    ["assets", [...ASSET_INDEXES, ...PULL_INDEXES]],
    ["tasks", TASK_INDEXES],
    ["generations", GENERATION_INDEXES],
    ["titles", TITLE_INDEXES],
    ["removedTitles", REMOVED_TITLE_INDEXES],
    ["apiKeys", API_KEY_INDEXES],
    ["playbacks", PLAYBACK_INDEXES],
    ["positions", POSITION_INDEXES],
    ["revocations", REVOCATION_INDEXES],
    ["claims", CLAIM_INDEXES],
    ["reports", REPORT_INDEXES],
    ["figures", FIGURES_INDEXES],
    ["webhooks", WEBHOOK_INDEXES],
    ["deliveries", DELIVERY_INDEXES],
    ["links", LINK_INDEXES],
  ];
  for (const [name, indexes] of wanted) {
    for (const index of indexes) await fromDriver(db.collection(name).createIndexes([index]));
  }
}
