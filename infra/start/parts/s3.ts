import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import { obtain, type Recipe } from "../install.ts";
import { LOOPBACK } from "../ports.ts";
import type { PartContext } from "./context.ts";

/** Where the blob store is and who we are to it. */
export interface S3Access {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

export const S3: Recipe = {
  part: "s3",
  setting: "MATINEE_S3_ENDPOINT",
  binaries: ["versitygw"],
  installers: [
    { by: "go", module: "github.com/versity/versitygw/cmd/versitygw@v1.8.0", binary: "versitygw" },
    { by: "brew", package: "versitygw", binary: "versitygw" },
  ],
  advice:
    "there is no versitygw and no go to install it. Install Go 1.25 or newer (https://go.dev/dl), or put versitygw 1.8.0 on PATH, or set MATINEE_S3_ENDPOINT and its keys.",
};

const REGION = "us-east-1";

/** An S3 store that answers: ours, or the one that was set (with MATINEE_S3_ACCESS_KEY_ID and its secret). */
export async function startS3(context: PartContext): Promise<S3Access> {
  const { environment } = context.machine;
  const found = await obtain(S3, context);
  if ("url" in found) {
    return {
      endpoint: found.url,
      accessKeyId: needed(environment, "MATINEE_S3_ACCESS_KEY_ID"),
      secretAccessKey: needed(environment, "MATINEE_S3_SECRET_ACCESS_KEY"),
      region: environment.MATINEE_S3_REGION || REGION,
    };
  }
  const port = context.ports.s3 as number;
  const { s3AccessKeyId, s3SecretAccessKey } = context.secrets;
  const directory = `${context.dataDirectory}/s3`;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const endpoint = `http://${LOOPBACK}:${port}`;
  await context.supervisor.start({
    part: S3.part,
    command: found.program,
    args: [
      ...["--port", `${LOOPBACK}:${port}`, "--health", "/health", "--quiet"],
      // Else it hangs up after each answer, and a film's two hundred calls are as many connections.
      "--keep-alive",
      // It keeps what it knows of an object in extended attributes, and says so and ends where there are none.
      ...["posix", directory],
    ],
    env: { ...environment, ROOT_ACCESS_KEY: s3AccessKeyId, ROOT_SECRET_KEY: s3SecretAccessKey },
    layer: 0,
    stopMs: 10_000,
    check: () => health(`${endpoint}/health`),
  });
  context.report.done(S3.part, `${basename(found.program)} on port ${port}`);
  return { endpoint, accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey, region: REGION };
}

async function health(url: string): Promise<string | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
  await response.arrayBuffer();
  return response.ok ? null : `its health is ${response.status}`;
}

function needed(environment: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`s3: MATINEE_S3_ENDPOINT is set, ${name} is not`);
  return value;
}
