import type { NamedKey } from "./named-keys.ts";
import type { SealedSecret, WebhookRecord } from "./records/webhook.ts";
import { seal, sealedBy, unseal } from "./sealing.ts";

/** Standard Webhooks 1.0, "Secret rotation": a receiver has so long to take up the new one. */
const ROTATION_MS = 24 * 3600 * 1_000;
/** However often it is rotated: headers are not to grow without end. */
const SECRETS_KEPT = 4;

type Owned = Pick<WebhookRecord, "_id" | "secrets">;

/** The secret of an endpoint as it is kept. */
export function sealSigningSecret(master: NamedKey, secret: Uint8Array, webhookId: string): string {
  return seal(master, secret, sealedFor(webhookId));
}

/** What signs at `now`, the present one first; null where none of the master keys opens it. */
export function openSecrets(
  masterKeys: readonly NamedKey[],
  { _id, secrets }: Owned,
  now: Date,
): Uint8Array[] | null {
  const [present, ...earlier] = secrets
    .filter((secret) => isLive(secret, now))
    .map(({ sealed }) => unseal(masterKeys, sealed, sealedFor(_id)));
  if (present == null) return null;
  return [present, ...earlier.filter((secret) => secret !== null)];
}

/** With another present secret: the one before it signs for a day longer. */
export function rotated(secrets: readonly SealedSecret[], sealed: string, now: Date): SealedSecret[] {
  const until = new Date(now.getTime() + ROTATION_MS);
  const earlier = secrets
    .filter((secret) => isLive(secret, now))
    .map((secret) => ({ ...secret, until: secret.until ?? until }));
  return [{ sealed, until: null }, ...earlier].slice(0, SECRETS_KEPT);
}

/**
 * Those that still sign at `now`, all under the first of the master keys, so that the others can go; null where that is what there
 * is, or no key is set.
 */
export function sealedAnew(
  masterKeys: readonly NamedKey[],
  { _id, secrets }: Owned,
  now: Date,
): SealedSecret[] | null {
  const [master] = masterKeys;
  if (master === undefined) return null;
  const live = secrets.filter((secret) => isLive(secret, now));
  const isPresent = ({ sealed }: SealedSecret) => sealedBy(sealed) === master.kid;
  if (live.length === secrets.length && live.every(isPresent)) return null;
  return live.map((kept) => {
    if (isPresent(kept)) return kept;
    const { sealed, until } = kept;
    const secret = unseal(masterKeys, sealed, sealedFor(_id));
    return { until, sealed: secret === null ? sealed : sealSigningSecret(master, secret, _id) };
  });
}

function isLive({ until }: SealedSecret, now: Date): boolean {
  return until === null || until > now;
}

function sealedFor(webhookId: string) {
  return { purpose: "matinee-webhook-secrets-1", owner: webhookId };
}
