import type { NamedKey } from "../core/named-keys.ts";
import type { Network } from "../core/public-address.ts";
import type { DeliveryAttempt, DeliveryRecord, WebhookRecord } from "../core/records/webhook.ts";
import { retryDelaySeconds, verdictOf } from "../core/webhook-retries.ts";
import { openSecrets, sealedAnew } from "../core/webhook-secrets.ts";
import type { Library } from "../stores/library/connect.ts";
import { failPending, forgetDeliveries } from "../stores/library/deliveries.ts";
import { settleDelivery } from "../stores/library/delivery-claims.ts";
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

export interface DeliveryParts {
  library: Library;
  /** What the secrets of endpoints are sealed by. */
  masterKeys: readonly NamedKey[];
  /** Where messages may go beside the public internet. */
  networks: readonly Network[];
  metrics: Pick<Metrics, "webhookAttempts">;
  log: Log;
  /** As `retryDelaySeconds`. */
  retryDelay?: (failures: number, random: number) => number | null;
}

/** Makes one claimed attempt and records what came of it; handed back where the signal ends it. */
export async function deliver(
  parts: DeliveryParts,
  claim: DeliveryRecord,
  signal: AbortSignal,
): Promise<void> {
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
  { library, masterKeys, networks, log }: DeliveryParts,
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
  const anew = sealedAnew(masterKeys, webhook, at);
  if (anew !== null) await sealAnew(library, webhook, anew);
  try {
    return await sendWebhook({ url: webhook.url, id, body, secrets }, { at, networks, signal });
  } catch (thrown) {
    if (signal.aborted) return null;
    throw thrown;
  }
}

async function record(
  { library, metrics, log, retryDelay = retryDelaySeconds }: DeliveryParts,
  webhook: WebhookRecord,
  claim: DeliveryRecord,
  attempt: DeliveryAttempt,
): Promise<void> {
  const verdict = verdictOf(attempt);
  const { at: _at, ...seen } = attempt;
  const line = { webhookId: webhook._id, deliveryId: claim._id, eventId: claim.eventId, ...seen };
  metrics.webhookAttempts.inc({ outcome: verdict });
  if (verdict === "delivered") {
    if (!(await settleDelivery(library, claim, { kind: "delivered", attempt }))) return;
    await noteSuccess(library, webhook);
    log.debug(line, "webhook delivered");
    return;
  }
  const retryInSeconds = verdict === "gone" ? null : retryDelay(claim.failures + 1, Math.random());
  if (!(await settleDelivery(library, claim, { kind: "failed", attempt, retryInSeconds }))) return;
  log.warn({ ...line, retryInSeconds }, "webhook not delivered");
  // Whose key is missing here is not at fault.
  if (attempt.error === "signing_unavailable") return;
  const isOff =
    verdict === "gone" ? await disableWebhook(library, webhook, "gone") : await noteFailure(library, webhook);
  if (isOff) log.error({ webhookId: webhook._id, verdict }, "webhook turned off");
}
