import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { CrowdedSessions } from "../../core/crowded-sessions.ts";
import { type GrantKey, parseGrantKeys, signGrant } from "../../core/grant.ts";
import { newId } from "../../core/ids.ts";
import { createDelivery, type DeliveryApp } from "../../delivery/app.ts";
import { type CacheSettings, openCachedSource } from "../../delivery/cache/cached-source.ts";
import { type ClientCounts, openClientCounts } from "../../delivery/client-counts.ts";
import type { TlsFiles } from "../../delivery/listener.ts";
import type { TrustedHeaders } from "../../delivery/media.ts";
import { openMetrics } from "../../delivery/metrics.ts";
import { storeSource } from "../../delivery/object-source.ts";
import { type Blobs, openBlobs } from "../../stores/blobs.ts";
import { openLog } from "../../stores/log.ts";
import { type RevocationWatch, watchRevocations } from "../../stores/revocation-watch.ts";
import { s3ForTest } from "../stores/s3-for-test.ts";

export const PAGE = "http://player.test";
export const NOW = 1_900_000_000;
export const PLAYLIST = "#EXTM3U\n#EXT-X-VERSION:7\n".repeat(40);

/** First bytes of ranges behind the end of the test's segment: within its first slice, far beyond it, and beyond what numbers hold. */
export const BEHIND = ["200000", "9000000000", "9007199254740993", "9".repeat(22)];

/** An edge over the real store, on a port of its own, with a clock that the test sets. */
export interface Edge {
  url: string;
  app: DeliveryApp;
  blobs: Blobs;
  key: GrantKey;
  /** The keys it takes, which a test may change as an operator would. */
  grantKeys: GrantKey[];
  revocations: RevocationWatch;
  hasCache: boolean;
  counts: ClientCounts;
  clock: { nowSeconds: number };
  /** Lines of its log. */
  lines: string[];
  metric(name: string): Promise<number>;
  grant(prefix: string, expiresAtSeconds?: number, key?: GrantKey): string;
  close(): Promise<void>;
}

export async function openEdge(
  name: string,
  options: {
    s3Endpoint?: string;
    corsOrigins?: string[];
    cache?: CacheSettings;
    tls?: TlsFiles;
    trustedHeaders?: TrustedHeaders;
    steeringUrl?: string;
    crowds?: CrowdedSessions;
    maxConnections?: number;
    /** Any free one unless said. */
    port?: number;
  } = {},
): Promise<Edge> {
  const s3 = s3ForTest(name);
  const blobs = openBlobs({ ...s3, endpoint: options.s3Endpoint ?? s3.endpoint });
  const lines: string[] = [];
  const clock = { nowSeconds: NOW };
  const metrics = openMetrics();
  const grantKeys = parseGrantKeys(
    `new:${randomBytes(32).toString("hex")},old:${randomBytes(32).toString("hex")}`,
  );
  const log = openLog({ name: "edge", level: "info", destination: { write: (line) => lines.push(line) } });
  const { cache: settings } = options;
  const cache = settings === undefined ? null : await openCachedSource({ blobs, settings, metrics, log });
  const revocations = await watchRevocations({
    blobs,
    log,
    folder: settings?.folder,
    onList: ({ assets }) => cache?.forget((key) => assets.has(key.slice(0, key.indexOf("/")))),
  });
  const counts = openClientCounts(metrics);
  const app = createDelivery({
    blobs,
    counts,
    crowds: options.crowds ?? null,
    source: cache ?? storeSource(blobs),
    grantKeys: () => grantKeys,
    revocations: revocations.list,
    corsOrigins: options.corsOrigins ?? [PAGE],
    trustedHeaders: options.trustedHeaders ?? { address: null, country: null },
    steeringUrl: options.steeringUrl ?? null,
    maxConnections: options.maxConnections ?? 200,
    tls: options.tls ?? null,
    state: {
      cacheWorks: () => (cache === null ? null : !cache.isResting()),
      revocationsAgeSeconds: revocations.ageSeconds,
    },
    metrics,
    log,
    nowSeconds: () => clock.nowSeconds,
  });
  app.server.listen(options.port ?? 0, "127.0.0.1");
  await once(app.server, "listening");
  const [signer] = grantKeys as [GrantKey, GrantKey];
  return {
    url: `http${options.tls ? "s" : ""}://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    app,
    blobs,
    key: signer,
    grantKeys,
    revocations,
    hasCache: cache !== null,
    counts,
    clock,
    lines,
    metric: async (metric) => {
      const line = (await metrics.registry.metrics()).split("\n").find((one) => one.startsWith(`${metric} `));
      return Number(line?.split(" ")[1]);
    },
    grant: (prefix, expiresAtSeconds = NOW + 300, key = signer) =>
      signGrant(key, { prefix, expiresAtSeconds, session: "ps_test" }),
    close: async () => {
      await app.stop(0);
      revocations.close();
      blobs.close();
    },
  };
}

/** Buckets of the test, and one object of every class of a package; answers its prefix and what is in it. */
export async function storePackage(
  name: string,
  prefix = `/${newId("as")}/${randomBytes(8).toString("hex")}/`,
): Promise<{ prefix: string; objects: Map<string, Buffer> }> {
  const blobs = openBlobs(s3ForTest(name));
  await blobs.ensureBuckets({ corsOrigins: [] });
  const objects = new Map<string, Buffer>();
  for (const path of [
    "main.m3u8",
    "main.mpd",
    "video/360p/media.m3u8",
    "video/360p/iframes.m3u8",
    "audio/a0/media.m3u8",
  ]) {
    objects.set(path, Buffer.from(PLAYLIST));
  }
  for (const path of [
    "video/360p/init.mp4",
    "video/360p/00000.m4s",
    "audio/a0/init.mp4",
    "audio/a0/00000.m4s",
  ]) {
    objects.set(path, randomBytes(200_000));
  }
  objects.set("text/en/00000.vtt", Buffer.from("WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"));
  objects.set("images/poster.jpg", randomBytes(5_000));
  for (const [path, body] of objects) {
    const packed = /\.(m3u8|mpd|vtt)$/.test(path);
    await blobs.put("media", `${prefix.slice(1)}${path}`, packed ? gzipSync(body) : body, {
      // Wrong on purpose: what the store says of a type must not reach a client (RELIABILITY T12).
      contentType: "text/html",
      ...(packed ? { contentEncoding: "gzip" } : {}),
    });
  }
  blobs.close();
  return { prefix, objects };
}
