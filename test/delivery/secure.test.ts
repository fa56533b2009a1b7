import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { Agent, get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect, type SecureVersion } from "node:tls";
import { type Edge, openEdge, storePackage } from "./edge-for-test.ts";

const NAME = "secure";
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const options = { skip: hasOpenssl ? false : "there is no openssl to make a certificate with" };
const folder = mkdtempSync(join(tmpdir(), "matinee-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function certificate(): { cert: Buffer; key: Buffer } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
  ];
  execFileSync("openssl", [...made, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

function handshake(edge: Edge, ca: Buffer, version: SecureVersion): Promise<string> {
  return new Promise((resolve) => {
    const port = Number(new URL(edge.url).port);
    const ciphers = "DEFAULT@SECLEVEL=0";
    const socket = connect(
      { port, ca, ciphers, host: "127.0.0.1", minVersion: version, maxVersion: version },
      () => {
        resolve(socket.getProtocol() ?? "none");
        socket.destroy();
      },
    );
    socket.once("error", () => resolve("refused"));
  });
}

// The limit only ends a hang of the stop, which is part of what is shown.
test("with a certificate the edge speaks HTTP/2 and HTTP/1.1 over TLS 1.2 and newer, and stops", {
  ...options,
  timeout: 240_000,
}, async () => {
  const tls = certificate();
  const { prefix, objects } = await storePackage(NAME);
  const edge = await openEdge(NAME, { tls });
  const path = `/v/${edge.grant(prefix)}${prefix}video/360p/00000.m4s`;
  const segment = objects.get("video/360p/00000.m4s")!;
  const versions = ["TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;
  const spoken = await Promise.all(versions.map((version) => handshake(edge, tls.cert, version)));
  assert.deepEqual(spoken, ["refused", "TLSv1.2", "TLSv1.3"]);

  const session = connectHttp2(edge.url, { ca: tls.cert });
  const ask = async (headers: Record<string, string>): Promise<[number, Buffer]> => {
    const stream = session.request(headers);
    const status = new Promise<number>((resolve) =>
      stream.once("response", (answer) => resolve(answer[":status"]!)),
    );
    return [await status, Buffer.concat(await stream.toArray())];
  };
  const answers = await Promise.all([
    ask({ ":path": path }),
    ask({ ":path": path, range: "bytes=5-9" }),
    ask({ ":path": path, ":method": "HEAD" }),
    ask({ ":path": `/v/x${prefix}main.m3u8` }),
    ask({ ":path": "/healthz" }),
  ]);
  assert.deepEqual(
    answers.map(([status]) => status),
    [200, 206, 200, 403, 200],
  );
  assert.deepEqual(answers[0]?.[1], segment);
  assert.deepEqual(answers[1]?.[1], segment.subarray(5, 10));

  const agent = new Agent({ keepAlive: true, ca: tls.cert });
  const old = await new Promise<Buffer>((resolve, reject) => {
    get(`${edge.url}${path}`, { agent }, (answer) =>
      answer.toArray().then((all) => resolve(Buffer.concat(all)), reject),
    );
  });
  assert.deepEqual(old, segment);
  // Both connections are idle now: neither may hold the stop up.
  await edge.app.stop(600_000);
  edge.revocations.close();
  edge.blobs.close();
  agent.destroy();
});
