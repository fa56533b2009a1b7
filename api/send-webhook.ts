import { Failure } from "../core/errors.ts";
import type { Network } from "../core/public-address.ts";
import type { AttemptError, DeliveryAttempt } from "../core/records/webhook.ts";
import { webhookHeaders } from "../core/standard-webhooks.ts";
import { endpointFault } from "../core/webhook-endpoint.ts";
import { type PublicAnswer, publicFetch } from "../stores/public-fetch.ts";

/** Standard Webhooks 1.0, "Operational considerations": 15 to 30 s, so that slow receivers are not called twice. */
const ANSWER_MS = 15_000;
/** What is read of an answer, so that a well-behaved receiver can end it; nothing is kept. */
const READ_BYTES = 4_096;
const READ_IDLE_MS = 1_000;

/** What is sent, to whom, and what it is signed by. */
export interface SignedMessage {
  url: string;
  id: string;
  body: string;
  secrets: readonly Uint8Array[];
}

/**
 * One attempt. Only a public address is connected to, or one in `networks`; redirects are not followed. Throws the signal's reason
 * and nothing else.
 */
export async function sendWebhook(
  { url, id, body, secrets }: SignedMessage,
  { at, networks, signal }: { at: Date; networks: readonly Network[]; signal: AbortSignal },
): Promise<DeliveryAttempt> {
  const began = performance.now();
  const attempt = (status: number | null, error: AttemptError | null): DeliveryAttempt => ({
    ...{ at, status, error },
    durationMs: Math.round(performance.now() - began),
  });
  // What was allowed when it was named may not be any more.
  if (endpointFault(url, networks) !== null) return attempt(null, "address_refused");
  try {
    const answer = await publicFetch({
      ...{ url, networks, method: "POST" },
      headers: {
        "content-type": "application/json",
        "user-agent": "Matinee-Webhooks",
        ...webhookHeaders(secrets, { id, at, body }),
      },
      body: Buffer.from(body),
      headersMs: ANSWER_MS,
      idleMs: READ_IDLE_MS,
      maxBytes: READ_BYTES,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    const { status } = answer;
    await readToEnd(answer);
    return attempt(status, errorOf(status));
  } catch (thrown) {
    signal.throwIfAborted();
    return attempt(null, errorWord(thrown));
  }
}

/** The status has come: whatever becomes of the rest changes nothing. */
async function readToEnd(answer: PublicAnswer): Promise<void> {
  try {
    for await (const _piece of answer.body);
  } catch {
    answer.close();
  }
}

function errorOf(status: number): AttemptError | null {
  if (status >= 200 && status < 300) return null;
  return status >= 300 && status < 400 ? "redirect" : "status";
}

function errorWord(thrown: unknown): AttemptError {
  if (!(thrown instanceof Failure)) return "timeout";
  if (thrown.code === "url_refused") return "address_refused";
  return thrown.code === "answer_late" ? "timeout" : "unreachable";
}
