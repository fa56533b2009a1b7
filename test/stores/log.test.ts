import assert from "node:assert/strict";
import { test } from "node:test";
import { openLog } from "../../stores/log.ts";

const CANARY = "CaNaRy0123456789";

function logged(write: (log: ReturnType<typeof openLog>) => void): string {
  let text = "";
  write(openLog({ name: "test", level: "info", destination: { write: (line) => (text += line) } }));
  return text;
}

test("no secret reaches a line, wherever it stands (T29, T44)", () => {
  const places: [string, (log: ReturnType<typeof openLog>) => void][] = [
    ["a grant in a member", (log) => log.info({ path: `/v/${CANARY}/as_1/g/main.m3u8` }, "read")],
    ["a grant in a message", (log) => log.info(`GET http://edge.test/v/${CANARY}/as_1/g/main.m3u8?x=1`)],
    ["a grant with nothing behind", (log) => log.info({ url: `/v/${CANARY}` }, "read")],
    [
      "a presigned URL",
      (log) => log.info({ url: `http://s3/x?X-Amz-Date=1&X-Amz-Signature=${CANARY}&x=1` }, "put"),
    ],
    ["a credential in a URL", (log) => log.info(`http://s3/x?X-Amz-Credential=${CANARY}%2Fus-east-1`)],
    ["a header", (log) => log.info({ request: { headers: { authorization: `Basic ${CANARY}` } } }, "in")],
    ["a bearer token in a message", (log) => log.info(`with Bearer ${CANARY}.x.y`)],
    ["an API key", (log) => log.info({ body: `["mk_${CANARY}"]` }, "in")],
    [
      "an error",
      (log) =>
        log.error(new Error(`could not fetch /v/${CANARY}/as_1`, { cause: new Error(`mk_${CANARY}`) })),
    ],
    [
      "a child's members",
      (log) => log.child({ token: CANARY, s3: { secretAccessKey: CANARY } }).info("made"),
    ],
  ];
  for (const [place, write] of places) {
    const text = logged(write);
    assert.ok(text.length > 0 && !text.includes(CANARY), `${place}: ${text}`);
    for (const line of text.trim().split("\n")) JSON.parse(line);
  }
});

test("what is no secret stays", () => {
  const text = logged((log) =>
    log.child({ requestId: "rq_1" }).info({ path: "/v/x/as_1/g/main.m3u8" }, "read"),
  );
  const line = JSON.parse(text);
  assert.deepEqual(
    [line.name, line.requestId, line.path, line.msg],
    ["test", "rq_1", "/v/***/as_1/g/main.m3u8", "read"],
  );
});

test("lines below the level are not written", () => {
  assert.equal(
    logged((log) => log.debug("detail")),
    "",
  );
});
