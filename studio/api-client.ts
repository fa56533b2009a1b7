import { retryDelayMs } from "./upload-plan.ts";

/** An answer of the API that is no success: `code` is the stable machine word of the contract. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: { path: string; message: string }[];

  constructor(
    status: number,
    code: string,
    detail: string,
    fields: { path: string; message: string }[] = [],
  ) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

export interface ApiRequest {
  body?: unknown;
  /** Makes a POST that creates something safe to send again. */
  idempotencyKey?: string;
  ifMatch?: string;
  signal?: AbortSignal;
}

export interface Api {
  readonly baseUrl: string;
  readonly token: string;
  /** JSON in and out. Throws ApiProblem; `code` is `unreachable` where nothing answered. */
  call<T>(method: string, path: string, request?: ApiRequest): Promise<T>;
  /** The same, with the ETag of what was answered. */
  callWithEtag<T>(
    method: string,
    path: string,
    request?: ApiRequest,
  ): Promise<{ body: T; etag: string | null }>;
}

const ATTEMPTS = 5;

/** A client of one API for one token. Repeats what may be repeated when the API is busy or away. */
export function openApi(baseUrl: string, token: string): Api {
  const base = baseUrl.replace(/\/+$/, "");
  const callWithEtag = async <T>(method: string, path: string, request: ApiRequest = {}) => {
    for (let attempt = 1; ; attempt++) {
      const answer = await attemptCall(base, token, method, path, request);
      if (!(answer instanceof ApiProblem)) return answer as { body: T; etag: string | null };
      if (!mayRepeat(method, path, request, answer) || attempt >= ATTEMPTS) throw answer;
      await pause(retryDelayMs(attempt, Math.random()), request.signal);
    }
  };
  return {
    baseUrl: base,
    token,
    callWithEtag,
    async call<T>(method: string, path: string, request?: ApiRequest) {
      return (await callWithEtag<T>(method, path, request)).body;
    },
  };
}

async function attemptCall(base: string, token: string, method: string, path: string, request: ApiRequest) {
  const { body, idempotencyKey, ifMatch, signal } = request;
  const headers: Record<string, string> = { Authorization: `Bearer ${token}`, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (idempotencyKey !== undefined) headers["Idempotency-Key"] = idempotencyKey;
  if (ifMatch !== undefined) headers["If-Match"] = ifMatch;
  const text = body === undefined ? null : JSON.stringify(body);
  try {
    const response = await fetch(base + path, { method, headers, body: text, signal: signal ?? null });
    if (!response.ok) return await problemOf(response);
    return {
      body: response.status === 204 ? undefined : await bodyOf(response),
      etag: response.headers.get("ETag"),
    };
  } catch (thrown) {
    signal?.throwIfAborted();
    const problem = new ApiProblem(0, "unreachable", `The server at ${base} does not answer.`);
    problem.cause = thrown;
    return problem;
  }
}

/** 202 answers may come without a body. */
async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

/** RFC 9457 §3: a problem details object, or what a proxy in between made of it. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const fallback = `The server answered ${response.status}.`;
  try {
    const { code, detail, title, errors } = (await response.json()) as Partial<{
      code: string;
      detail: string;
      title: string;
      errors: { path: string; message: string }[];
    }>;
    return new ApiProblem(response.status, code ?? "http_error", detail ?? title ?? fallback, errors ?? []);
  } catch {
    return new ApiProblem(response.status, "http_error", fallback);
  }
}

function mayRepeat(method: string, path: string, request: ApiRequest, problem: ApiProblem): boolean {
  if (problem.status === 429) return true;
  const isPassing = problem.status === 0 || problem.status === 502 || problem.status === 503;
  const isSafe =
    method !== "POST" || request.idempotencyKey !== undefined || /\/(complete|parts)$/.test(path);
  return isPassing && isSafe;
}

/** Waits `ms`; rejects with the signal's reason as soon as it aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(resolve, ms);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}
