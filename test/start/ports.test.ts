import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import test from "node:test";
import { anyFreePort, choosePorts, isPortFree, USUAL_PORTS } from "../../infra/start/ports.ts";

/** A machine where the given ports are taken and free ones are handed out from 50000. */
function ports(taken: number[]) {
  let next = 50_000;
  return { isFree: async (port: number) => !taken.includes(port), any: async () => next++ };
}

test("a part has the port it had, else its usual one, else a free one", async () => {
  const usual = USUAL_PORTS.api as number;
  assert.deepEqual(await choosePorts(["api"], {}, ports([])), { api: usual });
  assert.deepEqual(await choosePorts(["api"], { api: 9_000 }, ports([])), { api: 9_000 });
  assert.deepEqual(await choosePorts(["api"], { api: 9_000 }, ports([9_000])), { api: usual });
  assert.deepEqual(await choosePorts(["api"], { api: 9_000 }, ports([9_000, usual])), { api: 50_000 });
  assert.deepEqual(await choosePorts(["transcoder-1"], {}, ports([])), { "transcoder-1": 50_000 });
});

test("no port is given twice", async () => {
  const delivery = USUAL_PORTS.delivery as number;
  const chosen = await choosePorts(["api", "delivery", "x", "y"], { api: delivery, x: delivery }, ports([]));
  assert.equal(chosen.api, delivery);
  assert.equal(new Set(Object.values(chosen)).size, 4);
});

test("a port is free exactly while nobody listens on it", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal(await isPortFree(port), false);
  server.close();
  await once(server, "close");
  assert.equal(await isPortFree(port), true);
  assert.equal(await isPortFree(await anyFreePort()), true);
});
