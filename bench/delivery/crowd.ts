import { readFile } from "node:fs/promises";
import type { Product } from "../../test/rig/product.ts";
import { edgeMetrics } from "./edge-metrics.ts";

/** What an edge was asked for, and what of it came from its cache. */
export interface Hits {
  requests: number;
  hits: number;
}

/** The nginx edge, and where it writes down what it was asked for. */
export interface LoggingEdge {
  url: string;
  accessLog: string;
}

/** Each viewer plays the film from its beginning, with a grant of their own, on both edges; nothing is warm. */
export async function watchTogether(
  product: Product,
  nginxEdge: LoggingEdge,
  film: { titleId: string; segments: readonly string[] },
  viewers: number,
): Promise<{ node: Hits; nginx: Hits }> {
  const bases = await Promise.all(Array.from({ length: viewers }, () => openSession(product, film.titleId)));
  const { origin } = bases[0]!;
  const rung = film.segments.filter((path) => path.startsWith(film.segments[0]!.replace(/[^/]+$/, "")));
  const paths = ["main.m3u8", ...rung];
  await play(origin, bases, paths);
  await play(nginxEdge.url, bases, paths);
  return {
    node: await nodeHits(origin),
    nginx: await nginxHits(nginxEdge.accessLog, viewers * paths.length),
  };
}

/** Where a new session finds the film: `/v/<grant>/<asset>/<generation>/` at the Node edge. */
export async function openSession({ call, tokens }: Product, titleId: string): Promise<URL> {
  const { body } = await call("POST", "/v1/playback", { titleId }, tokens.viewer);
  return new URL(body.manifestUrl.replace(/main\.m3u8$/, ""));
}

async function play(origin: string, bases: readonly URL[], paths: readonly string[]): Promise<void> {
  await Promise.all(
    bases.map(async ({ pathname }) => {
      for (const path of paths) {
        const answer = await fetch(`${origin}${pathname}${path}`);
        if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
        await answer.arrayBuffer();
      }
    }),
  );
}

async function nodeHits(origin: string): Promise<Hits> {
  const pattern = /^matinee_delivery_cache_requests_total\{outcome="(\w+)"\} (\d+)/gm;
  const found = { requests: 0, hits: 0 };
  for (const [, outcome, count] of await edgeMetrics(origin, pattern)) {
    found.requests += Number(count);
    if (outcome !== "fetched") found.hits += Number(count);
  }
  return found;
}

async function nginxHits(accessLog: string, asked: number): Promise<Hits> {
  let lines: string[] = [];
  // nginx writes its log a second late.
  while (lines.length < asked) lines = (await readFile(accessLog, "utf8")).trim().split("\n");
  const statuses = lines.map((line) => (JSON.parse(line) as { cache: string }).cache);
  return { requests: statuses.length, hits: statuses.filter((status) => status === "HIT").length };
}
