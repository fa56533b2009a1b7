import type { ClientData } from "../core/cmcd.ts";
import type { EdgeRow } from "../core/edge-report.ts";
import { NO_LINE } from "../core/figures.ts";
import type { Metrics } from "./metrics.ts";

/**
 * A segment of a picture in a package: asset, generation, rung. It is noted before anybody looks whether there is such a
 * one, so names are no longer than ours: the API refuses a whole report for one row that cannot be.
 */
const PICTURE = /^\/([a-z0-9_-]{1,100})\/([a-z0-9_-]{1,100})\/video\/([a-z0-9-]{1,40})\/[0-9]{5}\.m4s$/;
/** Rungs of packages from countries at once: some megabytes at most, while the API is away. */
const MAX_ROWS = 5_000;

/** What players say of themselves, added up until it is taken. */
export interface ClientCounts {
  /** One request for `path` (canonical), and what came with it. Only segments of pictures count. */
  note(path: string, country: string, said: ClientData): void;
  /** Up to `limit` rows, which are not here any more. */
  take(limit: number): EdgeRow[];
}

export function openClientCounts(
  metrics: Pick<Metrics, "clientRequests" | "clientThroughput">,
): ClientCounts {
  const rows = new Map<string, EdgeRow>();
  return {
    note(path, country, said) {
      const [, assetId, generation, renditionId] = PICTURE.exec(path) ?? [];
      if (assetId === undefined || generation === undefined || renditionId === undefined) return;
      metrics.clientRequests.inc({ outcome: said.hasStarved ? "starved" : "fed" });
      if (said.throughputKbps !== null) metrics.clientThroughput.observe(said.throughputKbps * 1000);
      const key = `${assetId}/${generation}/${renditionId}/${country}`;
      const known = rows.get(key);
      if (known === undefined && rows.size >= MAX_ROWS) {
        metrics.clientRequests.inc({ outcome: "dropped" });
        return;
      }
      rows.set(key, added(known ?? { assetId, generation, renditionId, country, ...NO_LINE }, said));
    },
    take(limit) {
      const taken = [...rows].slice(0, limit);
      for (const [key] of taken) rows.delete(key);
      return taken.map(([, row]) => row);
    },
  };
}

function added(row: EdgeRow, said: ClientData): EdgeRow {
  const counted = (value: number | null) => (value === null ? 0 : 1);
  return {
    ...row,
    requests: row.requests + 1,
    starved: row.starved + (said.hasStarved ? 1 : 0),
    encodedKbps: row.encodedKbps + (said.encodedKbps ?? 0),
    encodedSamples: row.encodedSamples + counted(said.encodedKbps),
    bufferMs: row.bufferMs + (said.bufferMs ?? 0),
    bufferSamples: row.bufferSamples + counted(said.bufferMs),
    throughputKbps: row.throughputKbps + (said.throughputKbps ?? 0),
    throughputSamples: row.throughputSamples + counted(said.throughputKbps),
  };
}
