import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NginxSettings } from "./settings.ts";

/** Every certificate authority that the system trusts, where Debian and Alpine keep them. */
const AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

const WORKER_CONNECTIONS = 8_192;

/** A write for each request is a cost that shows beside sending it; lines of the last second are lost with a worker. */
const LOG_BUFFER = "buffer=64k flush=1s";

/** The configuration of nginx for these settings; `codeFolder` is where edge.js and grant.js lie side by side. */
export function renderNginx(settings: NginxSettings, codeFolder: string, isRoot: boolean): string {
  const { blobs, tls, corsOrigins } = settings;
  const store = new URL(blobs.endpoint);
  const isSecure = store.protocol === "https:";
  const any = corsOrigins.includes("*");
  const fillings: Record<string, string> = {
    USER: isRoot ? `user ${settings.workerUser};` : "",
    WORKERS: String(settings.workers),
    WORKER_CONNECTIONS: String(WORKER_CONNECTIONS),
    MOST_CONNECTIONS: String(settings.workers * WORKER_CONNECTIONS),
    STATE: settings.stateFolder,
    MODULES: settings.modulesFolder,
    CODE: codeFolder,
    ACCESS_LOG: settings.accessLog === null ? "off" : `${settings.accessLog} media ${LOG_BUFFER}`,
    ANY_ORIGIN: any ? "*" : "",
    ORIGINS: corsOrigins
      .filter((origin) => origin !== "*")
      .map((origin) => `    "${origin}" "${origin}";`)
      .join("\n"),
    VARY: any ? "" : "Origin",
    AND_VARY: any ? "" : ", Origin",
    CACHE: settings.cacheFolder,
    CACHE_BYTES: String(settings.cacheBytes),
    STORE: `${store.hostname}:${store.port || (isSecure ? 443 : 80)}`,
    STORE_HOST: store.host,
    SCHEME: isSecure ? "https" : "http",
    BUCKET: blobs.mediaBucket,
    STORE_TLS: isSecure ? storeTls(store.hostname) : "",
    LISTEN: tls === null ? settings.listen : `${settings.listen} ssl http2`,
    TLS: tls === null ? "" : ownTls(tls),
    STEERING: settings.steeringUrl === null ? "" : steering(settings.steeringUrl),
    CLOCK_OFFSET_SECONDS: String(settings.clockOffsetSeconds),
    ADDRESS: settings.addressHeader === null ? "$remote_addr" : variableOf(settings.addressHeader),
    COUNTRY: settings.countryHeader === null ? '""' : variableOf(settings.countryHeader),
  };
  const read = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");
  const whole = read("nginx.conf.template").replaceAll("@FROM_STORE@\n", () => read("from-store.conf"));
  return whole.replace(/@([A-Z_]+)@/g, (_, name: string) => {
    const filling = fillings[name];
    if (filling === undefined) throw new Error(`nothing fills @${name}@`);
    return filling;
  });
}

function variableOf(header: string): string {
  return `$http_${header.replaceAll("-", "_")}`;
}

/** The question which edge to play from goes to the API, with the grant and the name by which the viewer knows us. */
function steering(url: string): string {
  return `      if ($media_path ~ ^/[^/]+/[^/]+/steering\\.json$) { return 307 ${url}/steering$uri?edge=$host&$args; }`;
}

function ownTls({ certFile, keyFile }: { certFile: string; keyFile: string }): string {
  return `    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;`;
}

function storeTls(hostname: string): string {
  return `      proxy_ssl_server_name on;
      proxy_ssl_name ${hostname};
      proxy_ssl_verify on;
      proxy_ssl_verify_depth 4;
      proxy_ssl_trusted_certificate ${AUTHORITIES};`;
}
