import type { DeliveryAttempt, WebhookRecord } from "./records/webhook.ts";

const FIRST_RETRY_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 8 * 3600;
/** With the waits between them, a day: whoever mends a receiver on the next morning misses nothing. */
const ATTEMPTS = 10;
/** So far from its middle a wait may be, so that what failed together does not come again together. */
const JITTER = 0.2;

/** An endpoint that answers nothing well for so long, and so often, is turned off. */
const GIVEN_UP_AFTER_FAILURES = 20;
const GIVEN_UP_AFTER_SECONDS = 24 * 3600;

/**
 * How long to wait after that many failed attempts, in seconds: 5, 20, 80 … up to eight hours, each longer or shorter by up to a
 * fifth (`random` is 0..1). Null: that was the last one.
 */
export function retryDelaySeconds(failures: number, random: number): number | null {
  if (failures >= ATTEMPTS) return null;
  const middle = Math.min(FIRST_RETRY_SECONDS * 4 ** (failures - 1), LONGEST_WAIT_SECONDS);
  return middle * (1 - JITTER + 2 * JITTER * random);
}

/** Whether so many attempts failed in a row, over so long a time, that nobody seems to be there. */
export function isGivenUp(
  { failuresInRow, failingSince }: Pick<WebhookRecord, "failuresInRow" | "failingSince">,
  now: Date,
): boolean {
  if (failingSince === null || failuresInRow < GIVEN_UP_AFTER_FAILURES) return false;
  return now.getTime() - failingSince.getTime() >= GIVEN_UP_AFTER_SECONDS * 1_000;
}

/**
 * Standard Webhooks 1.0, "Deliverability": 2xx is success, all else is not, redirects among it; 410 asks for no more.
 */
export function verdictOf({ status, error }: Pick<DeliveryAttempt, "status" | "error">) {
  if (error === null) return "delivered";
  return status === 410 ? "gone" : "failed";
}
