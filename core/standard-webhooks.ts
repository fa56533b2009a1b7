import { createHmac, randomBytes } from "node:crypto";

/** Standard Webhooks 1.0 (standardwebhooks.com): how a message is signed. */

/** "Signature scheme": between 24 and 64 bytes. */
const SECRET_BYTES = 32;

/** A fresh secret, from the system's randomness. */
export function makeSigningSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES);
}

/** The secret as its receiver is shown it: `whsec_` and base64. */
export function secretText(secret: Uint8Array): string {
  return `whsec_${Buffer.from(secret).toString("base64")}`;
}

/** "Webhook headers": all three of a message that is sent at `at`; one signature for each secret, first one first. */
export function webhookHeaders(
  secrets: readonly Uint8Array[],
  { id, at, body }: { id: string; at: Date; body: string },
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  // "Signature scheme": the id, the timestamp and the body, with full stops between them.
  const signed = `${id}.${timestamp}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac("sha256", secret).update(signed).digest("base64")}`,
  );
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
