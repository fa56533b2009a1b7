import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Product } from "../../test/rig/product.ts";

/** One edge, and all that viewers ask it for. */
export interface Stall {
  product: Product;
  titleId: string;
  /** Base of the edge's addresses. */
  origin: string;
  /** Below the film's prefix. */
  paths: readonly string[];
  /** Of each object the digest of the body that came first, from whichever edge. */
  digests: Map<string, string>;
}

/** What a crowd was answered. */
export interface Answers {
  requests: number;
  /** What was no 200, by what it was. */
  failures: Map<string, number>;
  wrongBodies: number;
  slowestMs: number;
  renewals: number;
  failedRenewals: number;
  slowestRenewalMs: number;
}

/** Between one request and the next: all objects within some seconds, and the machine is not this crowd's alone. */
const PACE_MS = 100;
/** Each time another grant, which an edge has not judged yet. */
const RENEW_EVERY_MS = 5_000;
const LONGEST_ANSWER_MS = 30_000;

/** As many viewers as there are tokens, each with a session of their own, ask in turn for everything, for so many seconds. */
export async function askForAll(stall: Stall, tokens: readonly string[], seconds: number): Promise<Answers> {
  const answers = noAnswers();
  const until = performance.now() + seconds * 1_000;
  const sessions = await Promise.all(tokens.map((token) => open(stall, token)));
  await Promise.all(
    sessions.map(async ({ sessionId, base: opened, token }, viewer) => {
      let base = opened;
      let renewAt = performance.now() + (RENEW_EVERY_MS * (viewer + 1)) / tokens.length;
      // Each begins elsewhere, so that no object rests for long.
      let at = Math.floor((stall.paths.length * viewer) / tokens.length);
      while (performance.now() < until) {
        await ask(stall, base, stall.paths[at++ % stall.paths.length]!, answers);
        if (performance.now() >= renewAt) {
          base = (await renew(stall, sessionId, token, answers)) ?? base;
          renewAt = performance.now() + RENEW_EVERY_MS;
        }
        await pause(PACE_MS);
      }
    }),
  );
  return answers;
}

/** One viewer asks for everything, so many times over; throws where something does not come as it came first. */
export async function warm(stall: Stall, token: string, times: number): Promise<void> {
  const { base } = await open(stall, token);
  const answers = noAnswers();
  for (let round = 0; round < times; round++)
    for (const path of stall.paths) await ask(stall, base, path, answers);
  if (answers.failures.size > 0 || answers.wrongBodies > 0)
    throw new Error(`not warm: ${[...answers.failures.keys()]}, wrong bodies: ${answers.wrongBodies}`);
}

/** Asks for one object again and again until it comes: how long that took, in seconds. */
export async function untilItComes(stall: Stall, token: string, path: string): Promise<number> {
  const { base } = await open(stall, token);
  const began = performance.now();
  for (;;) {
    const answers = noAnswers();
    await ask(stall, base, path, answers);
    if (answers.wrongBodies > 0) throw new Error(`${path} came, and was another`);
    const seconds = (performance.now() - began) / 1_000;
    if (answers.failures.size === 0) return seconds;
    if (seconds > 120) throw new Error(`${path} does not come: ${[...answers.failures.keys()]}`);
    await pause(PACE_MS);
  }
}

/** What an edge says, and how soon, of an object that it has not and cannot have. Throws where it comes: then nothing was away. */
export async function refusalOf(stall: Stall, token: string, path: string): Promise<string> {
  const { base } = await open(stall, token);
  const answers = noAnswers();
  await ask(stall, base, path, answers);
  if (answers.failures.size === 0) throw new Error(`${path} came of a store that is away`);
  return `${[...answers.failures.keys()]} after ${(answers.slowestMs / 1_000).toFixed(1)} s`;
}

function noAnswers(): Answers {
  const none = { requests: 0, wrongBodies: 0, slowestMs: 0 };
  return { ...none, failures: new Map(), renewals: 0, failedRenewals: 0, slowestRenewalMs: 0 };
}

async function open({ product, titleId, origin }: Stall, token: string) {
  const wish = { titleId, capabilities: { renews: true } };
  const { status, body } = await product.call("POST", "/v1/playback", wish, token);
  if (status !== 201) throw new Error(`no session: ${status}`);
  return { sessionId: body.sessionId, base: baseAt(origin, body.manifestUrl), token };
}

/** Where a grant finds the film at this edge. */
function baseAt(origin: string, manifestUrl: string): string {
  return origin + new URL(manifestUrl).pathname.replace(/main\.m3u8$/, "");
}

async function renew(
  { product, origin }: Stall,
  sessionId: string,
  token: string,
  answers: Answers,
): Promise<string | null> {
  const began = performance.now();
  const path = `/v1/playback/${sessionId}/renew` as const;
  const answer = await product.call("POST", path, undefined, token).catch(() => null);
  answers.renewals++;
  answers.slowestRenewalMs = Math.max(answers.slowestRenewalMs, performance.now() - began);
  if (answer?.status === 200) return baseAt(origin, answer.body.manifestUrl);
  answers.failedRenewals++;
  return null;
}

async function ask({ digests }: Stall, base: string, path: string, answers: Answers): Promise<void> {
  const began = performance.now();
  answers.requests++;
  try {
    const answer = await fetch(base + path, { signal: AbortSignal.timeout(LONGEST_ANSWER_MS) });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200) fail(answers, String(answer.status));
    else {
      const digest = createHash("sha256").update(body).digest("hex");
      if ((digests.get(path) ?? digest) !== digest) answers.wrongBodies++;
      else digests.set(path, digest);
    }
  } catch (error) {
    fail(answers, error instanceof Error ? error.name : String(error));
  }
  answers.slowestMs = Math.max(answers.slowestMs, performance.now() - began);
}

function fail({ failures }: Answers, what: string): void {
  failures.set(what, (failures.get(what) ?? 0) + 1);
}
