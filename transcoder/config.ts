import { availableParallelism } from "node:os";
import { parseMasterKeys } from "../core/content-key.ts";
import type { NamedKey } from "../core/named-keys.ts";
import { DEFAULT_PLAN_SETTINGS } from "../core/plan.ts";
import { type Network, parseNetworks } from "../core/public-address.ts";
import { MAX_PULLED_BYTES } from "../core/pull-parts.ts";
import type { BlobsConfig } from "../stores/blobs.ts";
import { DEFAULT_RESIDENT_BYTES } from "./launcher.ts";
import { machineMemoryBytes } from "./machine-memory.ts";
import type { PullSettings } from "./task-context.ts";

export interface TranscoderConfig {
  mongoUrl: string;
  redis: { url: string; prefix: string };
  blobs: BlobsConfig;
  scratch: { directory: string; limitBytes: number };
  /** Tasks at once: one single-threaded encode per core. */
  slots: number;
  /** What this worker and all that it runs may hold in memory. */
  memoryBytes: number;
  tools: {
    ffmpegPath: string;
    ffprobePath: string;
    bwrapPath: string | null;
    scorerPath: string | null;
    /** A control group set aside for encoders; null: in the worker's own, where that can be done. */
    memoryGroupFolder: string | null;
    /** What one encode may hold in memory. */
    residentBytes: number;
  };
  /** Whether VMAF is taken of samples; SSIM always is. */
  scoresVmaf: boolean;
  /** What sound is brought to; null leaves it as it is. */
  loudnessTargetLufs: number | null;
  /** The first seals the keys of protected assets, all open them; none: nothing can be protected. */
  masterKeys: NamedKey[];
  /** Where masters may be fetched from beside the public internet, how large and how many at once; null: none are. */
  pull: (PullSettings & { slots: number }) | null;
  /** Run though the sandbox does not hold; readiness then says so loudly. */
  allowUnsandboxed: boolean;
  http: { host: string; port: number };
  logLevel: string;
}

/** Typed settings from the environment. Throws one Error that names every missing or malformed setting. */
export function readConfig(environment: Record<string, string | undefined>): TranscoderConfig {
  const problems: string[] = [];
  const text = (name: string, otherwise?: string): string => {
    const value = environment[name] ?? otherwise;
    if (value === undefined || value === "") problems.push(`${name} is not set`);
    return value ?? "";
  };
  const count = (name: string, otherwise: number, least: number): number => {
    const value = Number(environment[name] ?? otherwise);
    if (!Number.isSafeInteger(value) || value < least)
      problems.push(`${name} must be a whole number of at least ${least}`);
    return value;
  };
  const loudness = (name: string): number | null => {
    const value = environment[name] ?? String(DEFAULT_PLAN_SETTINGS.loudnessTargetLufs);
    if (value === "off") return null;
    if (!(Number(value) >= -31 && Number(value) <= -10))
      problems.push(`${name} must be off or a number from -31 to -10`);
    return Number(value);
  };
  const oneOf = (name: string, words: readonly [string, ...string[]]): string => {
    const value = environment[name] || words[0];
    if (!words.includes(value)) problems.push(`${name} must be ${words.join(" or ")}`);
    return value;
  };
  const masterKeys = (name: string): NamedKey[] => {
    try {
      return environment[name] ? parseMasterKeys(environment[name]) : [];
    } catch (thrown) {
      // It names the key, and nothing of its secret.
      problems.push(`${name}: ${(thrown as Error).message}`);
      return [];
    }
  };
  const networks = (name: string): Network[] => {
    try {
      return parseNetworks(environment[name] ?? "");
    } catch (thrown) {
      problems.push(`${name}: ${(thrown as Error).message}`);
      return [];
    }
  };
  // Read in any case: a slip in it should not wait until it is switched on.
  const pull = {
    networks: networks("MATINEE_PULL_NETWORKS"),
    maxBytes: Math.min(MAX_PULLED_BYTES, count("MATINEE_PULL_MAX_BYTES", MAX_PULLED_BYTES, 1)),
    slots: count("MATINEE_PULL_SLOTS", 2, 1),
  };
  const endpoint = text("MATINEE_S3_ENDPOINT");
  const config: TranscoderConfig = {
    mongoUrl: text("MATINEE_MONGO_URL"),
    redis: { url: text("MATINEE_REDIS_URL"), prefix: text("MATINEE_REDIS_PREFIX", "matinee") },
    blobs: {
      endpoint,
      publicEndpoint: text("MATINEE_S3_PUBLIC_ENDPOINT", endpoint),
      region: text("MATINEE_S3_REGION", "us-east-1"),
      accessKeyId: text("MATINEE_S3_ACCESS_KEY_ID"),
      secretAccessKey: text("MATINEE_S3_SECRET_ACCESS_KEY"),
      sourceBucket: text("MATINEE_S3_SOURCE_BUCKET", "matinee-sources"),
      mediaBucket: text("MATINEE_S3_MEDIA_BUCKET", "matinee-media"),
    },
    scratch: {
      directory: text("MATINEE_SCRATCH_DIR"),
      limitBytes: count("MATINEE_SCRATCH_LIMIT_BYTES", 100 * 2 ** 30, 2 ** 20),
    },
    slots: count("MATINEE_WORKER_SLOTS", availableParallelism(), 1),
    memoryBytes: count("MATINEE_WORKER_MEMORY_BYTES", machineMemoryBytes(), 512 * 2 ** 20),
    tools: {
      ffmpegPath: text("MATINEE_FFMPEG_PATH", "/usr/bin/ffmpeg"),
      ffprobePath: text("MATINEE_FFPROBE_PATH", "/usr/bin/ffprobe"),
      bwrapPath: environment.MATINEE_BWRAP_PATH || null,
      scorerPath: environment.MATINEE_VMAF_FFMPEG_PATH || null,
      memoryGroupFolder: environment.MATINEE_MEMORY_CGROUP || null,
      residentBytes: count("MATINEE_ENCODE_MEMORY_BYTES", DEFAULT_RESIDENT_BYTES, 2 ** 20),
    },
    scoresVmaf: oneOf("MATINEE_VMAF", ["sample", "off"]) === "sample",
    loudnessTargetLufs: loudness("MATINEE_LOUDNESS_LUFS"),
    masterKeys: masterKeys("MATINEE_MASTER_KEYS"),
    pull: oneOf("MATINEE_PULL_INGEST", ["off", "on"]) === "on" ? pull : null,
    allowUnsandboxed: environment.MATINEE_ALLOW_UNSANDBOXED === "yes",
    http: { host: text("MATINEE_HTTP_HOST", "127.0.0.1"), port: count("MATINEE_WORKER_HTTP_PORT", 0, 0) },
    logLevel: text("MATINEE_LOG_LEVEL", "info"),
  };
  if (problems.length > 0) throw new Error(`The transcoder cannot start: ${problems.join("; ")}.`);
  return config;
}
