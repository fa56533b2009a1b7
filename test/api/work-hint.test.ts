import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, test } from "node:test";
import { openWorkHint } from "../../api/work-hint.ts";
import { openLog } from "../../stores/log.ts";
import { openQueue } from "../../stores/queue.ts";
import { openWork } from "../stores/work-for-test.ts";

const { library, queue, settings, planned } = await openWork();
const log = openLog({ name: "hint-test", level: "silent" });

/** A Redis that takes connections and never answers. */
const frozen = createServer();
frozen.listen(0, "127.0.0.1");
await once(frozen, "listening");
const { port } = frozen.address() as AddressInfo;
const away = openQueue({ ...settings, url: `redis://127.0.0.1:${port}` });
after(async () => {
  await away.close().catch(() => undefined);
  frozen.close();
});

test("a cell of a preview that is asked for is on record and first in line", async () => {
  const asset = await planned("as_hint");
  const id = await openWorkHint({ library, queue, log }).offerCell(asset, 5);
  assert.equal((await library.tasks.findOne({ _id: id! }))?.state, "todo");
  assert.ok((await queue.depths()).fast.waiting > 0);
});

test("F09: it is on record all the same where Redis does not answer, and the asker hears what to wait for", async () => {
  const asset = await planned("as_unheard");
  const hint = openWorkHint({ library, queue: away, log });
  const id = await hint.offerCell(asset, 5);
  assert.equal((await library.tasks.findOne({ _id: id! }))?.state, "todo");
  assert.equal(await hint.offerCell(asset, 5), id);
  assert.equal(await hint.offerCell(asset, 5_000), null, "a cell that the film does not have");
  await hint.offer(asset._id);
});
