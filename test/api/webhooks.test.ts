import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { after, afterEach, beforeEach, describe, test } from "node:test";
import { openWebhookSender, type SenderParts, type WebhookSender } from "../../api/webhook-sender.ts";
import { DEFAULT_ENCODING } from "../../core/encoding.ts";
import { newId } from "../../core/ids.ts";
import { fetchedKey } from "../../core/keys.ts";
import { parseNetworks } from "../../core/public-address.ts";
import type { Role } from "../../core/records/account.ts";
import { EVENT_TYPES } from "../../core/webhook-event.ts";
import { createAsset } from "../../stores/library/assets.ts";
import { claimDelivery, settleDelivery } from "../../stores/library/delivery-claims.ts";
import { carryEvents } from "../../stores/library/outbox.ts";
import { pinPulled, recordTransfer } from "../../stores/library/pulls.ts";
import { mendSchedules } from "../../stores/library/schedules.ts";
import { failAsset, markPreviewed, publishAsset } from "../../stores/library/work.ts";
import { eventually } from "../rig/processes.ts";
import { answerWith, openReceiver, type Received, verified } from "../rig/webhook-receiver.ts";
import { madeAsset, openTestApi, publishedMovie, type Tenant, uploadBytes } from "./api-for-test.ts";

const LOOPBACK = parseNetworks("127.0.0.0/8");
const api = await openTestApi("webhooks", (config) => ({ ...config, webhooks: { networks: LOOPBACK } }));
const { library } = api.deps;
const admin = api.as("alpha", "admin");
const editor = api.as("alpha");
const receiver = await openReceiver();
after(() => receiver.close());

let senders: WebhookSender[] = [];
function send(change: Partial<SenderParts> = {}): WebhookSender {
  const { metrics, log, config } = api.deps;
  const parts = { library, metrics, log, masterKeys: config.masterKeys, networks: LOOPBACK };
  const sender = openWebhookSender({ ...parts, lookEveryMs: 20, drainMs: 0, ...change });
  senders.push(sender);
  return sender;
}

beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = answerWith(204);
});
afterEach(async () => {
  await Promise.all(senders.map((sender) => sender.close()));
  senders = [];
  await library.webhooks.deleteMany({});
  await library.deliveries.deleteMany({});
});

async function hook(body: object = {}, tenant: Tenant = "alpha") {
  const made = await api.as(tenant, "admin")("POST", "/v1/webhooks", {
    ...{ url: receiver.url, types: EVENT_TYPES },
    ...body,
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body as { id: string; secret: string; version: number };
}

interface Endpoint {
  enabled: boolean;
  failingSince: string | null;
  disabledReason: string | null;
}

const sendTest = async (id: string) => (await admin("POST", `/v1/webhooks/${id}/test`)).body;
const deliveryOf = async (id: string, deliveryId: string) => {
  const { body } = await admin("GET", `/v1/webhooks/${id}/deliveries`);
  return body.data.find((delivery: { id: string }) => delivery.id === deliveryId);
};
const settledAs = (id: string, deliveryId: string, state: string) =>
  eventually(`${deliveryId} ${state}`, 60, async () => {
    const delivery = await deliveryOf(id, deliveryId);
    return delivery.state === state && delivery.attempts.length > 0 ? delivery : null;
  });
/** What becomes of the endpoint itself is written down behind what became of the delivery. */
const endpointOnce = (id: string, what: string, isSo: (endpoint: Endpoint) => boolean) =>
  eventually(what, 60, async () => {
    const endpoint: Endpoint = (await admin("GET", `/v1/webhooks/${id}`)).body;
    return isSo(endpoint) ? endpoint : null;
  });
const idOf = ({ headers }: Received) => headers["webhook-id"];

describe("an endpoint", () => {
  test("is made with a secret that is shown to who made it, and lies nowhere in the open", async () => {
    const key = { "Idempotency-Key": "k1" };
    const body = { url: receiver.url, types: ["asset.ready"], description: "our CMS" };
    const made = await admin("POST", "/v1/webhooks", body, key);
    assert.equal(made.status, 201);
    assert.match(made.body.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.equal(made.headers.get("location"), `/v1/webhooks/${made.body.id}`);
    assert.deepEqual((await admin("POST", "/v1/webhooks", body, key)).body, made.body);
    const read = await admin("GET", `/v1/webhooks/${made.body.id}`);
    assert.equal(read.headers.get("etag"), `"1"`);
    const { secret, ...shown } = made.body;
    assert.deepEqual(read.body, shown);
    assert.deepEqual((await admin("GET", "/v1/webhooks")).body, { data: [shown], nextCursor: null });
    const kept = [await library.webhooks.find().toArray(), await library.claims.find().toArray()];
    assert.ok(!JSON.stringify(kept).includes(secret.slice("whsec_".length)));
    await admin("PATCH", `/v1/webhooks/${made.body.id}`, { description: "theirs" });
    const again = await admin("POST", "/v1/webhooks", body, key);
    assert.deepEqual([again.body, again.headers.get("etag")], [made.body, `"1"`], "as it was made");
  });

  test("belongs to its tenant's administrators", async () => {
    const { id } = await hook();
    const delivery = await sendTest(id);
    const calls = [
      ["GET", `/v1/webhooks/${id}`],
      ["PATCH", `/v1/webhooks/${id}`],
      ["DELETE", `/v1/webhooks/${id}`],
      ["GET", `/v1/webhooks/${id}/deliveries`],
      ["POST", `/v1/webhooks/${id}/deliveries/${delivery.id}/replay`],
      ["POST", `/v1/webhooks/${id}/test`],
    ] as const;
    const callAll = (tenant: Tenant, role: Role) =>
      Promise.all(
        calls.map(async ([method, path]) => {
          const body = method === "PATCH" ? { enabled: false } : undefined;
          return (await api.as(tenant, role)(method, path, body, { "If-Match": "*" })).status;
        }),
      );
    assert.deepEqual(new Set(await callAll("beta", "admin")), new Set([404]));
    assert.deepEqual(new Set(await callAll("alpha", "editor")), new Set([403]));
    assert.equal((await editor("GET", "/v1/webhooks")).status, 403);
    assert.deepEqual((await api.as("beta", "admin")("GET", "/v1/webhooks")).body.data, []);
    const other = await hook();
    const foreign = await admin("POST", `/v1/webhooks/${other.id}/deliveries/${delivery.id}/replay`);
    assert.equal(foreign.status, 404, "of another endpoint");
  });

  test("is changed as it is, or as who asks has seen it, and removed with its deliveries", async () => {
    const { id } = await hook();
    const patch = (body: object, headers: Record<string, string> = {}) =>
      admin("PATCH", `/v1/webhooks/${id}`, body, headers);
    assert.equal((await patch({ description: "ours" })).status, 200, "whatever it is by now");
    assert.equal((await patch({ enabled: false }, { "If-Match": '"1"' })).status, 412);
    const changed = await patch({ types: ["title.published"], enabled: false }, { "If-Match": '"2"' });
    assert.deepEqual(
      [changed.status, changed.body.types, changed.body.enabled, changed.headers.get("etag")],
      [200, ["title.published"], false, '"3"'],
    );
    assert.equal("secret" in changed.body, false);
    assert.equal((await admin("POST", `/v1/webhooks/${id}/test`)).body.code, "webhook_disabled");
    await patch({ enabled: true }, { "If-Match": "*" });
    await sendTest(id);
    assert.equal((await admin("DELETE", `/v1/webhooks/${id}`)).status, 204);
    assert.equal((await admin("DELETE", `/v1/webhooks/${id}`)).status, 404);
    assert.equal(await library.deliveries.countDocuments({ webhookId: id }), 0);
  });

  test("is refused where it cannot be one, and past the twentieth", async () => {
    const closed = await openTestApi("webhooks-closed");
    const refused = [
      "http://example.com/",
      "https://127.0.0.1/",
      "https://2130706433/",
      "https://[::ffff:10.0.0.1]/",
      "https://169.254.169.254/latest",
      "https://user:word@example.com/",
      "https://example.com:22/",
      "ftp://example.com/",
      "example.com",
    ];
    for (const url of refused) {
      const call = closed.as("alpha", "admin");
      const answer = await call("POST", "/v1/webhooks", { url, types: ["asset.ready"] });
      assert.deepEqual([answer.status, answer.body.errors?.[0]?.path], [400, "url"], url);
    }
    for (const types of [[], ["asset.ready", "asset.ready"], ["asset.eaten"]])
      assert.equal((await admin("POST", "/v1/webhooks", { url: receiver.url, types })).status, 400);
    for (let made = 0; made < 20; made++) await hook();
    const more = await admin("POST", "/v1/webhooks", { url: receiver.url, types: ["asset.ready"] });
    assert.deepEqual([more.status, more.body.code], [409, "too_many_webhooks"]);
    const key = { ...(await admin("GET", "/v1/webhooks?limit=1")).body.data[0] };
    assert.equal((await admin("DELETE", `/v1/webhooks/${key.id}`)).status, 204);
    await hook();
  });
});

describe("events", () => {
  test("arrive signed, each once, and say what they are of", async () => {
    const { secret } = await hook();
    const { id, assetId } = await uploadBytes(api, randomBytes(1_000));
    await editor("POST", `/v1/uploads/${id}/complete`, {});
    const failed = await madeAsset(api, "alpha", "encoding");
    const error = { code: "source_damaged" as const, message: "It is cut off.", retryable: false };
    await failAsset(library, failed, error);
    const { asset, titleId } = await publishedMovie(api, "alpha");
    await editor("POST", `/v1/titles/${titleId}/unpublish`);
    await editor("DELETE", `/v1/assets/${asset._id}`);
    // Not before: which title an asset is of is looked up when its events are carried over.
    send();
    await Promise.all(EVENT_TYPES.map((type) => receiver.until(type)));
    const data = Object.fromEntries(
      receiver.received.map((message) => {
        assert.deepEqual(verified(secret, message), message.payload);
        assert.equal(message.headers["content-type"], "application/json");
        assert.deepEqual(Object.keys(message.payload), ["type", "timestamp", "data"]);
        return [message.payload.type, message.payload.data];
      }),
    );
    const { generation } = asset;
    const ofFilm = { assetId: asset._id, titleId, generation, error: null };
    assert.deepEqual(data, {
      "upload.completed": { uploadId: id, assetId, filename: "film.mp4", sizeBytes: 1_000 },
      "asset.playable": { ...ofFilm, state: "ready" },
      "asset.ready": { ...ofFilm, state: "ready" },
      "asset.failed": { assetId: failed._id, titleId: null, state: "failed", generation: null, error },
      "asset.deleted": { ...ofFilm, state: "deleted", generation: null },
      "title.published": { titleId, assetId: asset._id, state: "published" },
      "title.unpublished": { titleId, assetId: asset._id, state: "unpublished" },
    });
    assert.equal(receiver.received.length, EVENT_TYPES.length);
  });

  test("tell of a master that was fetched as of one that was uploaded, once", async () => {
    await hook({ types: ["upload.completed"] });
    const id = newId("as");
    const asset = await createAsset(library, {
      ...{ id, tenant: "alpha", ownerId: "someone", titleId: null, filename: "film" },
      ...{
        encoding: DEFAULT_ENCODING,
        pull: { sourceUrl: "https://films.example/", sha256: null, transfer: null },
      },
    });
    const transfer = { key: fetchedKey("alpha", id, 1), multipartId: "m", etag: null, sizeBytes: 1_000 };
    const filename = "Der Film.mov";
    assert.ok(await recordTransfer(library, asset, null, { transfer, filename }));
    const pinned = { key: transfer.key, etag: '"e"', sizeBytes: 1_000, sha256: null };
    assert.equal(await pinPulled(library, asset, transfer, pinned, filename), true);
    assert.equal(await pinPulled(library, asset, transfer, pinned, filename), false);
    send();
    const told = await receiver.until("upload.completed");
    const data = { uploadId: null, assetId: id, filename, sizeBytes: 1_000 };
    assert.deepEqual(
      told.map(({ payload }) => payload.data),
      [data],
    );
  });

  test("say once that a film can be played, with its preview or with the whole of it", async () => {
    await hook({ types: ["asset.playable", "asset.ready"] });
    const asset = await madeAsset(api, "alpha", "encoding");
    const generation = asset.generation!;
    for (let times = 0; times < 2; times++) await markPreviewed(library, asset, generation);
    // By a worker that has not heard of the preview.
    await publishAsset(library, asset, { generation, durationSeconds: 30, renditions: [] });
    send();
    await receiver.until("asset.ready");
    const [playable, ...more] = await receiver.until("asset.playable");
    assert.deepEqual([playable!.payload.data.state, more], ["encoding", []]);
  });

  test("go to those who want them, of their own tenant, and pile up nowhere", async () => {
    await hook({ types: ["title.unpublished"] });
    send();
    await publishedMovie(api, "beta");
    const { titleId } = await publishedMovie(api, "alpha");
    assert.equal((await editor("DELETE", `/v1/titles/${titleId}`)).status, 204);
    const [told] = await receiver.until("title.unpublished");
    assert.equal(told!.payload.data.titleId, titleId);
    await eventually("nothing left to tell", 60, async () => {
      const { assets, titles, uploads } = library;
      const left = await Promise.all(
        [assets, titles, uploads].map((records) => records.countDocuments({ tellAt: { $ne: null } })),
      );
      return left.every((count) => count === 0) || null;
    });
    assert.equal(receiver.received.length, 1);
    assert.equal(await library.deliveries.countDocuments(), 1);
  });

  test("of the clock are told when it is so far, and not where they were called off", async () => {
    await hook();
    send();
    const { body: title } = await editor("POST", "/v1/titles", { type: "series", name: "Soon" });
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    const publish = () => editor("POST", `/v1/titles/${title.id}/publish`, { availableFrom: inAnHour });
    await publish();
    await editor("POST", `/v1/titles/${title.id}/unpublish`);
    assert.equal((await library.titles.findOne({ _id: title.id }))?.tellAt, null);
    await publish();
    // The hour passes.
    const [foretold] = (await library.titles.findOne({ _id: title.id }))!.outbox!;
    const past = new Date(Date.now() - 1_000);
    const then = { availableFrom: past, tellAt: past, outbox: [{ ...foretold!, at: past }] };
    await library.titles.updateOne({ _id: title.id }, { $set: then });
    await receiver.until("title.published");
    assert.equal(receiver.received.length, 1);
  });

  test("of the clock are told once, though the schedule was written by a release that knew of none", async () => {
    await hook();
    const scheduledBefore = async (availableFrom: Date) => {
      const { body: title } = await editor("POST", "/v1/titles", { type: "series", name: "Soon" });
      const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
      await editor("POST", `/v1/titles/${title.id}/publish`, { availableFrom: inAnHour });
      const asBefore = { $set: { availableFrom }, $unset: { outbox: "", tellAt: "" } } as const;
      await library.titles.updateOne({ _id: title.id }, asBefore);
      return title.id as string;
    };
    const passed = await scheduledBefore(new Date(Date.now() - 60_000));
    const soon = await scheduledBefore(new Date(Date.now() + 600_000));
    assert.equal(await mendSchedules(library), 2);
    assert.equal(await mendSchedules(library), 0);
    send();
    const [told] = await receiver.until("title.published");
    assert.equal(told!.payload.data.titleId, passed);
    const { outbox } = (await library.titles.findOne({ _id: soon }))!;
    // Ten minutes pass.
    const past = new Date(Date.now() - 1_000);
    const then = { availableFrom: past, tellAt: past, outbox: [{ ...outbox![0]!, at: past }] };
    await library.titles.updateOne({ _id: soon }, { $set: then });
    const [, second] = await receiver.until("title.published", 2);
    assert.equal(second!.payload.data.titleId, soon);
    assert.equal(await mendSchedules(library), 0);
    assert.equal(receiver.received.length, 2);
  });

  test("carried over twice, as a process that died in between leaves them, are one delivery", async () => {
    await hook();
    const { titleId } = await publishedMovie(api, "alpha");
    const before = (await library.titles.findOne({ _id: titleId }))!;
    await carryEvents(library, 100);
    const count = await library.deliveries.countDocuments();
    const { outbox, tellAt } = before;
    await library.titles.updateOne({ _id: titleId }, { $set: { outbox: outbox!, tellAt: tellAt! } });
    assert.equal(await carryEvents(library, 100), 1);
    assert.equal(await library.deliveries.countDocuments(), count);
  });
});

describe("a delivery", () => {
  test("that failed is made again under the same id, when its time has come", async () => {
    const { id, secret } = await hook();
    receiver.answer = answerWith(500);
    send({ retryDelay: () => 3_600 });
    const { id: deliveryId } = await sendTest(id);
    await receiver.until("webhook.test");
    const waiting = await settledAs(id, deliveryId, "pending");
    assert.deepEqual([waiting.attempts[0].status, waiting.attempts[0].error], [500, "status"]);
    assert.ok(Date.parse(waiting.nextAttemptAt) > Date.now() + 3_000_000);
    await endpointOnce(id, "a failing endpoint", ({ failingSince }) => failingSince !== null);
    receiver.answer = answerWith(204);
    // The hour passes.
    await library.deliveries.updateOne({ _id: deliveryId }, { $set: { dueAt: new Date(0) } });
    const made = await settledAs(id, deliveryId, "delivered");
    assert.deepEqual(
      made.attempts.map(({ status }: { status: number }) => status),
      [500, 204],
    );
    const [first, second] = receiver.received as [Received, Received];
    assert.equal(idOf(first), idOf(second));
    verified(secret, second);
    await endpointOnce(id, "one that fails no more", ({ failingSince }) => failingSince === null);
  });

  test("is given up after its last attempt, and can be made again then", async () => {
    const { id } = await hook();
    receiver.answer = answerWith(302, { location: receiver.url });
    send({ retryDelay: (failures) => (failures < 3 ? 0 : null) });
    const { id: deliveryId } = await sendTest(id);
    const failed = await settledAs(id, deliveryId, "failed");
    assert.deepEqual(
      failed.attempts.map(({ error }: { error: string }) => error),
      ["redirect", "redirect", "redirect"],
    );
    assert.equal(receiver.received.length, 3, "no redirect is followed");
    // Once more it fails: a replay has as many attempts as the first delivery.
    receiver.answer = (message, response) => {
      receiver.answer = answerWith(204);
      answerWith(503)(message, response);
    };
    const replayed = await admin("POST", `/v1/webhooks/${id}/deliveries/${deliveryId}/replay`);
    assert.deepEqual([replayed.status, replayed.body.state], [202, "pending"]);
    const made = await settledAs(id, deliveryId, "delivered");
    assert.equal(made.attempts.length, 5);
    assert.equal(new Set(receiver.received.map(idOf)).size, 1);
    assert.match(await (await api.request("/metrics")).text(), /^matinee_webhook_pending 0$/m);
  });

  test("answered 410 turns its endpoint off; on again, it can be made", async () => {
    const { id } = await hook();
    receiver.answer = answerWith(410);
    const { id: deliveryId } = await sendTest(id);
    const { id: waitingId } = await sendTest(id);
    await library.deliveries.updateOne({ _id: waitingId }, { $set: { dueAt: new Date("2100-01-01") } });
    send();
    await settledAs(id, deliveryId, "failed");
    const off = await endpointOnce(id, "the endpoint off", ({ enabled }) => !enabled);
    assert.equal(off.disabledReason, "gone");
    const path = `/v1/webhooks/${id}/deliveries/${deliveryId}/replay`;
    assert.equal((await admin("POST", path)).body.code, "webhook_disabled");
    await eventually("what waited given up with it", 60, async () => {
      const { state } = await deliveryOf(id, waitingId);
      return state === "failed" || null;
    });
    receiver.answer = answerWith(204);
    const on = await admin("PATCH", `/v1/webhooks/${id}`, { enabled: true }, { "If-Match": "*" });
    assert.deepEqual([on.body.enabled, on.body.disabledReason], [true, null]);
    assert.equal((await admin("POST", path)).status, 202);
    await settledAs(id, deliveryId, "delivered");
  });

  test("turns its endpoint off where all have failed for a day", async () => {
    const { id } = await hook();
    const failingSince = new Date(Date.now() - 25 * 3_600_000);
    await library.webhooks.updateOne({ _id: id }, { $set: { failuresInRow: 19, failingSince } });
    receiver.answer = answerWith(500);
    send({ retryDelay: () => 3_600 });
    await sendTest(id);
    const off = await endpointOnce(id, "the endpoint off", ({ enabled }) => !enabled);
    assert.equal(off.disabledReason, "failing");
  });

  test("is made by one of two senders, and by the other where that has died", async () => {
    const { id } = await hook();
    const dying = await sendTest(id);
    const { _id, epoch } = (await library.deliveries.findOne({ _id: dying.id }))!;
    const claim = (await claimDelivery(library, { _id, epoch }, 50))!;
    assert.equal(await claimDelivery(library, { _id, epoch }, 50), null);
    send();
    send();
    await Promise.all(Array.from({ length: 25 }, () => sendTest(id)));
    await receiver.until("webhook.test", 26);
    await eventually("all delivered", 60, async () => {
      const left = await library.deliveries.countDocuments({ state: "pending" });
      return left === 0 || null;
    });
    assert.equal(receiver.received.length, 26);
    assert.equal(new Set(receiver.received.map(idOf)).size, 26);
    assert.equal(await settleDelivery(library, claim, { kind: "released" }), false);
  });

  test("to a slow receiver holds up no other, and is handed back when the process stops", async () => {
    const slow = await hook({ url: `${receiver.url}/slow` });
    const quick = await hook();
    receiver.answer = (message, response) => {
      if (!message.path.endsWith("/slow")) response.writeHead(204).end();
    };
    await Promise.all(Array.from({ length: 40 }, () => sendTest(slow.id)));
    const sender = send();
    await Promise.all(Array.from({ length: 6 }, () => sendTest(quick.id)));
    const of = (path: string) => receiver.received.filter((message) => message.path === path);
    await eventually("the quick one's", 60, () => of("/hook").length === 6 || null);
    await eventually("the slow one's", 60, () => of("/hook/slow").length === 4 || null);
    await sender.close();
    assert.equal(of("/hook/slow").length, 4);
    const left = await library.deliveries.find({ webhookId: slow.id }).toArray();
    assert.ok(left.every(({ state, attempts }) => state === "pending" && attempts.length === 0));
    assert.ok(left.every(({ isClaimed }) => !isClaimed));
  });

  test("is signed by the secret that was replaced, too", async () => {
    const { id, secret } = await hook();
    const rotated = await admin("PATCH", `/v1/webhooks/${id}`, { rotateSecret: true }, { "If-Match": "*" });
    assert.match(rotated.body.secret, /^whsec_/);
    assert.notEqual(rotated.body.secret, secret);
    send();
    await sendTest(id);
    const [message] = await receiver.until("webhook.test");
    for (const one of [secret, rotated.body.secret]) verified(one, message!);
    // The day passes.
    const [present, replaced] = (await library.webhooks.findOne({ _id: id }))!.secrets;
    const secrets = [present!, { ...replaced!, until: new Date(0) }];
    await library.webhooks.updateOne({ _id: id }, { $set: { secrets } });
    const { id: deliveryId } = await sendTest(id);
    await settledAs(id, deliveryId, "delivered");
    verified(rotated.body.secret, receiver.received.at(-1)!);
    assert.throws(() => verified(secret, receiver.received.at(-1)!), /signature/);
    assert.deepEqual((await library.webhooks.findOne({ _id: id }))?.secrets, [present]);
  });

  test("goes to no private address, whatever its name was when it was made", async (t) => {
    let connections = 0;
    const inside = createServer();
    inside.on("connection", () => connections++);
    t.after(() => {
      inside.closeAllConnections();
      inside.close();
    });
    await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
    const { port } = inside.address() as { port: number };
    for (const url of [
      `https://localhost:${port}/`,
      `https://127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
    ]) {
      const { id } = await hook({ url });
      const sender = send({ networks: [], retryDelay: () => null });
      const { id: deliveryId } = await sendTest(id);
      const failed = await settledAs(id, deliveryId, "failed");
      assert.deepEqual([failed.attempts[0].status, failed.attempts[0].error], [null, "address_refused"]);
      await sender.close();
    }
    assert.equal(connections, 0);
  });
});
