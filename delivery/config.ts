import { type GrantKey, parseGrantKeys } from "../core/grant.ts";
import type { BlobsConfig } from "../stores/blobs.ts";
import type { CacheSettings } from "./cache/cached-source.ts";
import type { TrustedHeaders } from "./media.ts";

export interface DeliveryConfig {
  http: {
    host: string;
    /** 0: any free port. */
    port: number;
    maxConnections: number;
  };
  blobs: BlobsConfig;
  grantKeys: GrantKey[];
  /** Where cells of previews are asked for; null: only those are served that are there. */
  apiUrl: string | null;
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
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

/** The settings from a record of strings. Throws one Error that names every setting at fault, never a secret's value. */
export function readDeliveryConfig(env: Record<string, string | undefined>): DeliveryConfig {
  const faults: string[] = [];
  const text = (name: string, fallback?: string): string => {
    const value = env[name]?.trim() || fallback;
    if (value === undefined) faults.push(`${name} is missing`);
    return value ?? "";
  };
  const checked = <T>(name: string, value: string, parse: (value: string) => T, otherwise: T): T => {
    if (value === "") return otherwise;
    try {
      return parse(value);
    } catch (thrown) {
      faults.push(`${name}: ${thrown instanceof Error ? thrown.message : "is not valid"}`);
      return otherwise;
    }
  };
  const endpoint = checked("MATINEE_S3_ENDPOINT", text("MATINEE_S3_ENDPOINT"), httpUrl, "");
  const whole = (name: string, fallback: number, lowest: number): number =>
    checked(name, text(name, String(fallback)), wholeBetween(lowest, Number.MAX_SAFE_INTEGER), fallback);
  const headerName = (name: string): string | null =>
    checked(name, env[name]?.trim().toLowerCase() ?? "", fieldName, "") || null;
  const base = (name: string): string | null =>
    checked(name, env[name]?.trim() ?? "", httpUrl, "").replace(/\/+$/, "") || null;
  const cacheFolder = env.MATINEE_EDGE_CACHE_DIR?.trim();
  const [certFile, keyFile] = [env.MATINEE_TLS_CERT_FILE?.trim(), env.MATINEE_TLS_KEY_FILE?.trim()];
  if (!certFile !== !keyFile) faults.push("MATINEE_TLS_CERT_FILE and MATINEE_TLS_KEY_FILE go together");
  const config: DeliveryConfig = {
    http: {
      host: text("MATINEE_HTTP_HOST", "127.0.0.1"),
      port: checked("MATINEE_HTTP_PORT", text("MATINEE_HTTP_PORT", "8081"), wholeBetween(0, 65_535), 0),
      maxConnections: checked(
        "MATINEE_MAX_CONNECTIONS",
        text("MATINEE_MAX_CONNECTIONS", "4096"),
        wholeBetween(1, 1_000_000),
        1,
      ),
    },
    blobs: {
      endpoint,
      // Delivery presigns nothing.
      publicEndpoint: endpoint,
      region: text("MATINEE_S3_REGION", "us-east-1"),
      accessKeyId: text("MATINEE_S3_ACCESS_KEY_ID"),
      secretAccessKey: text("MATINEE_S3_SECRET_ACCESS_KEY"),
      // Only its name: an edge should hold a credential that can read the media bucket and nothing else.
      sourceBucket: text("MATINEE_S3_SOURCE_BUCKET", "unused"),
      mediaBucket: text("MATINEE_S3_MEDIA_BUCKET"),
    },
    cache: cacheFolder
      ? {
          folder: cacheFolder,
          diskBytes: whole("MATINEE_EDGE_CACHE_BYTES", 10_240 * MiB, 16 * MiB),
          memoryBytes: whole("MATINEE_EDGE_MEMORY_BYTES", 128 * MiB, 0),
        }
      : null,
    trustedHeaders: {
      address: headerName("MATINEE_CLIENT_ADDRESS_HEADER"),
      country: headerName("MATINEE_COUNTRY_HEADER"),
    },
    tls: certFile && keyFile ? { certFile, keyFile } : null,
    grantKeys: checked("MATINEE_GRANT_KEYS", text("MATINEE_GRANT_KEYS"), parseGrantKeys, []),
    apiUrl: base("MATINEE_API_URL"),
    steeringUrl: base("MATINEE_STEERING_URL"),
    corsOrigins: checked("MATINEE_CORS_ORIGINS", env.MATINEE_CORS_ORIGINS?.trim() ?? "", corsOrigins, []),
    logLevel: checked("MATINEE_LOG_LEVEL", text("MATINEE_LOG_LEVEL", "info"), logLevel, "info"),
  };
  if (faults.length > 0) throw new Error(`Settings of delivery: ${faults.join("; ")}.`);
  return config;
}

function wholeBetween(lowest: number, highest: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^[0-9]+$/.test(value) || number < lowest || number > highest) {
      throw new Error(`is not a whole number from ${lowest} to ${highest}`);
    }
    return number;
  };
}

function fieldName(value: string): string {
  if (!/^[a-z0-9-]+$/.test(value)) throw new Error("is not the name of a header");
  return value;
}

function httpUrl(value: string): string {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error("is not an http(s) URL");
  return value;
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

function logLevel(value: string): string {
  if (!LOG_LEVELS.includes(value)) throw new Error(`is none of ${LOG_LEVELS.join(", ")}`);
  return value;
}
