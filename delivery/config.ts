import { PLACES_PER_SESSION } from "../core/crowded-sessions.ts";
import { type GrantKeySettings, grantKeySettings } from "../core/grant-key-settings.ts";
import { Settings } from "../core/settings.ts";
import type { BlobsConfig } from "../stores/blobs.ts";
import type { CacheSettings } from "./cache/cached-source.ts";
import type { TrustedHeaders } from "./media.ts";

export interface DeliveryConfig extends GrantKeySettings {
  http: {
    host: string;
    /** 0: any free port. */
    port: number;
    maxConnections: number;
  };
  blobs: BlobsConfig;
  /** Where cells of previews are asked for; null: only those are served that are there. */
  apiUrl: string | null;
  /** From how many places a session may be asked for within each minute for long; 0: from any number. */
  placesPerSession: number;
  /** Public base of the API, which tells players of the other edges; null: there are none. */
  steeringUrl: string | null;
  /** null: every request goes to the store. */
  cache: CacheSettings | null;
  trustedHeaders: TrustedHeaders;
  /** PEM files; null: plain HTTP, for behind a proxy. */
  tls: { certFile: string; keyFile: string } | null;
  /** Pages that may read media: exact origins, or `*` alone for any. */
  corsOrigins: string[];
  logLevel: string;
}

const MiB = 1024 * 1024;
const LOG_LEVELS = ["info", "trace", "debug", "warn", "error", "fatal", "silent"] as const;

/** The settings from a record of strings. Throws one Error that names every setting at fault, never a secret's value. */
export function readDeliveryConfig(env: Record<string, string | undefined>): DeliveryConfig {
  const settings = new Settings(env);
  const endpoint = settings.url("MATINEE_S3_ENDPOINT");
  const [certFile, keyFile] = settings.pair("MATINEE_TLS_CERT_FILE", "MATINEE_TLS_KEY_FILE", String) ?? [];
  const cacheFolder = settings.given("MATINEE_EDGE_CACHE_DIR");
  const config: DeliveryConfig = {
    http: {
      host: settings.text("MATINEE_HTTP_HOST", "127.0.0.1"),
      port: settings.whole("MATINEE_HTTP_PORT", 8081, 0, 65_535),
      maxConnections: settings.whole("MATINEE_MAX_CONNECTIONS", 4096, 1, 1_000_000),
    },
    blobs: {
      endpoint,
      // Delivery presigns nothing.
      publicEndpoint: endpoint,
      region: settings.text("MATINEE_S3_REGION", "us-east-1"),
      accessKeyId: settings.text("MATINEE_S3_ACCESS_KEY_ID"),
      secretAccessKey: settings.text("MATINEE_S3_SECRET_ACCESS_KEY"),
      // Only its name: an edge should hold a credential that can read the media bucket and nothing else.
      sourceBucket: settings.text("MATINEE_S3_SOURCE_BUCKET", "unused"),
      mediaBucket: settings.text("MATINEE_S3_MEDIA_BUCKET"),
    },
    cache: cacheFolder
      ? {
          folder: cacheFolder,
          diskBytes: settings.whole("MATINEE_EDGE_CACHE_BYTES", 10_240 * MiB, 16 * MiB),
          memoryBytes: settings.whole("MATINEE_EDGE_MEMORY_BYTES", 128 * MiB, 0),
        }
      : null,
    trustedHeaders: {
      address: settings.headerName("MATINEE_CLIENT_ADDRESS_HEADER"),
      country: settings.headerName("MATINEE_COUNTRY_HEADER"),
    },
    tls: certFile && keyFile ? { certFile, keyFile } : null,
    ...grantKeySettings(settings),
    apiUrl: settings.optionalUrl("MATINEE_API_URL"),
    placesPerSession: settings.whole("MATINEE_PLACES_PER_SESSION", PLACES_PER_SESSION, 0, 1_000),
    steeringUrl: settings.optionalUrl("MATINEE_STEERING_URL"),
    corsOrigins: settings.optional("MATINEE_CORS_ORIGINS", corsOrigins, []),
    logLevel: settings.oneOf("MATINEE_LOG_LEVEL", LOG_LEVELS),
  };
  settings.refuseFaults("delivery");
  return config;
}

function corsOrigins(value: string): string[] {
  const origins = value
    .split(",")
    .map((origin) => origin.trim())
    .filter((origin) => origin !== "");
  for (const origin of origins) {
    if (origin !== "*" && URL.parse(origin)?.origin !== origin)
      throw new Error(`"${origin}" is not an origin`);
  }
  if (origins.includes("*") && origins.length > 1) throw new Error("* stands alone or not at all");
  return origins;
}
