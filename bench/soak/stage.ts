import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { environmentOf, freePort } from "../../test/rig/product.ts";
import { openWire, type Wire } from "../../test/rig/wire.ts";
import type { Fleet } from "./fleet.ts";
import { type OwnRedis, startOwnRedis } from "./redis-server.ts";

/** The outer parts of one product, with wires that can go wrong, and its settings. */
export interface Stage {
  redis: OwnRedis;
  mongo: Wire;
  s3: Wire;
  environment: Record<string, string>;
  /** The token of an account (`viewer-…`, `editor-…`, `admin-…`) of that tenant. */
  token(tenant: string, subject: string): string;
  apis: { name: string; url: string }[];
  /** Names of the edges by their hosts. */
  edges: Map<string, string>;
  scratchFolders: string[];
  /** Starts two APIs, the edges (of which the last is nginx, if there is one) and three workers of one slot. */
  start(fleet: Fleet): Promise<void>;
  close(): Promise<void>;
}

const WORKERS = 3;
/** As Debian has them. */
const NGINX = "/usr/sbin/nginx";
const NGINX_SCRIPTS = "/usr/lib/nginx/modules/ngx_http_js_module.so";

/** Somebody with a key; the same subject in two tenants is two people. */
export interface Account {
  tenant: string;
  subject: string;
}

/** Sets the stage for these accounts; all that the product keeps on disk is in `folder`. */
export async function setStage(folder: string, accounts: readonly Account[]): Promise<Stage> {
  const redis = await startOwnRedis();
  const mongoUrl = new URL(process.env.MATINEE_MONGO_URL ?? "mongodb://127.0.0.1:37017/");
  const s3Url = new URL(process.env.MATINEE_S3_ENDPOINT ?? "http://127.0.0.1:39000");
  const mongo = await openWire({ host: mongoUrl.hostname, port: Number(mongoUrl.port) });
  const s3 = await openWire({ host: s3Url.hostname, port: Number(s3Url.port) });
  const name = `soak${randomBytes(4).toString("hex")}`;
  // Else it would go on at the address that the server says of itself.
  Object.assign(mongoUrl, {
    port: String(mongo.port),
    pathname: `/${name}`,
    search: "directConnection=true",
  });
  const tokens = new Map(
    accounts.map(({ tenant, subject }) => [`${subject}@${tenant}`, `mk_${randomBytes(32).toString("hex")}`]),
  );
  const token = (tenant: string, subject: string): string => tokens.get(`${subject}@${tenant}`) ?? "";
  const bootKeys = accounts.map(({ tenant, subject }) => ({
    ...{ role: subject.split("-")[0], tenant, subject },
    sha256: createHash("sha256").update(token(tenant, subject)).digest("hex"),
  }));
  const port = await freePort();
  const urls = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`] as const;
  const nginx = existsSync(NGINX) && existsSync(NGINX_SCRIPTS) ? "127.0.0.3" : null;
  // Previews go by the first.
  const hosts = ["127.0.0.1", "127.0.0.2", ...(nginx === null ? [] : [nginx])];
  const environment = {
    ...environmentOf(
      name,
      folder,
      { viewer: "", editor: "", admin: "" },
      urls[0],
      `http://127.0.0.1:${port}`,
      {
        slots: 1,
      },
    ),
    MATINEE_MONGO_URL: mongoUrl.href,
    MATINEE_REDIS_URL: redis.url,
    MATINEE_S3_ENDPOINT: `http://127.0.0.1:${s3.port}`,
    MATINEE_DELIVERY_URLS: hosts.map((host) => `http://${host}:${port}`).join(),
    MATINEE_WEBHOOK_NETWORKS: "127.0.0.0/8",
    MATINEE_PULL_INGEST: "on",
    MATINEE_PULL_NETWORKS: "127.0.0.0/8",
    MATINEE_VMAF: "off",
    MATINEE_BOOT_KEYS: JSON.stringify(bootKeys),
  };
  const apis = urls.map((url, index) => ({ name: `api-${index}`, url }));
  const edges = new Map(hosts.map((host, index) => [host, `edge-${index}`]));
  const scratchFolders = Array.from({ length: WORKERS }, (_, index) => join(folder, `scratch-${index}`));
  return {
    ...{ redis, mongo, s3, environment, token, apis, edges, scratchFolders },
    async start(fleet) {
      for (const { name: api, url } of apis) {
        const place = { MATINEE_HTTP_PORT: new URL(url).port };
        await fleet.add(api, "api", "api/main.ts", '"listening"', { ...environment, ...place });
      }
      for (const [host, edge] of edges) {
        const place = { MATINEE_HTTP_HOST: host, MATINEE_HTTP_PORT: String(port) };
        const own = { MATINEE_STEERING_URL: urls[0], MATINEE_EDGE_CACHE_DIR: join(folder, edge) };
        const settings = { ...environment, ...place, ...own };
        if (host === nginx)
          await fleet.add(edge, "edge", "infra/nginx/main.ts", "nginx started", {
            ...settings,
            MATINEE_NGINX_PATH: NGINX,
            MATINEE_NGINX_STATE_DIR: join(folder, "nginx"),
            MATINEE_NGINX_USER: userInfo().username,
            MATINEE_NGINX_WORKERS: "1",
          });
        else await fleet.add(edge, "edge", "delivery/main.ts", "listening", settings);
      }
      for (const [index, scratch] of scratchFolders.entries()) {
        mkdirSync(scratch);
        const own = { MATINEE_SCRATCH_DIR: scratch };
        const sign = '"transcoder started"';
        await fleet.add(`worker-${index}`, "worker", "transcoder/main.ts", sign, { ...environment, ...own });
      }
    },
    async close() {
      await redis.close();
      for (const wire of [mongo, s3]) wire.close();
    },
  };
}
