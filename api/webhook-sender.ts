import { setTimeout as pause } from "node:timers/promises";
import type { DeliveryRecord } from "../core/records/webhook.ts";
import { claimDelivery, dueDeliveries } from "../stores/library/delivery-claims.ts";
import { carryEvents } from "../stores/library/outbox.ts";
import { type DeliveryParts, deliver } from "./deliver-webhook.ts";

/** What other processes have written is seen so soon. */
const LOOK_EVERY_MS = 2_000;
/** Records of each kind whose events one round carries over. */
const CARRIED_AT_ONCE = 100;
const SENT_AT_ONCE = 32;
/** A slow receiver holds up so many of those, and all of one tenant's together so many: others have the rest. */
const SENT_TO_ONE = 4;
const SENT_FOR_TENANT = 16;
/** Twice what an attempt takes at most: whoever holds a claim longer is dead. */
const LEASE_MS = 30_000;
/** Attempts under way get this long when the process stops. */
const DRAIN_MS = 5_000;

export interface SenderParts extends DeliveryParts {
  lookEveryMs?: number;
  drainMs?: number;
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
  const busyTenants = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let isClosed = false;
  /** There may be events to carry over, or only deliveries that had no room before. */
  let isWoken = false;
  let hasRoom = false;
  let looking: Promise<void> | null = null;

  const isFull = ({ tenant, webhookId }: Pick<DeliveryRecord, "tenant" | "webhookId">): boolean =>
    (busy.get(webhookId) ?? 0) >= SENT_TO_ONE || (busyTenants.get(tenant) ?? 0) >= SENT_FOR_TENANT;
  const begin = (claim: DeliveryRecord): void => {
    const { tenant, webhookId } = claim;
    count(busy, webhookId, 1);
    count(busyTenants, tenant, 1);
    const attempt = deliver(parts, claim, stopping.signal)
      .catch((thrown) => log.warn({ deliveryId: claim._id, err: thrown }, "webhook's attempt not recorded"))
      .finally(() => {
        const wasFull = isFull(claim) || underWay.size >= SENT_AT_ONCE;
        count(busy, webhookId, -1);
        count(busyTenants, tenant, -1);
        underWay.delete(attempt);
        if (!wasFull) return;
        hasRoom = true;
        go();
      });
    underWay.add(attempt);
  };
  /** Whether there may be more that can begin: where not all were seen that are due. */
  const beginDue = async (): Promise<boolean> => {
    const free = SENT_AT_ONCE - underWay.size;
    if (free <= 0) return false;
    const full = { webhookIds: from(busy, SENT_TO_ONE), tenants: from(busyTenants, SENT_FOR_TENANT) };
    const due = await dueDeliveries(library, full, free);
    let hasBegun = false;
    for (const one of due) {
      if (isClosed) return false;
      if (isFull(one)) continue;
      const claim = await claimDelivery(library, one, LEASE_MS);
      if (claim === null) continue;
      begin(claim);
      hasBegun = true;
    }
    return hasBegun && due.length === free;
  };
  const warn = (thrown: unknown) => log.warn({ err: thrown }, "webhooks not looked after");
  /** However often it is woken while a round runs, that is one round more. */
  const look = async (): Promise<void> => {
    while (!isClosed && (isWoken || hasRoom)) {
      const mayBeEvents = isWoken;
      isWoken = false;
      hasRoom = false;
      // In turn, so that neither waits for a backlog of the other's, nor for its failure.
      const carried = mayBeEvents ? await carryEvents(library, CARRIED_AT_ONCE).catch(warn) : 0;
      if ((carried ?? 0) >= CARRIED_AT_ONCE) isWoken = true;
      if (await beginDue().catch(warn)) hasRoom = true;
    }
  };
  const go = (): void => {
    if (isClosed) return;
    looking ??= look().finally(() => {
      looking = null;
      if (isWoken || hasRoom) go();
    });
  };
  const wake = (): void => {
    isWoken = true;
    go();
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

function count(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const next = (counts.get(name) ?? 0) + by;
  if (next === 0) counts.delete(name);
  else counts.set(name, next);
}

/** Those that have so many, or more. */
function from(counts: ReadonlyMap<string, number>, least: number): string[] {
  return [...counts].filter(([, has]) => has >= least).map(([name]) => name);
}
