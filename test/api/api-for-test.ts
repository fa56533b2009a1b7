import { createHash, randomBytes } from "node:crypto";
import { after } from "node:test";
import { Redis } from "ioredis";
import { createApp } from "../../api/app.ts";
import { openAssetWatch } from "../../api/asset-watch.ts";
import { openAuthenticator } from "../../api/auth.ts";
import { openCatalog } from "../../api/catalog.ts";
import { type ApiConfig, readApiConfig } from "../../api/config.ts";
import type { ApiDeps } from "../../api/deps.ts";
import { openDerivedTexts } from "../../api/derived-texts.ts";
import { openDevicePlaylists } from "../../api/device-playlists.ts";
import { openEdgeWatch } from "../../api/edge-watch.ts";
import { openMetrics } from "../../api/metrics.ts";
import { loadPages } from "../../api/pages.ts";
import { openRateLimits } from "../../api/rate-limit.ts";
import { openRevoker } from "../../api/revoker.ts";
import { openStoredTexts } from "../../api/stored-texts.ts";
import { openTrending } from "../../api/trending.ts";
import { DEFAULT_ENCODING } from "../../core/encoding.ts";
import { newId } from "../../core/ids.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { Role } from "../../core/records/account.ts";
import type { AssetRecord, Rendition } from "../../core/records/asset.ts";
import type { Source } from "../../core/source.ts";
import { openBlobs } from "../../stores/blobs.ts";
import { upsertApiKeys } from "../../stores/library/api-keys.ts";
import { pinSource } from "../../stores/library/asset-changes.ts";
import { createAsset, findAsset } from "../../stores/library/assets.ts";
import { openLibrary } from "../../stores/library/connect.ts";
import { openSessionDesk } from "../../stores/library/session-desk.ts";
import { publishAsset, recordPlan, startProbing } from "../../stores/library/work.ts";
import { openLog } from "../../stores/log.ts";
import { openQueue } from "../../stores/queue.ts";
import { eventually } from "../rig/processes.ts";
import { type ApiDocument, assertDescribed } from "./described-answer.ts";

export const TENANTS = ["alpha", "beta"] as const;
export type Tenant = (typeof TENANTS)[number];

/** The bearer token of a role in a tenant of the test. */
export function tokenOf(tenant: Tenant, role: Role): string {
  return `mk_test-${tenant}-${role}`;
}

/** Settings for the run's real parts, with a database, buckets and a Redis prefix of the test file's own. */
export function configForTest(name: string): ApiConfig {
  const parts = process.env;
  const mongoUrl = new URL(parts.MATINEE_MONGO_URL ?? "mongodb://127.0.0.1:37017/");
  mongoUrl.pathname = `/test_api_${name}_${process.pid}`;
  return readApiConfig({
    MATINEE_S3_ENDPOINT: "http://127.0.0.1:39000",
    MATINEE_S3_ACCESS_KEY_ID: "dev",
    MATINEE_S3_SECRET_ACCESS_KEY: "devsecret",
    MATINEE_REDIS_URL: "redis://127.0.0.1:36379",
    ...parts,
    MATINEE_MONGO_URL: mongoUrl.href,
    MATINEE_REDIS_PREFIX: `test-api-${name}-${process.pid}`,
    MATINEE_S3_SOURCE_BUCKET: `test-api-${name}-sources`,
    MATINEE_S3_MEDIA_BUCKET: `test-api-${name}-media`,
    MATINEE_DELIVERY_URL: "http://delivery.test",
    MATINEE_CORS_ORIGINS: "https://studio.test",
    MATINEE_MASTER_KEYS: `m1:${"ef".repeat(32)}`,
    MATINEE_GRANT_KEYS: `now:${"ab".repeat(32)},old:${"cd".repeat(32)}`,
  });
}

export interface Answer {
  status: number;
  headers: Headers;
  // The body of any answer: each test knows what it asked for.
  body: ReturnType<typeof JSON.parse>;
}

export type TestApi = Awaited<ReturnType<typeof openTestApi>>;

/** Beyond what any Redis takes: which count a request is in is not to hang on what else the machine does. */
const REDIS_MS = 60_000;

/**
 * The app on real parts, closed after the file's tests. `change` adjusts the settings; an answer waits for Redis to count it as long as it
 * takes, unless told otherwise.
 */
export async function openTestApi(
  name: string,
  change: (config: ApiConfig) => ApiConfig = (config) => config,
  redisDeadlineMs = REDIS_MS,
) {
  const config = change(configForTest(name));
  const library = await openLibrary(config.mongoUrl);
  await library.ensureIndexes();
  // The stand-in at times refuses a deletion from a collection that nobody has written to yet.
  const none = { _id: "none" };
  await library.contentKeys.updateOne(none, { $setOnInsert: { sealed: "" } }, { upsert: true });
  await library.contentKeys.deleteOne(none);
  const blobs = openBlobs(config.blobs);
  await blobs.ensureBuckets({ corsOrigins: [] });
  const queue = openQueue(config.queue);
  const log = openLog({ name: "api-test", level: "silent" });
  const offered: string[] = [];
  const metrics = openMetrics(library, () => queue.counts());
  const edges = openEdgeWatch({ edges: config.edges, metrics, log });
  const texts = openStoredTexts(blobs);
  const deps: ApiDeps = {
    config,
    library,
    blobs,
    texts,
    hint: {
      async offer(assetId) {
        offered.push(assetId);
      },
      offerCell: async () => null,
    },
    checkQueue: () => queue.check(),
    countJobs: () => queue.counts(),
    authenticate: openAuthenticator(library, config.jwt),
    limits: openRateLimits(config.queue, config.rates, redisDeadlineMs),
    revoker: openRevoker({ library, blobs, log, grantKeys: config.grantKeys }),
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
    webhooks: { wake: () => undefined },
    log,
  };
  await upsertApiKeys(
    library,
    TENANTS.flatMap((tenant) => (["viewer", "editor", "admin"] as const).map((role) => keyOf(tenant, role))),
  );
  const app = createApp(deps, await loadPages(config.pagesDir));
  after(async () => {
    deps.watch.close();
    edges.close();
    deps.revoker.close();
    deps.limits.close();
    await queue.close();
    blobs.close();
    await library.close();
  });
  const document: ApiDocument = await (await app.request("/openapi.json")).json();
  /** Each answer is held to the served document. */
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const answer = await app.request(path, init);
    await assertDescribed(document, init.method ?? "GET", path, answer);
    return answer;
  };
  return {
    app,
    deps,
    offered,
    request,
    document,
    /** As the role of the tenant (editor of alpha unless said otherwise), JSON in and out. */
    as(tenant: Tenant, role: Role = "editor") {
      return async (
        method: string,
        path: string,
        body?: unknown,
        headers: Record<string, string> = {},
      ): Promise<Answer> => {
        const answer = await request(path, {
          method,
          headers: {
            Authorization: `Bearer ${tokenOf(tenant, role)}`,
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        });
        const text = await answer.text();
        return { status: answer.status, headers: answer.headers, body: text === "" ? {} : JSON.parse(text) };
      };
    },
  };
}

/** Resolves once this API counts requests in Redis: in memory it counts those that come before its connection stands. Asks as beta's admin. */
export async function countingInRedis(api: TestApi): Promise<void> {
  const { url, prefix } = api.deps.config.queue;
  const redis = new Redis(url);
  const counted = async (): Promise<number> => {
    const keys = await redis.keys(`${prefix}:rate:account:*`);
    const counts = keys.length === 0 ? [] : await redis.mget(keys);
    return counts.reduce((sum, count) => sum + Number(count), 0);
  };
  try {
    await eventually("counted in Redis", 60, async () => {
      const before = await counted();
      // Twice: after one that came late all are counted in memory for a while.
      for (let times = 0; times < 2; times++) await api.as("beta", "admin")("GET", "/v1/assets");
      return (await counted()) === before + 2 || null;
    });
  } finally {
    redis.disconnect();
  }
}

/** Makes known an account of the installation's own tenant, and answers its bearer token. */
export async function installationToken(api: TestApi, role: Role): Promise<string> {
  const token = `mk_installation-${role}`;
  const _id = createHash("sha256").update(token).digest("hex");
  await upsertApiKeys(api.deps.library, [{ _id, tenant: "default", subject: role, role }]);
  return token;
}

function keyOf(tenant: Tenant, role: Role) {
  const sha256 = createHash("sha256").update(tokenOf(tenant, role)).digest("hex");
  return { _id: sha256, tenant, subject: `${role}-of-${tenant}`, role };
}

export const sha256Base64 = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("base64");

interface OpenedUpload {
  id: string;
  assetId: string;
  partSizeBytes: number;
  partCount: number;
}

/** Opens an upload for these bytes and PUTs the parts that are wanted (all, by default) straight to storage. */
export async function uploadBytes(
  api: TestApi,
  bytes: Buffer,
  options: { tenant?: Tenant; parts?: number[]; titleId?: string } = {},
) {
  const call = api.as(options.tenant ?? "alpha");
  const opened = await call("POST", "/v1/uploads", {
    filename: "film.mp4",
    sizeBytes: bytes.length,
    titleId: options.titleId,
  });
  const { id, assetId, partSizeBytes, partCount }: OpenedUpload = opened.body;
  const numbers = options.parts ?? Array.from({ length: partCount as number }, (_, index) => index + 1);
  await putParts(api, id, partSizeBytes, bytes, numbers, options.tenant);
  return { id, assetId, partSizeBytes, partCount };
}

export async function putParts(
  api: TestApi,
  id: string,
  partSizeBytes: number,
  bytes: Buffer,
  numbers: number[],
  tenant?: Tenant,
): Promise<number[]> {
  if (numbers.length === 0) return [];
  const slices = numbers.map((partNumber) =>
    bytes.subarray((partNumber - 1) * partSizeBytes, partNumber * partSizeBytes),
  );
  const wanted = numbers.map((partNumber, index) => ({
    partNumber,
    sha256: sha256Base64(slices[index] as Buffer),
  }));
  const signed = await api.as(tenant ?? "alpha")("POST", `/v1/uploads/${id}/parts`, { parts: wanted });
  const sent = (signed.body.parts as { url: string; method: string; headers: Record<string, string> }[]).map(
    async ({ url, method, headers }, index) =>
      (await fetch(url, { method, headers, body: new Uint8Array(slices[index] as Buffer) })).status,
  );
  return Promise.all(sent);
}

/** Bytes of two parts and a bit. */
export function threePartFile(): Buffer {
  return randomBytes(16 * 1024 * 1024 + 5);
}

export const SOURCE: Source = {
  container: "mov,mp4,m4a,3gp,3g2,mj2",
  sizeBytes: 1_000_000,
  sha256: null,
  durationSeconds: 30,
  video: {
    streamIndex: 0,
    codec: "h264",
    profile: "High",
    pixelFormat: "yuv420p",
    bitDepth: 8,
    codedWidth: 1280,
    codedHeight: 720,
    width: 1280,
    height: 720,
    sampleAspect: { num: 1, den: 1 },
    rotationDegrees: 0,
    frameRate: { num: 24, den: 1 },
    frameCount: 720,
    variableFrameRate: false,
    startSeconds: 0,
    fileStartSeconds: 0,
    hasAllTimes: true,
    keyframeSeconds: [0, 10, 20],
    fieldOrder: "progressive",
    colorTransfer: null,
    colorPrimaries: null,
    colorSpace: null,
    colorRange: null,
  },
  audio: [],
  subtitles: [],
};

export const RENDITIONS: Rendition[] = [
  {
    id: "v720",
    kind: "video",
    codec: "avc1.64001f",
    width: 1280,
    height: 720,
    averageBps: 2_000_000,
    peakBps: 3_000_000,
    bytes: 7_500_000,
  },
  {
    id: "a0",
    kind: "audio",
    codec: "mp4a.40.2",
    language: "en",
    averageBps: 128_000,
    peakBps: 130_000,
    bytes: 480_000,
  },
  {
    id: "poster-0",
    kind: "image",
    codec: "jpeg",
    width: 1280,
    height: 720,
    atSeconds: 12,
    averageBps: 0,
    peakBps: 0,
    bytes: 40_000,
  },
  {
    id: "poster-1",
    kind: "image",
    codec: "jpeg",
    width: 1280,
    height: 720,
    atSeconds: 4,
    averageBps: 0,
    peakBps: 0,
    bytes: 30_000,
  },
  {
    id: "storyboard",
    kind: "image",
    codec: "jpeg",
    width: 240,
    height: 134,
    averageBps: 0,
    peakBps: 0,
    bytes: 90_000,
  },
];

export const GENERATION = "0123456789abcdef0123";

/** An asset as the workers leave it half way (`encoding`) or at the end (`ready`). */
export async function madeAsset(
  api: TestApi,
  tenant: Tenant,
  state: "encoding" | "ready",
): Promise<AssetRecord> {
  const { library } = api.deps;
  const id = newId("as");
  await createAsset(library, {
    id,
    tenant,
    ownerId: "someone",
    titleId: null,
    filename: "film.mp4",
    encoding: DEFAULT_ENCODING,
  });
  await pinSource(library, tenant, id, {
    key: `${tenant}/x/source`,
    etag: '"e"',
    sizeBytes: 1_000_000,
    sha256: null,
  });
  const waiting = await findAsset(library, tenant, id);
  if (waiting === null) throw new Error("the asset is gone");
  await startProbing(library, waiting);
  const plan = buildPlan(SOURCE, DEFAULT_PLAN_SETTINGS, "test");
  const found = { source: SOURCE, plan, generation: GENERATION, findings: [], sidecars: [] };
  await recordPlan(library, waiting, found);
  if (state === "ready")
    await publishAsset(library, waiting, {
      generation: GENERATION,
      durationSeconds: 30,
      renditions: RENDITIONS,
    });
  const asset = await findAsset(library, tenant, id);
  if (asset === null) throw new Error("the asset is gone");
  return asset;
}

/** A published movie over a ready asset. */
export async function publishedMovie(api: TestApi, tenant: Tenant, more: Record<string, unknown> = {}) {
  const call = api.as(tenant);
  const asset = await madeAsset(api, tenant, "ready");
  const title = await call("POST", "/v1/titles", {
    type: "movie",
    name: { en: "A Film" },
    assetId: asset._id,
    ...more,
  });
  await call("POST", `/v1/titles/${title.body.id}/publish`, {});
  return { asset, titleId: title.body.id as string };
}
