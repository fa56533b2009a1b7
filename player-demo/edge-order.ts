/** What of a steering manifest (8216bis 7.2) is read here. */
export interface SteeringAnswer {
  TTL?: number;
  "PATHWAY-PRIORITY"?: string[];
  "PATHWAY-CLONES"?: { "BASE-ID": string; ID: string; "URI-REPLACEMENT": { HOST?: string } }[];
}

/** The pathway of the edge that the master was read from. */
const OWN_PATHWAY = ".";
/** So long an edge that failed is asked last. */
const PENALTY_MS = 30_000;

/** Hostnames of the edges, best first; `own` is where the master came from. */
export function edgeOrder(answer: SteeringAnswer, own: string): string[] {
  const clones = new Map(
    (answer["PATHWAY-CLONES"] ?? []).map((clone) => [clone.ID, clone["URI-REPLACEMENT"].HOST]),
  );
  return (answer["PATHWAY-PRIORITY"] ?? []).flatMap((id) =>
    id === OWN_PATHWAY ? [own] : (clones.get(id) ?? []),
  );
}

/** The first that has not failed of late; where all have, the one that failed the longest ago. */
export function chooseEdge(
  order: readonly string[],
  failedMs: ReadonlyMap<string, number>,
  nowMs: number,
): string | null {
  const sinceMs = (host: string): number => nowMs - (failedMs.get(host) ?? Number.NEGATIVE_INFINITY);
  const sound = order.find((host) => sinceMs(host) > PENALTY_MS);
  return sound ?? order.toSorted((a, b) => sinceMs(b) - sinceMs(a))[0] ?? null;
}

/** The same address at another host; the port and all else stay (8216bis 7.2, HOST). */
export function withHost(url: string, hostname: string): string {
  const moved = new URL(url);
  moved.hostname = hostname;
  return moved.href;
}
