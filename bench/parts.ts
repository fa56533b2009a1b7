import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../infra/start/install.ts";
import { findMediaTools } from "../infra/start/parts/media-tools.ts";
import { startMongo } from "../infra/start/parts/mongo.ts";
import { startRedis } from "../infra/start/parts/redis.ts";
import { startS3 } from "../infra/start/parts/s3.ts";
import { holdFreePorts } from "../infra/start/ports.ts";
import { openReport } from "../infra/start/report.ts";
import { makeSecrets } from "../infra/start/secrets.ts";
import { openState } from "../infra/start/state.ts";
import { createSupervisor } from "../infra/start/supervise.ts";

export interface Parts {
  /** Where the parts are, in the names that every service reads. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

/** Starts the outer parts, real ones, in a temporary folder that `stop` removes. */
export async function startParts(signal: AbortSignal): Promise<Parts> {
  const folder = mkdtempSync(join(tmpdir(), "matinee-bench-"));
  const report = openReport(process.stderr);
  const machine = thisMachine(process.env);
  const state = openState(join(folder, "state.json"));
  const ports = await holdFreePorts(["mongodb", "redis", "s3"]);
  const supervisor = createSupervisor({ logDirectory: join(folder, "logs"), state, report, ports, signal });
  const bench = { machine, report, signal };
  const context = {
    ...bench,
    supervisor,
    secrets: makeSecrets(),
    ports: ports.numbers,
    dataDirectory: folder,
  };
  const stop = async (): Promise<void> => {
    await supervisor.stopAll();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [mongoUrl, redisUrl, s3, tools] = await Promise.all([
      startMongo(context),
      startRedis(context),
      startS3(context),
      findMediaTools(bench),
    ]);
    const environment = {
      MATINEE_MONGO_URL: mongoUrl,
      MATINEE_REDIS_URL: redisUrl,
      MATINEE_S3_ENDPOINT: s3.endpoint,
      MATINEE_S3_ACCESS_KEY_ID: s3.accessKeyId,
      MATINEE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      MATINEE_S3_REGION: s3.region,
      MATINEE_FFMPEG_PATH: tools.ffmpegPath,
      MATINEE_FFPROBE_PATH: tools.ffprobePath,
      MATINEE_BWRAP_PATH: tools.bwrapPath ?? "",
      MATINEE_VMAF_FFMPEG_PATH: tools.scorerPath ?? "",
    };
    return { environment, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
