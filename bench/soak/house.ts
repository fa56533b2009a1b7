import { EVENT_TYPES } from "../../core/webhook-event.ts";
import { openReceiver, type WebhookReceiver } from "../../test/rig/webhook-receiver.ts";
import { type Acknowledged, openAcknowledged } from "./acknowledged.ts";
import type { Client } from "./client.ts";

/** One tenant: who works and watches there, what it was promised, and who is told of it. */
export interface House {
  name: string;
  editors: number;
  viewers: string[];
  known: Acknowledged;
  receiver: WebhookReceiver;
  /** What its messages are signed with. */
  secret: string;
}

/** With so many editors and viewers; nobody is told of anything yet. */
export async function openHouse(name: string, editors: number, viewers: number): Promise<House> {
  return {
    ...{ name, editors, known: openAcknowledged(), receiver: await openReceiver(), secret: "" },
    viewers: Array.from({ length: viewers }, (_, index) => `viewer-${index}`),
  };
}

/** From here on its receiver is told of everything. */
export async function subscribe(house: House, admin: Client): Promise<void> {
  const wish = { url: house.receiver.url, types: EVENT_TYPES };
  const { body } = await admin.insist("POST", "/v1/webhooks", wish, [201]);
  house.secret = body.secret;
}
