/** The viewer's half of the contract over fetch. */

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

export interface Playback {
  sessionId: string;
  manifestUrl: string;
  /** Where there are several edges: which to play from. */
  steeringUrl?: string;
  posterUrl: string | null;
  storyboardUrl: string | null;
  expiresAt: string;
  resumeAtSeconds: number;
  durationSeconds: number;
  /** How its media is protected; absent where it is not. */
  protection?: { keySystem: "org.w3.clearkey"; licenseUrl: string };
}

export interface Beacon {
  type: string;
  at: string;
  positionSeconds: number;
  [detail: string]: string | number | boolean | null;
}

/** What an account watches on another screen. */
export interface OtherStream {
  title: string;
  startedAt: string;
}

/** An answer that is no success; status 0 and `unreachable` where nothing answered. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  /** Of `too_many_streams`: what plays elsewhere. */
  readonly streams: readonly OtherStream[];

  constructor(status: number, code: string, streams: readonly OtherStream[] = []) {
    super(`${status} ${code}`);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.streams = streams;
  }
}

export interface ViewerApi {
  home(): Promise<Row[]>;
  title(id: string): Promise<TitlePage>;
  /** The best matches first. */
  search(query: string): Promise<Card[]>;
  /** `takeover`: where the account watches on too many screens, the oldest one makes room, or the session of that id. */
  play(titleId: string, takeover: boolean | string): Promise<Playback>;
  renew(sessionId: string): Promise<{ manifestUrl: string; expiresAt: string }>;
  /** Survives the page: `keepalive` lets the request go out while the tab closes. */
  beacon(sessionId: string, events: Beacon[]): Promise<void>;
  end(sessionId: string): Promise<void>;
  /** The address of a link to the title; null plays it where each viewer left it. */
  share(titleId: string, startSeconds: number | null): Promise<string>;
  /** Says on a request of somebody else's making who asks. It is open already. */
  authorize(request: XMLHttpRequest): void;
}

export function openViewerApi(token: string): ViewerApi {
  const call = async <T>(method: string, path: string, body?: unknown, keepalive = false): Promise<T> => {
    const headers: Record<string, string> = {
      Authorization: `Bearer ${token}`,
      "Accept-Language": navigator.language,
    };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const content = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(path, { method, headers, body: content, keepalive }).catch(() => {
      throw new ApiProblem(0, "unreachable");
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer as T;
    const { code = "http_error", streams } = (answer ?? {}) as { code?: string; streams?: OtherStream[] };
    throw new ApiProblem(response.status, code, streams);
  };
  const session = (id: string) => `/v1/playback/${encodeURIComponent(id)}`;
  return {
    home: async () => (await call<{ rows: Row[] }>("GET", "/v1/catalog/home")).rows,
    title: (id) => call("GET", `/v1/catalog/titles/${encodeURIComponent(id)}`),
    search: async (query) => {
      const path = `/v1/catalog/search?limit=60&q=${encodeURIComponent(query)}`;
      return (await call<{ data: Card[] }>("GET", path)).data;
    },
    play: (titleId, takeover) =>
      call("POST", "/v1/playback", {
        titleId,
        capabilities: { renews: true },
        ...(takeover === false ? {} : { takeover }),
      }),
    renew: (id) => call("POST", `${session(id)}/renew`, {}),
    beacon: (id, events) => call("POST", `${session(id)}/beacons`, { events }, true),
    end: (id) => call("DELETE", session(id), undefined, true),
    share: async (titleId, startSeconds) => {
      const moment = startSeconds === null ? {} : { startSeconds };
      return (await call<{ url: string }>("POST", "/v1/links", { titleId, ...moment })).url;
    },
    authorize: (request) => request.setRequestHeader("Authorization", `Bearer ${token}`),
  };
}
