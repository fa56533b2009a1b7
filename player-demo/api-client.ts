import { type Asked, askApi } from "./ask-api.ts";
import type { ServerClock } from "./server-clock.ts";

/** The viewer's half of the contract. */

export interface Card {
  id: string;
  type: string;
  name: string;
  releaseYear: number | null;
  maturity: string | null;
  durationSeconds: number | null;
  posterUrl: string | null;
  progressRatio?: number;
}

export interface Row {
  id: string;
  name: string;
  titles: Card[];
}

/** A title with all that is told of it; series have seasons, seasons have episodes. */
export interface TitlePage extends Card {
  synopsis?: string | null;
  genres?: string[];
  cast?: string[];
  seasons?: (Card & { episodes: Card[] })[];
  episodes?: Card[];
  chapters?: Chapter[];
  /** What an episode is a part of, the series first. */
  parents?: { id: string; type: string; name: string }[];
  /** The episode behind this one. */
  next?: Card | null;
}

export interface Chapter {
  startSeconds: number;
  name: string;
  kind: "intro" | "recap" | "credits" | null;
}

/** The way to a film, and how long it is open. */
export interface Granted {
  manifestUrl: string;
  expiresAt: string;
  /** By which it is. */
  clock: ServerClock;
}

export interface Playback extends Granted {
  sessionId: string;
  /** Where there are several edges: which to play from. */
  steeringUrl?: string;
  posterUrl: string | null;
  storyboardUrl: string | null;
  resumeAtSeconds: number;
  durationSeconds: number;
  tracks: { id: string; language?: string; role?: string }[];
  /** The ids of those that the account is to hear and read. */
  selected: { audioId: string | null; subtitleId: string | null };
  /** How its media is protected; absent where it is not. */
  protection?: { keySystem: "org.w3.clearkey"; licenseUrl: string };
}

/** Languages by BCP-47 tag, most wanted first. */
export interface TrackPreferences {
  audio: string[];
  subtitles: string[];
  /** Only the lines that the film cannot be followed without. */
  forcedOnly?: boolean;
}

/** How a film is to be opened. */
export interface PlayWish {
  /** Where the account watches on too many screens, the oldest one makes room, or the session of that id. */
  takeover: boolean | string;
  /** For this film, instead of the account's; null: the account's. */
  preferences: TrackPreferences | null;
}

export interface Beacon {
  type: string;
  at: string;
  positionSeconds: number;
  [detail: string]: string | number | boolean | null;
}

export interface ViewerApi {
  /** Whom it asks for. */
  readonly token: string;
  /** From now on it asks for whom that token stands. */
  signIn(token: string): void;
  home(): Promise<Row[]>;
  title(id: string): Promise<TitlePage>;
  /** The best matches first. */
  search(query: string): Promise<Card[]>;
  play(titleId: string, wish: PlayWish): Promise<Playback>;
  /** What the account wants; empty where it never said anything. `deadlineMs`: how long that is worth waiting for. */
  preferences(deadlineMs?: number): Promise<TrackPreferences>;
  /** All of it anew. Survives the page. */
  setPreferences(preferences: TrackPreferences): Promise<void>;
  renew(sessionId: string): Promise<Granted>;
  /** Survives the page: `keepalive` lets the request go out while the tab closes. */
  beacon(sessionId: string, events: Beacon[]): Promise<void>;
  end(sessionId: string): Promise<void>;
  /** The address of a link to the title; null plays it where each viewer left it. */
  share(titleId: string, startSeconds: number | null): Promise<string>;
  /** Says on a request of somebody else's making who asks. It is open already. */
  authorize(request: XMLHttpRequest): void;
}

export function openViewerApi(first: string): ViewerApi {
  let token = first;
  const ask = <T>(method: string, path: string, asked?: Asked) => askApi<T>(token, method, path, asked);
  const call = async <T>(method: string, path: string, asked?: Asked) =>
    (await ask<T>(method, path, asked)).answer;
  const grant = async <T>(path: string, body: object): Promise<T & { clock: ServerClock }> => {
    const { answer, clock } = await ask<T>("POST", path, { body });
    return { ...answer, clock };
  };
  const session = (id: string) => `/v1/playback/${encodeURIComponent(id)}`;
  return {
    get token() {
      return token;
    },
    signIn(next) {
      token = next;
    },
    home: async () => (await call<{ rows: Row[] }>("GET", "/v1/catalog/home")).rows,
    title: (id) => call("GET", `/v1/catalog/titles/${encodeURIComponent(id)}`),
    search: async (query) => {
      const path = `/v1/catalog/search?limit=60&q=${encodeURIComponent(query)}`;
      return (await call<{ data: Card[] }>("GET", path)).data;
    },
    play: (titleId, { takeover, preferences }) =>
      grant("/v1/playback", {
        titleId,
        capabilities: { renews: true },
        ...(takeover === false ? {} : { takeover }),
        ...(preferences === null ? {} : { preferences }),
      }),
    preferences: (deadlineMs) => call("GET", "/v1/me/preferences", { deadlineMs }),
    setPreferences: (preferences) =>
      call("PUT", "/v1/me/preferences", { body: preferences, keepalive: true }),
    renew: (id) => grant(`${session(id)}/renew`, {}),
    beacon: (id, events) => call("POST", `${session(id)}/beacons`, { body: { events }, keepalive: true }),
    end: (id) => call("DELETE", session(id), { keepalive: true }),
    share: async (titleId, startSeconds) => {
      const moment = startSeconds === null ? {} : { startSeconds };
      return (await call<{ url: string }>("POST", "/v1/links", { body: { titleId, ...moment } })).url;
    },
    authorize: (request) => request.setRequestHeader("Authorization", `Bearer ${token}`),
  };
}
