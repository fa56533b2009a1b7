import { setTimeout as pause } from "node:timers/promises";
import type { AnswerTo } from "../../test/rig/api-answers.ts";
import { type FaultLog, named } from "./faults.ts";
import type { Sightings } from "./sightings.ts";

/** An answer, or that there was none. */
export interface Asked<Body> {
  /** 0: no answer came. */
  status: number;
  body: Body;
  etag: string | null;
}

/** What the product should not have answered. */
export interface Complaint {
  at: number;
  what: string;
  /** What was wrong with the product at that time. */
  during: string;
}

export interface Complaints {
  all: Complaint[];
  add(what: string, from?: number): void;
}

export function openComplaints(faults: FaultLog): Complaints {
  const all: Complaint[] = [];
  return {
    all,
    add: (what, from = faults.now()) =>
      all.push({ at: Math.round(from), what, during: named(faults.during(from, faults.now(), 5_000)) }),
  };
}

/** A client of the API: asks whichever of them, and judges what comes back by what was wrong at the time. */
export interface Client {
  /** One request; statuses that are not `wanted` and not the fault of a fault are complained of. */
  once<Method extends string, Path extends string>(
    method: Method,
    path: Path,
    body?: unknown,
    wanted?: readonly number[],
    headers?: Record<string, string>,
  ): Promise<Asked<AnswerTo<Method, Path>>>;
  /** The same again and again until an API has answered, neither with 5xx nor 429; `isRepeated` says that it was asked more than once. */
  insist<Method extends string, Path extends string>(
    method: Method,
    path: Path,
    body?: unknown,
    wanted?: readonly number[],
    headers?: Record<string, string>,
  ): Promise<Asked<AnswerTo<Method, Path>> & { isRepeated: boolean }>;
  /** The first of a stream of events, or that it is refused. */
  listen(path: string, wanted: readonly number[]): Promise<void>;
}

/** How a client is to be had, and who is told of what. */
export interface Post {
  apis: readonly { name: string; url: string }[];
  token: string;
  tenant: string;
  faults: FaultLog;
  complaints: Complaints;
  sightings: Sightings;
}

/** An answer may be late or none for so long after what it needs is well again. */
const GRACE_MS = 3_000;
/** Longer than any request may take with all faults together. */
const LIMIT_MS = 60_000;
const AGAIN_MS = 400;

export function openClient({ apis, token, tenant, faults, complaints, sightings }: Post): Client {
  let turn = 0;
  const note = (what: string, text: string): void => {
    const foreign = sightings.note(tenant, text);
    if (foreign.length > 0) complaints.add(`${what} told ${tenant} of ${foreign.slice(0, 3)}`);
  };
  const ask = async <Body>(what: string, url: string, request: RequestInit): Promise<Asked<Body>> => {
    try {
      const response = await fetch(url, {
        ...request,
        // Share links are followed by nobody here.
        redirect: "manual",
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      const text = await response.text();
      note(what, text);
      return { status: response.status, body: parsed(text), etag: response.headers.get("etag") };
    } catch (thrown) {
      const cause =
        thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : String(thrown);
      return { status: 0, body: cause as Body, etag: null };
    }
  };
  const once = async <Method extends string, Path extends string>(
    method: Method,
    path: Path,
    body?: unknown,
    wanted: readonly number[] = [200],
    headers: Record<string, string> = {},
  ): Promise<Asked<AnswerTo<Method, Path>>> => {
    const api = apis[turn++ % apis.length]!;
    const from = faults.now();
    const answer = await ask<AnswerTo<Method, Path>>(`${method} ${path}`, api.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!wanted.includes(answer.status) && !isExcused(answer.status, answer.body.code, api.name, from))
      complaints.add(`${method} ${path} at ${api.name}: ${answer.status} ${short(answer.body)}`, from);
    return answer;
  };
  const isExcused = (status: number, code: string | undefined, api: string, from: number): boolean => {
    // Whoever did it before us may have died.
    if (code === "idempotency_in_progress") return true;
    if (status === 0) return faults.during(from, faults.now(), GRACE_MS, [api]).length > 0;
    return status === 503 && faults.during(from, faults.now(), GRACE_MS, ["mongo", "s3", api]).length > 0;
  };
  return {
    once,
    async listen(path, wanted) {
      const api = apis[turn++ % apis.length]!;
      const from = faults.now();
      const leaving = new AbortController();
      const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(LIMIT_MS)]);
      const answer = await fetch(api.url + path, { headers: { authorization: `Bearer ${token}` }, signal })
        .then(async ({ status, body }) => ({ status, body: await firstEvent(body) }))
        .catch((thrown: unknown) => ({ status: 0, body: String(thrown) }));
      leaving.abort();
      note(`GET ${path}`, answer.body);
      if (!wanted.includes(answer.status) && !isExcused(answer.status, undefined, api.name, from))
        complaints.add(`GET ${path} at ${api.name}: ${answer.status} ${short(answer.body)}`, from);
    },
    async insist(method, path, ...more) {
      for (let tries = 0; ; tries++) {
        const answer = await once(method, path, ...more);
        const isOpen = answer.body.code === "idempotency_in_progress";
        if (answer.status !== 0 && answer.status < 500 && answer.status !== 429 && !isOpen)
          return { ...answer, isRepeated: tries > 0 };
        await pause(AGAIN_MS);
      }
    },
  };
}

/** As much of a stream as its first event, or all of what is none. */
async function firstEvent(body: ReadableStream<Uint8Array> | null): Promise<string> {
  let text = "";
  for await (const piece of body ?? []) {
    text += Buffer.from(piece).toString("utf8");
    if (/^data:.*\n(.+\n)*\n/m.test(text)) break;
  }
  return text;
}

/** Taken for what it should be: whoever asked looks at the status first. */
function parsed<Body>(text: string): Body {
  try {
    return JSON.parse(text);
  } catch {
    return text as Body;
  }
}

function short(body: unknown): string {
  return (typeof body === "string" ? body : JSON.stringify(body)).slice(0, 200);
}
