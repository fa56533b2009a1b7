import { setTimeout as pause } from "node:timers/promises";
import type { NamedKey } from "../core/named-keys.ts";
import type { Network } from "../core/public-address.ts";
import type { DeliveryAttempt, DeliveryRecord, WebhookRecord } from "../core/records/webhook.ts";
import { retryDelaySeconds, verdictOf } from "../core/webhook-retries.ts";
import { openSecrets, sealedAnew } from "../core/webhook-secrets.ts";
import type { Library } from "../stores/library/connect.ts";
import {
  claimDelivery,
  dueDeliveries,
  failPending,
  forgetDeliveries,
  settleDelivery,
} from "../stores/library/deliveries.ts";
import { carryEvents } from "../stores/library/outbox.ts";
import {
  disableWebhook,
  findWebhook,
  noteFailure,
  noteSuccess,
  sealAnew,
} from "../stores/library/webhooks.ts";
import type { Log } from "../stores/log.ts";
import type { Metrics } from "./metrics.ts";
import { sendWebhook } from "./send-webhook.ts";

/** What other processes have written is seen so soon. */
const LOOK_EVERY_MS = 2_000;
/** Records of each kind whose events one round carries over. */
const CARRIED_AT_ONCE = 100;
const SENT_AT_ONCE = 32;
/** A slow receiver holds up so many of those, and no other receiver. */
const SENT_TO_ONE = 4;
/** Twice what an attempt takes at most: whoever holds a claim longer is dead. */
const LEASE_MS = 30_000;
/** Attempts under way get this long when the process stops. */
const DRAIN_MS = 5_000;

export interface SenderParts {
  library: Library;
  /** What the secrets of endpoints are sealed by. */
  masterKeys: readonly NamedKey[];
  /** Where messages may go beside the public internet. */
  networks: readonly Network[];
  metrics: Pick<Metrics, "webhookAttempts">;
  log: Log;
  lookEveryMs?: number;
  drainMs?: number;
  /** As `retryDelaySeconds`. */
  retryDelay?: (failures: number, random: number) => number | null;
}

export interface WebhookSender {
  /** There is something new: it is looked for at once. */
  wake(): void;
  /** Begins nothing any more; resolves when what is under way is over, or handed back. */
  close(): Promise<void>;
}

/**
 * Carries events over to the deliveries of those who want them and makes these, until it is closed. Any number of processes may run
 * one: each attempt is claimed.
 */
export function openWebhookSender(parts: SenderParts): WebhookSender {
  const { library, log } = parts;
  const stopping = new AbortController();
  const busy = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let isClosed = false;
  let isWoken = false;
  let looking: Promise<void> | null = null;

  const begin = (claim: DeliveryRecord): void => {
    const { webhookId } = claim;
    busy.set(webhookId, (busy.get(webhookId) ?? 0) + 1);
    const attempt = deliver(parts, claim, stopping.signal)
      .catch((thrown) => log.warn({ deliveryId: claim._id, err: thrown }, "webhook's attempt not recorded"))
      .finally(() => {
        const left = (busy.get(webhookId) ?? 1) - 1;
        if (left === 0) busy.delete(webhookId);
        else busy.set(webhookId, left);
        const wasFull = left + 1 >= SENT_TO_ONE || underWay.size >= SENT_AT_ONCE;
        underWay.delete(attempt);
        if (wasFull) wake();
      });
    underWay.add(attempt);
  };
  const beginDue = async (): Promise<boolean> => {
    const free = SENT_AT_ONCE - underWay.size;
    if (free <= 0) return false;
    const full = [...busy].filter(([, sent]) => sent >= SENT_TO_ONE).map(([id]) => id);
    let hasBegun = false;
    for (const one of await dueDeliveries(library, full, free)) {
      if (isClosed) return false;
      if ((busy.get(one.webhookId) ?? 0) >= SENT_TO_ONE) continue;
      const claim = await claimDelivery(library, one, LEASE_MS);
      if (claim === null) continue;
      begin(claim);
      hasBegun = true;
    }
    return hasBegun;
  };
  const look = async (): Promise<void> => {
    do {
      isWoken = false;
      while (!isClosed && (await carryEvents(library, CARRIED_AT_ONCE)) >= CARRIED_AT_ONCE);
      while (!isClosed && (await beginDue()));
    } while (isWoken && !isClosed);
  };
  const wake = (): void => {
    isWoken = true;
    if (isClosed) return;
    looking ??= look()
      .catch((thrown) => log.warn({ err: thrown }, "webhooks not looked after"))
      .finally(() => {
        looking = null;
      });
  };
  const timer = setInterval(wake, parts.lookEveryMs ?? LOOK_EVERY_MS);
  wake();
  return {
    wake,
    async close() {
      isClosed = true;
      clearInterval(timer);
      await looking;
      await Promise.race([
        Promise.all(underWay),
        pause(parts.drainMs ?? DRAIN_MS, undefined, { ref: false }),
      ]);
      stopping.abort();
      await Promise.all(underWay);
    },
  };
}

/** Makes one claimed attempt and records what came of it. */
async function deliver(parts: SenderParts, claim: DeliveryRecord, signal: AbortSignal): Promise<void> {
  const { library } = parts;
  const webhook = await findWebhook(library, claim.tenant, claim.webhookId);
  // It went, or was turned off, while this was on its way to be recorded.
  if (webhook === null) return forgetDeliveries(library, claim.webhookId);
  if (!webhook.enabled) return failPending(library, webhook._id);
  const attempt = await attemptOf(parts, webhook, claim, signal);
  if (attempt === null) await settleDelivery(library, claim, { kind: "released" });
  else await record(parts, webhook, claim, attempt);
}

/** null: it was called off, since the process stops. */
async function attemptOf(
  { library, masterKeys, networks, log }: SenderParts,
  webhook: WebhookRecord,
  { eventId: id, body }: DeliveryRecord,
  signal: AbortSignal,
): Promise<DeliveryAttempt | null> {
  const at = library.serverNow();
  const secrets = openSecrets(masterKeys, webhook, at);
  if (secrets === null) {
    log.error({ webhookId: webhook._id }, "no master key that is set here opens the webhook's secret");
    return { at, status: null, error: "signing_unavailable", durationMs: 0 };
  }
  const anew = sealedAnew(masterKeys, webhook);
  if (anew !== null) await sealAnew(library, webhook, anew);
  try {
    return await sendWebhook({ url: webhook.url, id, body, secrets }, { at, networks, signal });
  } catch (thrown) {
    if (signal.aborted) return null;
    throw thrown;
  }
}

async function record(
  { library, metrics, log, retryDelay = retryDelaySeconds }: SenderParts,
  webhook: WebhookRecord,
  claim: DeliveryRecord,
  attempt: DeliveryAttempt,
): Promise<void> {
  const verdict = verdictOf(attempt);
  const { at: _at, ...seen } = attempt;
  const line = { webhookId: webhook._id, deliveryId: claim._id, eventId: claim.eventId, ...seen };
  metrics.webhookAttempts.inc({ outcome: verdict });
  if (verdict === "delivered") {
    await settleDelivery(library, claim, { kind: "delivered", attempt });
    await noteSuccess(library, webhook);
    log.debug(line, "webhook delivered");
    return;
  }
  const retryInSeconds = verdict === "gone" ? null : retryDelay(claim.failures + 1, Math.random());
  await settleDelivery(library, claim, { kind: "failed", attempt, retryInSeconds });
  log.warn({ ...line, retryInSeconds }, "webhook not delivered");
  // Whose key is missing here is not at fault.
  if (attempt.error === "signing_unavailable") return;
  const isOff =
    verdict === "gone"
      ? await disableWebhook(library, webhook._id, "gone")
      : await noteFailure(library, webhook);
  if (isOff) log.error({ webhookId: webhook._id, verdict }, "webhook turned off");
}
