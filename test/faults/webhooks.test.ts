import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { EVENT_TYPES } from "../../core/webhook-event.ts";
import { flashAndBeep } from "../rig/media.ts";
import { eventually } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";
import { openReceiver, verified, type WebhookReceiver } from "../rig/webhook-receiver.ts";

let product: Product;
let receiver: WebhookReceiver;
before(async () => {
  receiver = await openReceiver();
  product = await startProduct({ workers: 0, environment: { MATINEE_WEBHOOK_NETWORKS: "127.0.0.0/8" } });
});
after(async () => {
  await product.stop();
  await receiver.close();
});

const asAdmin: Product["call"] = (method, path, body) =>
  product.call(method, path, body, product.tokens.admin);

test("T25 the API is killed before it has told of anything: all of it is told once it is back, by either of two, once each", async () => {
  const hook = await asAdmin("POST", "/v1/webhooks", { url: receiver.url, types: EVENT_TYPES });
  assert.equal(hook.status, 201);
  const { id, secret } = hook.body;
  const [film, noFilm] = [
    await readFile(await flashAndBeep({ seconds: 2, size: "160x90" })),
    Buffer.from("No film at all."),
  ];
  const [made, failed] = [await product.upload(film), await product.upload(noFilm)];
  const [api] = product.apis;
  const gone = once(api!, "exit");
  api!.kill("SIGKILL");
  await gone;
  await product.addWorker();
  await product.until(made, ({ state }) => state === "ready");
  await product.until(failed, ({ state }) => state === "failed");
  // Nobody is there to tell: what came to pass stands in the records that it is of.
  const untold = await product.library.assets.find({ _id: { $in: [made, failed] } }).toArray();
  assert.deepEqual(untold.flatMap(({ outbox = [] }) => outbox.map(({ type }) => type)).sort(), [
    "asset.failed",
    "asset.playable",
    "asset.ready",
  ]);

  await product.addApi();
  await product.addApi();
  const title = await product.call("POST", "/v1/titles", { name: "Film", assetId: made });
  await product.call("POST", `/v1/titles/${title.body.id}/publish`, {});
  await product.call("POST", `/v1/titles/${title.body.id}/unpublish`);
  await product.call("DELETE", `/v1/assets/${made}`);
  await receiver.until("upload.completed", 2);
  await Promise.all(EVENT_TYPES.map((type) => receiver.until(type)));
  const tests = Array.from({ length: 20 }, () => asAdmin("POST", `/v1/webhooks/${id}/test`));
  await Promise.all(tests);
  await receiver.until("webhook.test", 20);
  await eventually("nothing left", 60, async () => {
    const left = await product.library.deliveries.countDocuments({ state: "pending" });
    return left === 0 || null;
  });
  assert.equal((await receiver.until("webhook.test")).length, 20);
  const events = receiver.received.filter(({ payload }) => payload.type !== "webhook.test");
  for (const message of events) assert.deepEqual(verified(secret, message), message.payload);
  const told = new Map(events.map(({ headers, payload }) => [headers["webhook-id"], payload] as const));
  assert.deepEqual(
    [...told.values()].map(({ type }) => type).sort(),
    [...EVENT_TYPES, "upload.completed"].sort(),
  );
  // Twice comes at most what was under way as it was killed.
  const later = events.filter(({ payload }) => payload.type !== "upload.completed");
  assert.equal(later.length, EVENT_TYPES.length - 1, "once each");
  const failure = later.find(({ payload }) => payload.type === "asset.failed");
  const { assetId: failedId, error } = failure!.payload.data as { assetId: string; error: { code: string } };
  assert.deepEqual([failedId, error.code], [failed, "unsupported_container"]);
  for (const one of product.apis.slice(1)) {
    const over = once(one, "exit");
    one.kill("SIGTERM");
    assert.deepEqual((await over).slice(0, 1), [0], "an API stops cleanly");
  }
});
