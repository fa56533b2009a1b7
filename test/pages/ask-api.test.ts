import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { askApi } from "../../player-demo/ask-api.ts";

/** Asks a server that answers so. */
async function asked(answer: RequestListener, deadlineMs?: number): Promise<unknown> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    return (await askApi("token", "GET", `http://127.0.0.1:${port}/`, { deadlineMs })).answer;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("an answer that does not come in time, or not whole, is none", async () => {
  const unreachable = { status: 0, code: "unreachable" };
  await assert.rejects(
    asked(() => undefined, 20),
    unreachable,
    "nothing was said",
  );
  const begun: RequestListener = (_request, response) => response.writeHead(200).write("{");
  await assert.rejects(asked(begun, 500), unreachable, "it stopped in the middle");
  const cut: RequestListener = (_request, response) => {
    response.writeHead(200, { "Content-Length": "9" }).write("{", () => response.destroy());
  };
  await assert.rejects(asked(cut), unreachable, "it broke off");
});

test("an answer is what it says, and nothing where it says nothing", async () => {
  assert.deepEqual(await asked((_request, response) => response.end('{"a":1}')), { a: 1 });
  assert.equal(await asked((_request, response) => response.writeHead(204).end()), undefined);
  const refused: RequestListener = (_request, response) => response.writeHead(409).end('{"code":"no"}');
  await assert.rejects(asked(refused), { status: 409, code: "no" });
  const proxy: RequestListener = (_request, response) => response.writeHead(502).end("<p>Bad gateway");
  await assert.rejects(asked(proxy), { status: 502, code: "http_error" });
});
