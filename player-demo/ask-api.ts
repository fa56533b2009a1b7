import { ApiProblem, type OtherStream } from "./api-problem.ts";
import { ServerClock, thisMoment } from "./server-clock.ts";

/** The API answers within a second or two; who has waited so long hears nothing any more. */
const DEADLINE_MS = 15_000;

export interface Asked {
  body?: unknown;
  /** Goes out also while the tab closes. */
  keepalive?: boolean;
  /** The whole answer has come by then, or none has. */
  deadlineMs?: number;
}

/** What was answered, and the time that it was at the server. */
export interface Answer<T> {
  answer: T;
  clock: ServerClock;
}

/**
 * Asks the API that the page came from: JSON in and out. Throws `ApiProblem`, `unreachable` also where no whole answer came
 * in time: what waits for this one must not wait for ever.
 */
export async function askApi<T>(
  token: string,
  method: string,
  path: string,
  { body, keepalive = false, deadlineMs = DEADLINE_MS }: Asked = {},
): Promise<Answer<T>> {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${token}`,
    "Accept-Language": navigator.language,
  };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const content = body === undefined ? null : JSON.stringify(body);
  const askedAt = thisMoment();
  const signal = AbortSignal.timeout(deadlineMs);
  const { response, said } = await wholeAnswer(path, { method, headers, body: content, keepalive, signal });
  const answer = parsed(said);
  if (response.ok)
    return { answer: answer as T, clock: new ServerClock(response.headers.get("Date"), askedAt) };
  const { code = "http_error", streams } = (answer ?? {}) as { code?: string; streams?: OtherStream[] };
  throw new ApiProblem(response.status, code, streams);
}

async function wholeAnswer(path: string, asked: RequestInit): Promise<{ response: Response; said: string }> {
  try {
    const response = await fetch(path, asked);
    return { response, said: await response.text() };
  } catch {
    throw new ApiProblem(0, "unreachable");
  }
}

/** undefined where there is none, or what a proxy says for people. */
function parsed(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}
