import { z } from "zod";
import { parseMasterKeys } from "../core/content-key.ts";
import { type Edge, parseEdges } from "../core/edges.ts";
import { type GrantKeySettings, grantKeySettings } from "../core/grant-key-settings.ts";
import type { NamedKey } from "../core/named-keys.ts";
import { type Network, parseNetworks } from "../core/public-address.ts";
import type { Role } from "../core/records/account.ts";
import { Settings } from "../core/settings.ts";
import type { BlobsConfig } from "../stores/blobs.ts";
import { GRANT_LIMITS, type GrantLimit } from "./asker.ts";

/** How JWT access tokens are checked. */
interface JwtSettings {
  jwksUrl: string;
  issuer: string;
  audience: string;
}

/** An API key that every boot makes known: what stands in the environment is its hash, never the token. */
export interface BootKey {
  role: Role;
  tenant: string;
  subject: string;
  sha256: string;
}

export interface ApiConfig extends GrantKeySettings {
  http: { host: string; port: number };
  publicUrl: string | null;
  /** The page that share links lead to. */
  playerUrl: string;
  /** Of the first edge: what is given where nobody in particular is to be sent somewhere. */
  deliveryUrl: string;
  /** At least one. */
  edges: Edge[];
  /** Header by which a proxy before us says the viewer's country; null where none does. */
  countryHeader: string | null;
  /** The same of the viewer's address; null where nothing stands before us. */
  addressHeader: string | null;
  /** What of a viewer their grants are bound to. */
  grantLimits: readonly GrantLimit[];
  /** The Node edge, which has a preview's cells made when they are asked for. */
  previewUrl: string;
  mongoUrl: string;
  queue: { url: string; prefix: string };
  blobs: BlobsConfig;
  /** The first seals the keys of protected assets, all open them; none: nothing can be protected. */
  masterKeys: NamedKey[];
  bootKeys: BootKey[];
  jwt: JwtSettings | null;
  corsOrigins: string[];
  pagesDir: string | null;
  logLevel: string;
  uploads: UploadLimits;
  /** Whether masters are fetched from where editors say, and from which networks beside the public internet; null: no. */
  pull: { networks: Network[] } | null;
  /** Superseded generations of each asset that stay to be gone back to. */
  keepGenerations: number;
  /** How many sessions of one account may play at once; 0 is any number. */
  streamsPerAccount: number;
  /** Where webhooks may be delivered beside the public internet; by plain http too where there are any. */
  webhooks: { networks: Network[] };
  /** Requests a minute, per account and, for requests without a good token, per socket address. */
  rates: { perAccount: number; perStranger: number };
}

export interface UploadLimits {
  maxOpenPerAccount: number;
  /** How long an upload may stay open, and how long one presigned part URL is good. */
  openSeconds: number;
  partUrlSeconds: number;
}

/** Names of a tenant: also a segment of object keys, so plain characters only. */
export const TENANT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

const bootKeys = z.array(
  z.strictObject({
    role: z.enum(["viewer", "editor", "admin"]),
    tenant: z.string().regex(TENANT),
    subject: z.string().min(1).max(200),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
);

/** Reads the settings; throws one Error that names every setting at fault, and never a secret's value. */
export function readApiConfig(env: Record<string, string | undefined>): ApiConfig {
  const settings = new Settings(env);
  const endpoint = settings.url("MATINEE_S3_ENDPOINT");
  const edges = edgesOf(settings);
  const deliveryUrl = edges[0]?.url ?? "";
  // Read in any case: a slip in it should not wait until it is switched on.
  const pull = { networks: settings.optional("MATINEE_PULL_NETWORKS", parseNetworks, []) };
  const config: ApiConfig = {
    http: {
      host: settings.text("MATINEE_HTTP_HOST", "127.0.0.1"),
      port: settings.whole("MATINEE_HTTP_PORT", 8080, 0, 65_535),
    },
    publicUrl: settings.optionalUrl("MATINEE_API_URL"),
    // The player that we serve ourselves, wherever we are reached.
    playerUrl: settings.pageUrl("MATINEE_PLAYER_URL") ?? "/player/",
    deliveryUrl,
    edges,
    countryHeader: settings.headerName("MATINEE_COUNTRY_HEADER"),
    addressHeader: settings.headerName("MATINEE_CLIENT_ADDRESS_HEADER"),
    grantLimits: settings.optional("MATINEE_GRANT_LIMITS", parseGrantLimits, []),
    previewUrl: settings.optionalUrl("MATINEE_PREVIEW_URL") ?? deliveryUrl,
    mongoUrl: settings.text("MATINEE_MONGO_URL"),
    queue: {
      url: settings.text("MATINEE_REDIS_URL"),
      prefix: settings.text("MATINEE_REDIS_PREFIX", "matinee"),
    },
    blobs: {
      endpoint,
      publicEndpoint: settings.optionalUrl("MATINEE_S3_PUBLIC_ENDPOINT") ?? endpoint,
      region: settings.text("MATINEE_S3_REGION", "us-east-1"),
      accessKeyId: settings.text("MATINEE_S3_ACCESS_KEY_ID"),
      secretAccessKey: settings.text("MATINEE_S3_SECRET_ACCESS_KEY"),
      sourceBucket: settings.text("MATINEE_S3_SOURCE_BUCKET"),
      mediaBucket: settings.text("MATINEE_S3_MEDIA_BUCKET"),
    },
    ...grantKeySettings(settings),
    masterKeys: settings.optional("MATINEE_MASTER_KEYS", parseMasterKeys, []),
    bootKeys: settings.optional("MATINEE_BOOT_KEYS", parseBootKeys, []),
    jwt: jwtOf(settings),
    corsOrigins: settings.optional("MATINEE_CORS_ORIGINS", parseOrigins, []),
    pagesDir: settings.given("MATINEE_PAGES_DIR"),
    logLevel: settings.text("MATINEE_LOG_LEVEL", "info"),
    uploads: {
      maxOpenPerAccount: settings.whole("MATINEE_MAX_OPEN_UPLOADS", 50, 1, 100_000),
      openSeconds: settings.whole("MATINEE_UPLOAD_SECONDS", 7 * 86_400, 60, 30 * 86_400),
      // RELIABILITY §4.15: expiry of a presigned URL ≤15 min, signed again on demand.
      partUrlSeconds: settings.whole("MATINEE_PART_URL_SECONDS", 900, 10, 900),
    },
    pull: settings.oneOf("MATINEE_PULL_INGEST", ["off", "on"]) === "on" ? pull : null,
    keepGenerations: settings.whole("MATINEE_KEEP_GENERATIONS", 3, 0, 1_000),
    streamsPerAccount: settings.whole("MATINEE_STREAMS_PER_ACCOUNT", 0, 0, 1_000),
    webhooks: { networks: settings.optional("MATINEE_WEBHOOK_NETWORKS", parseNetworks, []) },
    rates: {
      perAccount: settings.whole("MATINEE_RATE_PER_ACCOUNT", 60_000, 1, 10_000_000),
      perStranger: settings.whole("MATINEE_RATE_PER_STRANGER", 300, 1, 10_000_000),
    },
  };
  settings.refuseFaults("the API");
  return config;
}

/** By commas. Throws on another word. */
function parseGrantLimits(text: string): readonly GrantLimit[] {
  return text.split(",").map((word) => {
    const limit = GRANT_LIMITS.find((known) => known === word.trim());
    if (limit === undefined) throw new Error(`may name ${GRANT_LIMITS.join(", ")}, by commas`);
    return limit;
  });
}

/** Several, or the one of an installation that has no more. */
function edgesOf(settings: Settings): Edge[] {
  const name = settings.given("MATINEE_DELIVERY_URLS") ? "MATINEE_DELIVERY_URLS" : "MATINEE_DELIVERY_URL";
  return settings.parsed(name, parseEdges, []);
}

/** All three or none: a token whose issuer or audience nobody checks is not a token. */
function jwtOf(settings: Settings): JwtSettings | null {
  if (settings.given("MATINEE_JWKS_URL") === null) return null;
  return {
    jwksUrl: settings.url("MATINEE_JWKS_URL"),
    issuer: settings.text("MATINEE_JWT_ISSUER"),
    audience: settings.text("MATINEE_JWT_AUDIENCE"),
  };
}

function parseOrigins(text: string): string[] {
  return text
    .split(",")
    .map((origin) => origin.trim().replace(/\/$/, ""))
    .filter((origin) => origin !== "");
}

function parseBootKeys(text: string): BootKey[] {
  const parsed = bootKeys.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error("not a list of {role, tenant, subject, sha256}");
  return parsed.data;
}
