import { availableParallelism } from "node:os";
import { type GrantKeySettings, grantKeySettings } from "../../core/grant-key-settings.ts";
import { Settings } from "../../core/settings.ts";
import type { BlobsConfig } from "../../stores/blobs.ts";

/** The same names as the Node edge has, as far as nginx does the same. */
export interface NginxSettings extends GrantKeySettings {
  listen: string;
  tls: { certFile: string; keyFile: string } | null;
  blobs: BlobsConfig;
  corsOrigins: string[];
  /** Lower-case names of headers that a proxy before us sets; null where there is none. */
  addressHeader: string | null;
  countryHeader: string | null;
  /** Public base of the API, which tells players of the other edges; null where there are none. */
  steeringUrl: string | null;
  cacheFolder: string;
  cacheBytes: number;
  /** Where revocations, the rendered configuration and bodies on their way lie. */
  stateFolder: string;
  accessLog: string | null;
  /** Whom workers run as where we are root. */
  workerUser: string;
  workers: number;
  nginxPath: string;
  modulesFolder: string;
  logLevel: string;
  /** How often to look for what was called back. */
  revocationsEveryMs: number;
  /** Seconds between this machine's clock and the one that grants are judged by: a test's, 0 for everybody else. */
  clockOffsetSeconds: number;
}

/** Reads the settings. Throws one Error that names every one at fault, and never a secret's value. */
export function readNginxSettings(env: Record<string, string | undefined>): NginxSettings {
  const given = new Settings(env);
  const text = (name: string, pattern: RegExp, fallback?: string): string =>
    given.parsed(name, plain(pattern), "", fallback);
  const optional = (name: string, pattern: RegExp): string | null =>
    given.optional<string | null>(name, plain(pattern), null);
  const endpoint = text("MATINEE_S3_ENDPOINT", /^https?:\/\/[A-Za-z0-9.:[\]-]+\/?$/);
  const [certFile, keyFile] = given.pair("MATINEE_TLS_CERT_FILE", "MATINEE_TLS_KEY_FILE", plain(PATH)) ?? [];
  const settings: NginxSettings = {
    listen: `${text("MATINEE_HTTP_HOST", /^[A-Za-z0-9.:[\]-]+$/, "127.0.0.1")}:${text("MATINEE_HTTP_PORT", /^[0-9]{1,5}$/, "8082")}`,
    tls: certFile && keyFile ? { certFile, keyFile } : null,
    ...grantKeySettings(given),
    blobs: {
      endpoint,
      publicEndpoint: endpoint,
      region: text("MATINEE_S3_REGION", WORD, "us-east-1"),
      accessKeyId: text("MATINEE_S3_ACCESS_KEY_ID", /^[^\s"]+$/),
      secretAccessKey: text("MATINEE_S3_SECRET_ACCESS_KEY", /^[^\s"]+$/),
      sourceBucket: "unused",
      mediaBucket: text("MATINEE_S3_MEDIA_BUCKET", /^[a-z0-9][a-z0-9.-]+$/),
    },
    corsOrigins: (optional("MATINEE_CORS_ORIGINS", /^[A-Za-z0-9.:/,*[\]\s-]+$/) ?? "")
      .split(",")
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ""),
    addressHeader: optional("MATINEE_CLIENT_ADDRESS_HEADER", HEADER)?.toLowerCase() ?? null,
    countryHeader: optional("MATINEE_COUNTRY_HEADER", HEADER)?.toLowerCase() ?? null,
    steeringUrl: optional("MATINEE_STEERING_URL", BASE)?.replace(/\/+$/, "") ?? null,
    cacheFolder: text("MATINEE_EDGE_CACHE_DIR", PATH),
    cacheBytes: Number(text("MATINEE_EDGE_CACHE_BYTES", /^[1-9][0-9]{7,15}$/, String(10 * 1024 ** 3))),
    stateFolder: text("MATINEE_NGINX_STATE_DIR", PATH),
    accessLog: optional("MATINEE_NGINX_ACCESS_LOG", PATH),
    workerUser: text("MATINEE_NGINX_USER", WORD, "www-data"),
    workers: Number(text("MATINEE_NGINX_WORKERS", /^[1-9][0-9]?$/, String(availableParallelism()))),
    nginxPath: text("MATINEE_NGINX_PATH", PATH, "/usr/sbin/nginx"),
    modulesFolder: text("MATINEE_NGINX_MODULES_DIR", PATH, "/usr/lib/nginx/modules"),
    logLevel: text("MATINEE_LOG_LEVEL", WORD, "info"),
    revocationsEveryMs: Number(text("MATINEE_REVOCATIONS_EVERY_MS", /^[1-9][0-9]{1,4}$/, "10000")),
    clockOffsetSeconds: Number(text("MATINEE_NGINX_CLOCK_OFFSET_SECONDS", /^-?[0-9]{1,10}$/, "0")),
  };
  given.refuseFaults("the nginx edge");
  return settings;
}

const PATH = /^[A-Za-z0-9/._-]+$/;
const WORD = /^[A-Za-z0-9_-]+$/;
const BASE = /^https?:\/\/[A-Za-z0-9.:/[\]_-]+$/;
const HEADER = /^[A-Za-z0-9-]+$/;

/** What is no plain word must not come into a configuration file: there a ; or } means something. */
function plain(pattern: RegExp): (value: string) => string {
  return (value) => {
    if (!pattern.test(value)) throw new Error("is not valid");
    return value;
  };
}
