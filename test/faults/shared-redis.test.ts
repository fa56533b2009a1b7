import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Product, startProduct } from "../rig/product.ts";

/** Two installations that were given the same Redis and the same prefix in it, each with a library of its own. */

interface LaneView {
  hints: { waiting: number; consumers: number };
}

let busy: Product;
let workless: Product;
before(async () => {
  const environment = { MATINEE_REDIS_PREFIX: `shared-${process.pid}` };
  [busy, workless] = await Promise.all([
    startProduct({ environment }),
    startProduct({ workers: 0, environment }),
  ]);
});
after(() => Promise.all([busy?.stop(), workless?.stop()]));

test("neither takes up the other's work", async () => {
  const assetId = await workless.upload(Buffer.from("no film"));
  const { body } = await workless.call("GET", "/admin/queues", undefined, workless.tokens.admin);
  const hints = (body.lanes as LaneView[]).map((lane) => lane.hints);
  assert.deepEqual(
    [hints.reduce((sum, { waiting }) => sum + waiting, 0), hints.every(({ consumers }) => consumers === 0)],
    [1, true],
  );
  const own = await busy.upload(Buffer.from("no film either"));
  await busy.until(own, ({ state }) => state === "failed");
  await workless.addWorker();
  await workless.until(assetId, ({ state }) => state === "failed");
});
