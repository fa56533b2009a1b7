import { availableParallelism } from "node:os";
import { parseMasterKeys } from "../core/content-key.ts";
import type { NamedKey } from "../core/named-keys.ts";
import { DEFAULT_PLAN_SETTINGS } from "../core/plan.ts";
import { parseNetworks } from "../core/public-address.ts";
import { MAX_PULLED_BYTES } from "../core/pull-parts.ts";
import { Settings } from "../core/settings.ts";
import type { BlobsConfig } from "../stores/blobs.ts";
import { DEFAULT_RESIDENT_BYTES } from "./launch.ts";
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
  const settings = new Settings(environment);
  // Read in any case: a slip in it should not wait until it is switched on.
  const pull = {
    networks: settings.optional("MATINEE_PULL_NETWORKS", parseNetworks, []),
    maxBytes: Math.min(MAX_PULLED_BYTES, settings.whole("MATINEE_PULL_MAX_BYTES", MAX_PULLED_BYTES, 1)),
    slots: settings.whole("MATINEE_PULL_SLOTS", 2, 1),
    pace: {
      leastBps: settings.whole("MATINEE_PULL_LEAST_BPS", 1_000_000, 0),
      graceSeconds: settings.whole("MATINEE_PULL_GRACE_SECONDS", 60, 1),
      // The largest master that is taken comes at 50 Mbit/s in it.
      mostSeconds: settings.whole("MATINEE_PULL_SECONDS", 86_400, 1),
    },
  };
  const endpoint = settings.url("MATINEE_S3_ENDPOINT");
  const config: TranscoderConfig = {
    mongoUrl: settings.text("MATINEE_MONGO_URL"),
    redis: {
      url: settings.text("MATINEE_REDIS_URL"),
      prefix: settings.text("MATINEE_REDIS_PREFIX", "matinee"),
    },
    blobs: {
      endpoint,
      publicEndpoint: settings.optionalUrl("MATINEE_S3_PUBLIC_ENDPOINT") ?? endpoint,
      region: settings.text("MATINEE_S3_REGION", "us-east-1"),
      accessKeyId: settings.text("MATINEE_S3_ACCESS_KEY_ID"),
      secretAccessKey: settings.text("MATINEE_S3_SECRET_ACCESS_KEY"),
      sourceBucket: settings.text("MATINEE_S3_SOURCE_BUCKET", "matinee-sources"),
      mediaBucket: settings.text("MATINEE_S3_MEDIA_BUCKET", "matinee-media"),
    },
    scratch: {
      directory: settings.text("MATINEE_SCRATCH_DIR"),
      limitBytes: settings.whole("MATINEE_SCRATCH_LIMIT_BYTES", 100 * 2 ** 30, 2 ** 20),
    },
    slots: settings.whole("MATINEE_WORKER_SLOTS", availableParallelism(), 1),
    memoryBytes: settings.whole("MATINEE_WORKER_MEMORY_BYTES", machineMemoryBytes(), 512 * 2 ** 20),
    tools: {
      ffmpegPath: settings.text("MATINEE_FFMPEG_PATH", "/usr/bin/ffmpeg"),
      ffprobePath: settings.text("MATINEE_FFPROBE_PATH", "/usr/bin/ffprobe"),
      bwrapPath: settings.given("MATINEE_BWRAP_PATH"),
      scorerPath: settings.given("MATINEE_VMAF_FFMPEG_PATH"),
      memoryGroupFolder: settings.given("MATINEE_MEMORY_CGROUP"),
      residentBytes: settings.whole("MATINEE_ENCODE_MEMORY_BYTES", DEFAULT_RESIDENT_BYTES, 2 ** 20),
    },
    scoresVmaf: settings.oneOf("MATINEE_VMAF", ["sample", "off"]) === "sample",
    loudnessTargetLufs: settings.optional(
      "MATINEE_LOUDNESS_LUFS",
      parseLoudness,
      DEFAULT_PLAN_SETTINGS.loudnessTargetLufs,
    ),
    masterKeys: settings.optional("MATINEE_MASTER_KEYS", parseMasterKeys, []),
    pull: settings.oneOf("MATINEE_PULL_INGEST", ["off", "on"]) === "on" ? pull : null,
    allowUnsandboxed: settings.given("MATINEE_ALLOW_UNSANDBOXED") === "yes",
    http: {
      host: settings.text("MATINEE_HTTP_HOST", "127.0.0.1"),
      port: settings.whole("MATINEE_WORKER_HTTP_PORT", 0, 0),
    },
    logLevel: settings.text("MATINEE_LOG_LEVEL", "info"),
  };
  settings.refuseFaults("the transcoder");
  return config;
}

/** LUFS; null where it says `off`. */
function parseLoudness(text: string): number | null {
  if (text === "off") return null;
  if (!(Number(text) >= -31 && Number(text) <= -10))
    throw new Error("must be off or a number from -31 to -10");
  return Number(text);
}
