import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EncodingChoice } from "../../core/encoding.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { type Library, openLibrary } from "../../stores/library/connect.ts";
import type { AnswerTo } from "./api-answers.ts";
import { untilAskedAgain } from "./asking.ts";

/**
 * The product's own processes (API, edge, transcoders) against the test run's real MongoDB, Redis and S3, with a
 * database, buckets, a queue prefix and a scratch folder of this rig's own. Tests talk to it as clients do.
 */
export interface Product {
  apiUrl: string;
  deliveryUrl: string;
  tokens: { viewer: string; editor: string; admin: string };
  environment: Record<string, string>;
  library: Library;
  workers: ChildProcess[];
  /** Those started so far; the first listens at `apiUrl`. */
  apis: ChildProcess[];
  /** The edges, by their numbers from 0 at 127.0.0.1, 127.0.0.2 and so on. */
  edges: ChildProcess[];
  /** Starts one more transcoder and resolves once it works. */
  addWorker(environment?: Record<string, string>): Promise<ChildProcess>;
  /** Starts one more API and resolves once it listens, at `apiUrl` where nobody does any more. */
  addApi(): Promise<ChildProcess>;
  call<Method extends string, Path extends string>(
    method: Method,
    path: Path,
    body?: unknown,
    token?: string,
    headers?: Record<string, string>,
  ): Promise<Answer<AnswerTo<Method, Path>>>;
  /** Uploads a file through presigned parts and completes it: the asset's id. */
  upload(bytes: Uint8Array, options?: UploadOptions): Promise<string>;
  uploadFile(path: string): Promise<string>;
  /** The asset once `wanted` holds for it. Throws with its present state after `withinSeconds`. */
  until(
    assetId: string,
    wanted: (asset: AssetRecord) => boolean,
    withinSeconds?: number,
  ): Promise<AssetRecord>;
  stop(): Promise<void>;
}

/** What is said of an upload: how it is to be encoded, whose master it is, or a track of whom. */
export interface UploadOptions {
  filename?: string;
  sha256?: string;
  encoding?: EncodingChoice;
  assetId?: string;
  track?: object;
}

export interface Answer<Body> {
  status: number;
  body: Body;
  headers: Headers;
}

/** Ends each process of the product with this one. */
const LIFELINE = new URL("lifeline.ts", import.meta.url).href;
const ROLES = ["viewer", "editor", "admin"] as const;

/** Starts the product. `workers` transcoders (default 1) of `slots` slots (default 2), and `edges` edges (default 1). */
export async function startProduct(
  options: { workers?: number; slots?: number; edges?: number; environment?: Record<string, string> } = {},
): Promise<Product> {
  const name = `t${randomBytes(5).toString("hex")}`;
  const scratch = await mkdtemp(join(tmpdir(), "matinee-scratch-"));
  const tokens = Object.fromEntries(
    ROLES.map((role) => [role, `mk_${randomBytes(32).toString("hex")}`]),
  ) as Product["tokens"];
  const [apiPort, deliveryPort] = [await freePort(), await freePort()];
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const deliveryUrl = `http://127.0.0.1:${deliveryPort}`;
  const edgeHosts = Array.from({ length: options.edges ?? 1 }, (_, index) => `127.0.0.${index + 1}`);
  const environment = environmentOf(name, scratch, tokens, apiUrl, deliveryUrl, {
    slots: options.slots ?? 2,
    ...options,
    environment: {
      ...(edgeHosts.length > 1
        ? { MATINEE_DELIVERY_URLS: edgeHosts.map((host) => `http://${host}:${deliveryPort}`).join() }
        : {}),
      ...options.environment,
    },
  });
  const children: ChildProcess[] = [];
  const start = async (main: string, extra: Record<string, string>, sign: string): Promise<ChildProcess> => {
    const child = spawn(process.execPath, ["--import", LIFELINE, main], {
      env: { ...environment, ...extra },
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    children.push(child);
    await lineWith(child, sign, main);
    return child;
  };
  const addWorker: Product["addWorker"] = async (extra = {}) => {
    const worker = await start("transcoder/main.ts", extra, "transcoder started");
    workers.push(worker);
    return worker;
  };
  const workers: ChildProcess[] = [];
  const library = await openLibrary(environment.MATINEE_MONGO_URL!);
  const apis: ChildProcess[] = [];
  const addApi: Product["addApi"] = async () => {
    const port = apis.some(isRunning) ? await freePort() : apiPort;
    const api = await start("api/main.ts", { MATINEE_HTTP_PORT: String(port) }, "listening");
    apis.push(api);
    return api;
  };
  await addApi();
  const edges: ChildProcess[] = [];
  for (const host of edgeHosts) {
    const place = { MATINEE_HTTP_HOST: host, MATINEE_HTTP_PORT: String(deliveryPort) };
    edges.push(await start("delivery/main.ts", { ...place, MATINEE_STEERING_URL: apiUrl }, "listening"));
  }
  for (let index = 0; index < (options.workers ?? 1); index++) await addWorker();

  const call = callerOf(apiUrl, tokens.editor);
  const product: Product = {
    apiUrl,
    deliveryUrl,
    tokens,
    environment,
    library,
    workers,
    apis,
    edges,
    addWorker,
    addApi,
    call,
    upload: (bytes, uploadOptions) => upload(call, bytes, uploadOptions),
    uploadFile: async (path) => upload(call, await readFile(path), {}),
    until: (assetId, wanted, withinSeconds = 300) => until(library, assetId, wanted, withinSeconds),
    async stop() {
      for (const child of children) if (isRunning(child)) child.kill("SIGKILL");
      await Promise.all(children.map((child) => (isRunning(child) ? once(child, "exit") : null)));
      await library.close();
      await rm(scratch, { recursive: true, force: true });
    },
  };
  return product;
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Asks the API at that address, as an editor unless told otherwise. */
export function callerOf(apiUrl: string, editor: string): Product["call"] {
  return async (method, path, body, token = editor, headers = {}) => {
    const response = await fetch(path.startsWith("http") ? path : apiUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text), headers: response.headers };
  };
}

/** What the processes of one product are told: where everything is, and names of their own in it. */
export function environmentOf(
  name: string,
  scratch: string,
  tokens: Product["tokens"],
  apiUrl: string,
  deliveryUrl: string,
  options: { slots: number; environment?: Record<string, string> },
): Record<string, string> {
  const given = (variable: string, otherwise: string): string => process.env[variable] ?? otherwise;
  const mongo = new URL(given("MATINEE_MONGO_URL", "mongodb://127.0.0.1:37017/"));
  mongo.pathname = `/${name}`;
  const bootKeys = ROLES.map((role) => ({
    role,
    tenant: "default",
    subject: `${role}-1`,
    sha256: createHash("sha256").update(tokens[role]).digest("hex"),
  }));
  return {
    PATH: given("PATH", ""),
    ...(process.env.NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE } : {}),
    MATINEE_MONGO_URL: mongo.href,
    MATINEE_REDIS_URL: given("MATINEE_REDIS_URL", "redis://127.0.0.1:36379"),
    MATINEE_REDIS_PREFIX: name,
    MATINEE_S3_ENDPOINT: given("MATINEE_S3_ENDPOINT", "http://127.0.0.1:39000"),
    MATINEE_S3_REGION: given("MATINEE_S3_REGION", "us-east-1"),
    MATINEE_S3_ACCESS_KEY_ID: given("MATINEE_S3_ACCESS_KEY_ID", "dev"),
    MATINEE_S3_SECRET_ACCESS_KEY: given("MATINEE_S3_SECRET_ACCESS_KEY", "devsecret"),
    MATINEE_S3_SOURCE_BUCKET: `${name}-sources`,
    MATINEE_S3_MEDIA_BUCKET: `${name}-media`,
    MATINEE_API_URL: apiUrl,
    MATINEE_DELIVERY_URL: deliveryUrl,
    MATINEE_CORS_ORIGINS: apiUrl,
    MATINEE_GRANT_KEYS: `k1:${randomBytes(32).toString("hex")}`,
    MATINEE_MASTER_KEYS: `m1:${randomBytes(32).toString("hex")}`,
    MATINEE_BOOT_KEYS: JSON.stringify(bootKeys),
    MATINEE_SCRATCH_DIR: scratch,
    MATINEE_BWRAP_PATH: given("MATINEE_BWRAP_PATH", "/usr/bin/bwrap"),
    MATINEE_WORKER_SLOTS: String(options.slots),
    MATINEE_VMAF: given("MATINEE_VMAF", "off"),
    MATINEE_VMAF_FFMPEG_PATH: given("MATINEE_VMAF_FFMPEG_PATH", ""),
    ...options.environment,
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function lineWith(child: ChildProcess, sign: string, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const log: string[] = [];
    createInterface({ input: child.stdout! }).on("line", (line) => {
      if (log.length < 50) log.push(line);
      if (process.env.MATINEE_TEST_LOGS) console.error(line);
      if (line.includes(sign)) resolve();
    });
    child.once("exit", (code) =>
      reject(new Error(`${what} ended with ${code} before it was ready:\n${log.join("\n")}`)),
    );
  });
}

/** Taken for what it should be: whoever asked looks at it. */
function parsed<Body>(text: string): Body {
  try {
    return JSON.parse(text === "" ? "null" : text);
  } catch {
    return text as Body;
  }
}

/** Uploads a file through presigned parts and completes it, by any API that `call` asks: the asset's id. */
export async function upload(
  call: Product["call"],
  bytes: Uint8Array,
  options: UploadOptions = {},
): Promise<string> {
  const opened = await call("POST", "/v1/uploads", {
    filename: "film.mp4",
    sizeBytes: bytes.length,
    ...options,
  });
  if (opened.status !== 201) throw new Error(`upload refused: ${JSON.stringify(opened.body)}`);
  const { id, assetId, partSizeBytes, partCount } = opened.body;
  for (let partNumber = 1; partNumber <= partCount; partNumber++) {
    const part = bytes.subarray((partNumber - 1) * partSizeBytes, partNumber * partSizeBytes);
    const sha256 = createHash("sha256").update(part).digest("base64");
    const signed = await call("POST", `/v1/uploads/${id}/parts`, { parts: [{ partNumber, sha256 }] });
    const { url, headers } = signed.body.parts[0]!;
    const put = await fetch(url, { method: "PUT", headers, body: new Uint8Array(part) });
    if (!put.ok) throw new Error(`part refused: ${put.status} ${await put.text()}`);
  }
  const completed = await call("POST", `/v1/uploads/${id}/complete`, {});
  if (completed.status !== 202) throw new Error(`not completed: ${JSON.stringify(completed.body)}`);
  return assetId;
}

async function until(
  library: Library,
  assetId: string,
  wanted: (asset: AssetRecord) => boolean,
  withinSeconds: number,
): Promise<AssetRecord> {
  const deadline = performance.now() + withinSeconds * 1000;
  for (;;) {
    const askedAtMs = performance.now();
    const asset = await library.assets.findOne({ _id: assetId });
    if (asset !== null && wanted(asset)) return asset;
    if (performance.now() > deadline) {
      const tasks = await library.tasks.find({ assetId }).toArray();
      const seen = tasks.map(
        (task) =>
          `${task.kind}.${task.chunk} ${task.state} deaths ${task.deaths} failures ${task.failures} ${task.error?.message ?? ""}`,
      );
      throw new Error(
        `${assetId} is ${asset?.state} (${asset?.error?.code}: ${asset?.error?.message}) after ${withinSeconds} s\n${seen.join("\n")}`,
      );
    }
    await untilAskedAgain(askedAtMs);
  }
}
