import { ApiProblem, type OtherStream } from "./api-problem.ts";
import { ServerClock, thisMoment } from "./server-clock.ts";

export interface Asked {
  body?: unknown;
  /** Goes out also while the tab closes. */
  keepalive?: boolean;
}

/** What was answered, and the time that it was at the server. */
export interface Answer<T> {
  answer: T;
  clock: ServerClock;
}

/** Asks the API that the page came from: JSON in and out. Throws `ApiProblem`. */
export async function askApi<T>(
  token: string,
  method: string,
  path: string,
  { body, keepalive = false }: Asked = {},
): Promise<Answer<T>> {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${token}`,
    "Accept-Language": navigator.language,
  };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const content = body === undefined ? null : JSON.stringify(body);
  const askedAt = thisMoment();
  const response = await fetch(path, { method, headers, body: content, keepalive }).catch(() => {
    throw new ApiProblem(0, "unreachable");
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok)
    return { answer: answer as T, clock: new ServerClock(response.headers.get("Date"), askedAt) };
  const { code = "http_error", streams } = (answer ?? {}) as { code?: string; streams?: OtherStream[] };
  throw new ApiProblem(response.status, code, streams);
}
