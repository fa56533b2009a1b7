import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import test from "node:test";
import { holdFreePorts, holdPorts, isPortFree } from "../../infra/start/ports.ts";

/** Somebody else's server. */
async function listen(context: test.TestContext, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(port, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("a part has the port it had, else a free one; no port is given twice", async (context) => {
  const { server, port: had } = await listen(context);
  server.close();
  await once(server, "close");
  const { port: taken } = await listen(context);
  const { numbers } = await holdPorts(["w", "x", "y", "z"], { w: had, x: had, y: taken });
  assert.equal(numbers.w, had);
  assert.ok(Object.values(numbers).every((port) => port > 0));
  assert.equal(new Set([taken, ...Object.values(numbers)]).size, 5);
});

test("a part without a memory has its usual port, or another where that one is taken", async () => {
  const first = await holdPorts(["api"], {});
  // Whoever has 8080 on this machine, we or another, has it: the second start gets another.
  const second = await holdPorts(["api"], {});
  assert.equal(await isPortFree(8080), false);
  assert.notEqual(second.numbers.api, 8080);
  assert.notEqual(second.numbers.api, first.numbers.api);
  await Promise.all([first.handOver("api"), second.handOver("api")]);
});

test("a held port is nobody else's until it is handed over, and is refused once a stranger has it", async (context) => {
  const ports = await holdFreePorts(["a"]);
  const port = ports.numbers.a as number;
  assert.equal(await isPortFree(port), false);
  assert.equal(await ports.handOver("a"), true);
  assert.equal(await isPortFree(port), true);
  await listen(context, port);
  assert.equal(await ports.handOver("a"), false);
});
