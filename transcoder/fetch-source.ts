import { setTimeout as pause } from "node:timers/promises";
import { asFailure, Failure } from "../core/errors.ts";
import { judgeAnswer, restOf, tooLarge, unreachable } from "../core/pull-answer.ts";
import { secondsSpent } from "../core/pull-pace.ts";
import { pulledName } from "../core/pulled-name.ts";
import { pinPulled } from "../stores/library/pulls.ts";
import { adoptAsset } from "../stores/library/titles.ts";
import { publicFetch } from "../stores/public-fetch.ts";
import { PullClock } from "./pull-clock.ts";
import { HeldTransfer, superseded } from "./pull-transfer.ts";
import type { PullSettings, TaskContext } from "./task-context.ts";

/** RELIABILITY T24. */
const MOST_REDIRECTS = 3;
/** A server has so long for the headers of each answer, and between any two pieces of a body. */
const SILENCE_MS = 30_000;
/** In a row in one attempt, without any more of the file than there was; of attempts there are twelve (core/retry-verdict.ts). */
const TRIES = 3;

/**
 * Brings the master from where its owner said into storage, then the asset goes on as after an upload. What breaks off,
 * here or with another worker, is gone on with where the server says that the file is still the same one.
 */
export async function fetchSource(context: TaskContext): Promise<null> {
  const { asset, library, pull, signal, task } = context;
  const url = asset.pull?.sourceUrl;
  if (pull === null || url == null) throw new Failure("ours", "internal", "There is nothing to fetch here.");
  const clock = new PullClock(pull.pace, secondsSpent(task));
  const held = await HeldTransfer.takeUp(context);
  let mostHeld = held.heldBytes;
  for (let tries = 1; !held.isWhole; ) {
    try {
      clock.check();
      await fetchMore(url, pull, held, clock, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const failure = asOfSource(thrown, pull.maxBytes);
      // Of what begins anew each time the first half is no progress.
      tries = held.heldBytes > mostHeld ? 1 : tries + 1;
      mostHeld = Math.max(mostHeld, held.heldBytes);
      if (failure.code !== "source_unreachable" || clock.isOver || tries > TRIES) throw failure;
      await pause(Math.random() * 500 * 2 ** tries, undefined, { signal });
    }
  }
  const made = await held.finish();
  // First: once it has its master nobody does this task again.
  await adoptAsset(library, asset.tenant, asset._id);
  const pinned = { ...made, sha256: asset.pull?.sha256 ?? null };
  const transfer = held.transfer;
  if (transfer === null || !(await pinPulled(library, asset, transfer, pinned, held.filename)))
    throw superseded();
  return null;
}

/** One request for what is not here yet, and as much of the answer as comes. */
async function fetchMore(
  url: string,
  { networks, maxBytes }: PullSettings,
  held: HeldTransfer,
  clock: PullClock,
  signal: AbortSignal,
): Promise<void> {
  const transfer = held.transfer;
  // Whether a file without a tag is still the same one, nobody can tell.
  if (transfer?.etag === null) held.drop();
  const answer = await publicFetch({
    url,
    headers: restOf(transfer, held.heldBytes),
    networks,
    mostRedirects: MOST_REDIRECTS,
    headersMs: SILENCE_MS,
    idleMs: SILENCE_MS,
    maxBytes,
    signal,
  });
  try {
    const step = judgeAnswer(answer, transfer, held.heldBytes, maxBytes);
    if (step.step === "anew") return held.drop();
    if (step.step === "whole") return await held.end();
    if (step.from === 0) {
      const { etag, sizeBytes } = step;
      const filename = pulledName(answer.headers["content-disposition"], answer.url);
      await held.begin({ etag, sizeBytes, filename });
    } else await held.learnSize(step.sizeBytes);
    await held.take(clock.watch(answer.body), maxBytes);
  } finally {
    answer.close();
  }
}

/** What went wrong on the way, in words for who named the URL: nothing of it, nor of an address, is in them. */
function asOfSource(thrown: unknown, maxBytes: number): Failure {
  const failure = asFailure(thrown);
  const { code, message } = failure;
  if (code === "url_refused" || code === "redirects_refused") {
    const advice = "Name the file itself, at a public address.";
    return new Failure("source", "source_refused", `${message} ${advice}`, { cause: failure });
  }
  if (code === "answer_too_large") return tooLarge(maxBytes, failure);
  if (code === "host_unreachable" || code === "answer_late")
    return unreachable("The server that the file is on cannot be reached, or breaks off.", failure);
  return failure;
}
