import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { ChildSpec } from "./child.ts";
import type { MediaTools } from "./parts/media-tools.ts";
import type { S3Access } from "./parts/s3.ts";
import { LOOPBACK } from "./ports.ts";
import { readiness } from "./readiness.ts";
import { bootKeys, type Secrets } from "./secrets.ts";

/** Where everything that the services stand on is. */
export interface Foundations {
  root: string;
  dataDirectory: string;
  environment: Readonly<Record<string, string | undefined>>;
  ports: Readonly<Record<string, number>>;
  secrets: Secrets;
  mongoUrl: string;
  redisUrl: string;
  s3: S3Access;
  tools: MediaTools;
  pagesDirectory: string;
}

/** Ours in the local start: where the API and the edge are for a browser on this machine. */
export function publicUrls(ports: Foundations["ports"]): { api: string; delivery: string } {
  return { api: `http://${LOOPBACK}:${ports.api}`, delivery: `http://${LOOPBACK}:${ports.delivery}` };
}

/** The name of the nth edge, from 1. */
export function edgeName(number: number): string {
  return number === 1 ? "delivery" : `delivery-${number}`;
}

/**
 * Base URLs of the edges: one port at several of this machine's addresses, since a player that goes from one edge to
 * another changes the host alone. Linux answers at all of 127.0.0.0/8; macOS at the first one only.
 */
export function edgeUrls(ports: Foundations["ports"], edges: number): string[] {
  return Array.from({ length: edges }, (_, index) => `http://127.0.0.${index + 1}:${ports.delivery}`);
}

/** Where a service says whether it is ready. */
export function readyUrl(ports: Foundations["ports"], service: string): string {
  const [, edge] = /^delivery-(\d+)$/.exec(service) ?? [];
  const base =
    edge === undefined ? `http://${LOOPBACK}:${ports[service]}` : edgeUrls(ports, Number(edge)).at(-1);
  return `${base}/readyz`;
}

/** The name of the nth transcoder, from 1. */
export function transcoderName(number: number): string {
  return `transcoder-${number}`;
}

/** The API: it makes the buckets and indexes, so it comes first. */
export function apiService(on: Foundations, edges = 1): ChildSpec {
  const { api, delivery } = publicUrls(on.ports);
  return nodeService(on, "api", "api/main.ts", 1, {
    ...stores(on),
    MATINEE_HTTP_PORT: String(on.ports.api),
    MATINEE_API_URL: api,
    MATINEE_DELIVERY_URL: delivery,
    ...(edges > 1 ? { MATINEE_DELIVERY_URLS: edgeUrls(on.ports, edges).join(",") } : {}),
    MATINEE_CORS_ORIGINS: pageOrigins(on),
    MATINEE_GRANT_KEYS: on.secrets.grantKey,
    MATINEE_MASTER_KEYS: on.secrets.masterKey,
    MATINEE_BOOT_KEYS: bootKeys(on.secrets.tokens),
    MATINEE_PAGES_DIR: on.pagesDirectory,
  });
}

/** 2 GiB: enough for the films that a person tries out, little enough for a laptop. */
const LOCAL_CACHE_BYTES = String(2 * 1_024 ** 3);

/** The edge: it knows the grant key and the media bucket, nothing else; what it has fetched it keeps in the data folder. */
export function deliveryService(on: Foundations, number = 1): ChildSpec {
  const cache = on.environment.MATINEE_EDGE_CACHE_DIR || join(on.dataDirectory, "edge-cache");
  return nodeService(on, edgeName(number), "delivery/main.ts", 2, {
    // Of each its own.
    MATINEE_EDGE_CACHE_DIR: number === 1 ? cache : `${cache}-${number}`,
    MATINEE_EDGE_CACHE_BYTES: on.environment.MATINEE_EDGE_CACHE_BYTES || LOCAL_CACHE_BYTES,
    ...blobStore(on),
    ...(number === 1 ? {} : { MATINEE_HTTP_HOST: `127.0.0.${number}` }),
    MATINEE_HTTP_PORT: String(on.ports.delivery),
    MATINEE_API_URL: publicUrls(on.ports).api,
    MATINEE_STEERING_URL: publicUrls(on.ports).api,
    MATINEE_CORS_ORIGINS: pageOrigins(on),
    MATINEE_GRANT_KEYS: on.secrets.grantKey,
  });
}

/** One transcoder of `workers`, with its share of the cores. */
export function transcoderService(on: Foundations, name: string, workers: number): ChildSpec {
  const scratch = join(on.dataDirectory, "scratch", name);
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const share = Math.max(1, Math.floor(availableParallelism() / workers));
  return nodeService(on, name, "transcoder/main.ts", 2, {
    ...stores(on),
    MATINEE_WORKER_HTTP_PORT: String(on.ports[name]),
    MATINEE_WORKER_SLOTS: on.environment.MATINEE_WORKER_SLOTS || String(share),
    MATINEE_LOUDNESS_LUFS: on.environment.MATINEE_LOUDNESS_LUFS || "-16",
    MATINEE_MASTER_KEYS: on.secrets.masterKey,
    MATINEE_SCRATCH_DIR: scratch,
    MATINEE_FFMPEG_PATH: on.tools.ffmpegPath,
    MATINEE_FFPROBE_PATH: on.tools.ffprobePath,
    MATINEE_BWRAP_PATH: on.tools.bwrapPath ?? "",
    MATINEE_VMAF_FFMPEG_PATH: on.tools.scorerPath ?? "",
  });
}

/** Longer than a service takes to hand back what it holds; a hung one is killed after it. */
const STOP_MS = 20_000;

function nodeService(
  on: Foundations,
  part: string,
  script: string,
  layer: number,
  settings: Record<string, string>,
): ChildSpec {
  return {
    part,
    command: process.execPath,
    args: [join(on.root, script)],
    env: { ...on.environment, ...settings },
    layer,
    stopMs: STOP_MS,
    check: () => readiness(readyUrl(on.ports, part)),
  };
}

function stores(on: Foundations): Record<string, string> {
  return { ...blobStore(on), MATINEE_MONGO_URL: withDatabase(on.mongoUrl), MATINEE_REDIS_URL: on.redisUrl };
}

function blobStore({ s3, environment }: Foundations): Record<string, string> {
  return {
    MATINEE_S3_ENDPOINT: s3.endpoint,
    MATINEE_S3_REGION: s3.region,
    MATINEE_S3_ACCESS_KEY_ID: s3.accessKeyId,
    MATINEE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    MATINEE_S3_SOURCE_BUCKET: environment.MATINEE_S3_SOURCE_BUCKET || "matinee-sources",
    MATINEE_S3_MEDIA_BUCKET: environment.MATINEE_S3_MEDIA_BUCKET || "matinee-media",
  };
}

/** Pages come from the API under either spelling of this machine. */
function pageOrigins({ ports, environment }: Foundations): string {
  const own = [`http://${LOOPBACK}:${ports.api}`, `http://localhost:${ports.api}`];
  return [...own, ...(environment.MATINEE_CORS_ORIGINS?.split(",") ?? [])].filter(Boolean).join(",");
}

/** A MongoDB URL that names a database: `matinee` where it named none. */
export function withDatabase(mongoUrl: string): string {
  const [address = "", query] = mongoUrl.split("?", 2);
  const named = /^[^:]+:\/\/[^/]+\/[^/]+$/.test(address);
  const full = named ? address : `${address.replace(/\/$/, "")}/matinee`;
  return query === undefined ? full : `${full}?${query}`;
}
