import { createHash } from "node:crypto";
import { distance, type Edge } from "./edges.ts";

/** How an edge is, as it was last heard. */
export interface EdgeState {
  isUp: boolean;
  /** What is taken of what it can take, 0 to 1; null where it does not say. */
  load: number | null;
}

/** Who is to be sent to an edge. */
export interface SteeredViewer {
  session: string;
  /** Capital ISO 3166-1 alpha-2 code; null where nobody knows. */
  country: string | null;
  /** The edge that they play from now; null where they do not play yet. */
  hostname: string | null;
}

/** From here on an edge gets nobody more, as long as another one has room. */
const FULL = 0.85;

/** Whether players need not look again soon. */
export function isCalm({ isUp, load }: EdgeState): boolean {
  return isUp && hasRoom(load);
}

function hasRoom(load: number | null): boolean {
  return (load ?? 0) < FULL;
}

/**
 * All edges, the best one for this viewer first: one that is up, has room, is near, in this order. Among equals a viewer
 * stays where they are, since moving costs a cold cache and gains nothing; who comes new is put by their session, so that
 * viewers spread evenly. Where none is up all are as good as up: then it is we who do not see them.
 */
export function rankEdges(
  edges: readonly Edge[],
  stateOf: (edge: Edge) => EdgeState,
  { session, country, hostname }: SteeredViewer,
): Edge[] {
  if (edges.length < 2) return [...edges];
  const places = edges.map((edge) => {
    const { isUp, load } = stateOf(edge);
    const rank = [
      isUp ? 0 : 1,
      hasRoom(load) ? 0 : 1,
      distance(edge, country),
      edge.hostname === hostname ? 0 : 1,
      lot(session, edge),
    ];
    return { edge, rank };
  });
  const order = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((decided, value, index) => decided || value - (b[index] ?? 0), 0);
  return places.sort((a, b) => order(a.rank, b.rank)).map(({ edge }) => edge);
}

/** A number from 0 to 1 that each session draws anew for each edge: one edge less moves its own viewers and no others. */
function lot(session: string, { hostname }: Edge): number {
  return createHash("sha256").update(`${session}\n${hostname}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** The pathway of whoever's master or MPD was read from this edge (8216bis 4.4.2.2: what it is called where unnamed). */
export const OWN_PATHWAY = ".";
/** Beside the master of each package. Not an object: an edge sends who asks for it to the API. */
export const STEERING_NAME = "steering.json";
/** 8216bis 7.2. Long while all is well, since players find a dead edge themselves; short while something is amiss. */
const CALM_SECONDS = 120;
const TROUBLED_SECONDS = 20;

/** A steering manifest (8216bis 7.2; ETSI TS 103 998 has the same for DASH). */
export interface SteeringManifest {
  VERSION: 1;
  TTL: number;
  "RELOAD-URI": string;
  "PATHWAY-PRIORITY": string[];
  "PATHWAY-CLONES": { "BASE-ID": string; ID: string; "URI-REPLACEMENT": { HOST: string } }[];
}

/**
 * Where to play from, best first. `own` is the hostname that the viewer's master came from: it is their own pathway,
 * every other edge a clone of it, as playlists are the same on all and name their parts relatively.
 */
export function steeringManifest(input: {
  ranked: readonly Edge[];
  /** null where the viewer's manifest names every edge itself, as MPDs do. */
  own: string | null;
  isCalm: boolean;
  reloadUri: string;
}): SteeringManifest {
  const { ranked, own } = input;
  const others = own === null ? [] : ranked.filter(({ hostname }) => hostname !== own);
  return {
    VERSION: 1,
    TTL: input.isCalm ? CALM_SECONDS : TROUBLED_SECONDS,
    "RELOAD-URI": input.reloadUri,
    "PATHWAY-PRIORITY": ranked.map(({ hostname }) => (hostname === own ? OWN_PATHWAY : pathwayOf(hostname))),
    "PATHWAY-CLONES": others.map(({ hostname }) => ({
      "BASE-ID": OWN_PATHWAY,
      ID: pathwayOf(hostname),
      "URI-REPLACEMENT": { HOST: hostname },
    })),
  };
}

/** The hostname of the edge that a player says it plays from; null where it names none of them. */
export function playingFrom(
  edges: readonly Edge[],
  own: string | null,
  pathway: string | undefined,
): string | null {
  if (pathway === undefined || pathway === OWN_PATHWAY) return own;
  return edges.find(({ hostname }) => pathwayOf(hostname) === pathway)?.hostname ?? null;
}

/** 8216bis 4.4.6.6: letters, digits, dots, dashes and underscores. An IPv6 address has more. */
export function pathwayOf(hostname: string): string {
  return hostname.replace(/[^A-Za-z0-9._-]/g, "_");
}
