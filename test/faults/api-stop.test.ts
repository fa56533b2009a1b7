import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import { eventually, isListening } from "../rig/processes.ts";
import { type Product, startProduct } from "../rig/product.ts";

let product: Product;
after(() => product?.stop());

test("F04 an API told to stop in mid-request answers it, refuses new ones and leaves cleanly, whatever its callers keep open", async () => {
  product = await startProduct({ workers: 0 });
  const { port } = new URL(product.apiUrl);
  const api = product.apis[0]!;
  const left = once(api, "exit");
  const body = JSON.stringify({ name: 1 });
  const caller = connect(Number(port), "127.0.0.1").setEncoding("utf8");
  caller.write(
    [
      ...["POST /v1/titles HTTP/1.1", "Host: localhost", `Authorization: Bearer ${product.tokens.editor}`],
      ...["Content-Type: application/json", `Content-Length: ${body.length}`, "Expect: 100-continue", "", ""],
    ].join("\r\n"),
  );
  assert.match((await once(caller, "data"))[0], /^HTTP\/1.1 100 /);
  api.kill("SIGTERM");
  await eventually("new callers are refused", 60, async () => !(await isListening(Number(port))) || null);
  caller.write(body);
  // A load balancer keeps an idle connection for 60 s: it is to close first.
  assert.match((await once(caller, "data"))[0], /^HTTP\/1.1 400 .*\r\nKeep-Alive: timeout=65\r\n/s);
  assert.deepEqual(await left, [0, null]);
});
