import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { AssetRecord } from "../../core/records/asset.ts";
import { pendingDeliveries } from "../../stores/library/deliveries.ts";
import { carryEvents } from "../../stores/library/outbox.ts";
import { failAsset, markPreviewed } from "../../stores/library/work.ts";
import { madeAsset, openTestApi } from "./api-for-test.ts";

const api = await openTestApi("webhook-figures");
const { library } = api.deps;
const admin = api.as("alpha", "admin");

beforeEach(async () => {
  await library.webhooks.deleteMany({});
  await library.deliveries.deleteMany({});
  while ((await carryEvents(library, 100)) > 0);
});

/** Nothing is sent here: no sender runs. */
async function hook(): Promise<string> {
  const body = { url: "https://example.com/", types: ["asset.failed"] };
  return (await admin("POST", "/v1/webhooks", body)).body.id;
}
const sendTest = async (id: string) => (await admin("POST", `/v1/webhooks/${id}/test`)).body;

async function figureOf(name: string): Promise<number> {
  const text = await (await api.request("/metrics")).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

describe("figures of webhooks", () => {
  test("count the age of what is made again from then on", async () => {
    const id = await hook();
    const { id: deliveryId } = await sendTest(id);
    const monthAgo = new Date(library.serverNow().getTime() - 30 * 86_400_000);
    const failed = { state: "failed", dueAt: null, createdAt: monthAgo, settledAt: monthAgo } as const;
    await library.deliveries.updateOne({ _id: deliveryId }, { $set: failed });
    assert.equal(await figureOf("matinee_webhook_oldest_due_seconds"), 0);
    await admin("POST", `/v1/webhooks/${id}/deliveries/${deliveryId}/replay`);
    assert.ok((await figureOf("matinee_webhook_oldest_due_seconds")) < 86_400);
    const hourAgo = new Date(library.serverNow().getTime() - 3_600_000);
    await library.deliveries.updateOne({ _id: deliveryId }, { $set: { dueAt: hourAgo } });
    assert.ok((await figureOf("matinee_webhook_oldest_due_seconds")) >= 3_600);
  });

  test("count what is pending no further than they say", async () => {
    const id = await hook();
    for (let times = 0; times < 4; times++) await sendTest(id);
    assert.equal(await figureOf("matinee_webhook_pending"), 4);
    assert.equal((await pendingDeliveries(library, 3)).count, 3);
  });

  test("tell the age of the oldest event, though others came to it", async () => {
    assert.equal(await figureOf("matinee_webhook_oldest_untold_seconds"), 0);
    const asset = await madeAsset(api, "alpha", "encoding");
    await markPreviewed(library, asset, asset.generation!);
    const hourAgo = new Date(library.serverNow().getTime() - 3_600_000);
    const { outbox } = (await library.assets.findOne({ _id: asset._id })) as AssetRecord;
    const old = { tellAt: hourAgo, outbox: outbox!.map((event) => ({ ...event, at: hourAgo })) };
    await library.assets.updateOne({ _id: asset._id }, { $set: old });
    await failAsset(library, asset, { code: "internal", message: "It failed.", retryable: true });
    assert.ok((await figureOf("matinee_webhook_oldest_untold_seconds")) >= 3_600);
  });
});
