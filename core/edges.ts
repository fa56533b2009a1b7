import { REGIONS, type Region, regionOf } from "./regions.ts";

/** One edge of several with the same behaviour and the same grant keys. */
export interface Edge {
  /** Public base, without a slash at its end: what stands before `/v/`. */
  url: string;
  /** By this alone edges differ, and players know them. */
  hostname: string;
  /** Whose viewers are at home there. */
  countries: readonly string[];
  /** Where it is: as said, and where its countries are. */
  regions: ReadonlySet<Region>;
}

/** A steering manifest names every one of them, and each is asked every few seconds whether it is well. */
const MOST_EDGES = 16;

/**
 * `URL [COUNTRY|region …], URL …`: edges, the first one the default. Throws where one is no http(s) URL, is named twice
 * or has another scheme, port or path than the first: a player that is sent elsewhere changes the host and nothing else
 * (8216bis 7.2, URI-REPLACEMENT).
 */
export function parseEdges(text: string): Edge[] {
  const entries = text.split(",").map((entry) => entry.trim().split(/\s+/));
  if (entries.length > MOST_EDGES) throw new Error(`at most ${MOST_EDGES} edges`);
  const edges = entries.map(([url = "", ...labels]) => parseEdge(url, labels));
  const [first] = edges as [Edge];
  for (const edge of edges) {
    if (pattern(edge) !== pattern(first))
      throw new Error(`${edge.url} and ${first.url} must have one scheme, port and path`);
    if (edges.some((other) => other !== edge && other.hostname === edge.hostname))
      throw new Error(`${edge.hostname} stands there twice`);
  }
  return edges;
}

function parseEdge(text: string, labels: readonly string[]): Edge {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search || url.hash)
    throw new Error(`"${text}" is not an http(s) URL`);
  const countries = labels.filter((label) => /^[A-Z]{2}$/.test(label));
  const regions = labels.filter((label): label is Region => REGIONS.some((region) => region === label));
  const strange = labels.find((label) => !countries.includes(label) && !regions.some((one) => one === label));
  if (strange !== undefined)
    throw new Error(`"${strange}" is neither a country's code nor one of ${REGIONS.join(", ")}`);
  return {
    url: text.replace(/\/+$/, ""),
    hostname: url.hostname,
    countries,
    regions: new Set([...regions, ...countries.flatMap((country) => regionOf(country) ?? [])]),
  };
}

/** What all edges must have in common. */
function pattern({ url }: Edge): string {
  const { protocol, port, pathname } = new URL(url);
  return `${protocol}//*:${port}${pathname}`;
}

/** How far a viewer is from an edge: 0 at home there, 1 in its part of the world, 2 elsewhere or nobody knows where. */
export function distance({ countries, regions }: Edge, country: string | null): 0 | 1 | 2 {
  if (country === null) return 2;
  if (countries.includes(country)) return 0;
  const region = regionOf(country);
  return region !== null && regions.has(region) ? 1 : 2;
}
