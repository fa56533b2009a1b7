import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, beforeEach, describe, type TestContext, test } from "node:test";
import { openWebhookSender, type WebhookSender } from "../../api/webhook-sender.ts";
import { parseNetworks } from "../../core/public-address.ts";
import { openLibrary } from "../../stores/library/connect.ts";
import { carryEvents } from "../../stores/library/outbox.ts";
import { eventually } from "../rig/processes.ts";
import { answerWith, openReceiver } from "../rig/webhook-receiver.ts";
import { openTestApi } from "./api-for-test.ts";

const LOOPBACK = parseNetworks("127.0.0.0/8");
const api = await openTestApi("webhook-sender", (config) => ({
  ...config,
  webhooks: { networks: LOOPBACK },
}));
const { library, metrics, log, config } = api.deps;
const admin = api.as("alpha", "admin");
const receiver = await openReceiver();
after(() => receiver.close());

/** Beyond any test: it looks when it is woken, and never by itself. */
const NEVER_MS = 2_000_000_000;
/** What one look asks for: uploads, assets and titles with events, and deliveries. */
const FINDS_IN_A_LOOK = 4;

beforeEach(async () => {
  await library.webhooks.deleteMany({});
  await library.deliveries.deleteMany({});
  while ((await carryEvents(library, 100)) > 0);
  receiver.received.length = 0;
  receiver.answer = answerWith(204);
});

async function hook(): Promise<string> {
  const body = { url: receiver.url, types: ["asset.failed"] };
  return (await admin("POST", "/v1/webhooks", body)).body.id;
}
const sendTest = async (id: string) => (await admin("POST", `/v1/webhooks/${id}/test`)).body;
const allDelivered = () =>
  eventually("all delivered", 60, async () => {
    const left = await library.deliveries.countDocuments({ state: "pending" });
    return left === 0 || null;
  });

/** A sender, and how many queries it has made. */
async function countedSender(t: TestContext): Promise<{ sender: WebhookSender; finds: () => number }> {
  let finds = 0;
  const onCommand = (name: string) => {
    if (name === "find") finds++;
  };
  const counted = await openLibrary(config.mongoUrl, { onCommand });
  const { masterKeys } = config;
  const parts = { library: counted, metrics, log, masterKeys, networks: LOOPBACK };
  const sender = openWebhookSender({ ...parts, lookEveryMs: NEVER_MS });
  t.after(async () => {
    await sender.close();
    await counted.close();
  });
  return { sender, finds: () => finds };
}

describe("a sender", () => {
  test("that is woken often while it looks, looks once more", async (t) => {
    const id = await hook();
    await sendTest(id);
    const { sender, finds } = await countedSender(t);
    for (let times = 0; times < 50; times++) sender.wake();
    await allDelivered();
    await eventually("it has looked twice", 60, () => finds() > 2 * FINDS_IN_A_LOOK || null);
    await sendTest(id);
    sender.wake();
    await allDelivered();
    await sender.close();
    assert.equal(finds(), 3 * FINDS_IN_A_LOOK + 2, "three looks, and the endpoint for each delivery");
  });

  test("does not look for events because a delivery is over", async (t) => {
    const id = await hook();
    const held: ServerResponse[] = [];
    receiver.answer = (_message, response) => held.push(response);
    await Promise.all(Array.from({ length: 14 }, () => sendTest(id)));
    const { finds } = await countedSender(t);
    const arrived = (count: number) =>
      eventually(`${count} arrived`, 60, () => receiver.received.length === count || null);
    await arrived(4);
    const before = finds();
    for (let over = 1; over <= 10; over++) {
      held.shift()?.writeHead(204).end();
      await arrived(4 + over);
    }
    // For each that is over, at most two queries for the next one, and one of its endpoint.
    assert.ok(finds() - before <= 3 * 10, `${finds() - before} queries`);
    for (const response of held) response.writeHead(204).end();
    await allDelivered();
  });
});
