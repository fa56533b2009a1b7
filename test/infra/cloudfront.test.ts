import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { parseGrantKeys } from "../../core/grant.ts";
import { changesBetween, entriesOf } from "../../infra/cloudfront/key-value-entries.ts";
import type { GrantVector } from "../core/make-grant-vectors.ts";
import { listOf, VECTOR_NOW, vectorKeys } from "../delivery/edge-under-test.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const { vectors } = JSON.parse(read("test/grant-vectors.json")) as { vectors: GrantVector[] };
const terraform = read("infra/terraform/main.tf");

const STEERING = "https://api.test";

/** The function as main.tf puts it together. */
const code = (read("infra/edge/grant.js") + read("infra/terraform/viewer-request.js"))
  .replace(/^export default .*$/gm, "")
  .replace(/^ *\/\/.*\n/gm, "")
  .replace("@STEERING_URL@", STEERING);

interface Answer {
  statusCode?: number;
  uri?: string;
  headers?: { location?: { value: string } };
  querystring?: object;
}

/** A runtime with what CloudFront's has and nothing else: no process, timers, network, nor code made of strings. */
function openFunction(): (event: object, entries: Map<string, string>) => Promise<Answer> {
  let present = new Map<string, string>();
  const kvs = {
    exists: async (name: string) => present.has(name),
    get: async (name: string) => {
      if (!present.has(name)) throw new Error("KeyNotFound");
      return present.get(name);
    },
  };
  const onlyCrypto = (name: string) => {
    assert.equal(name, "crypto");
    return { createHash, createHmac };
  };
  const context = createContext(
    { require: onlyCrypto, Buffer, cf: { kvs: () => kvs } },
    { codeGeneration: { strings: false, wasm: false } },
  );
  runInContext(`"use strict"; Date.now = () => ${VECTOR_NOW * 1_000};`, context);
  const handler = runInContext(
    `"use strict"; ${code.replace(/^import cf from 'cloudfront';$/m, "")}\nhandler;`,
    context,
  ) as (event: object) => Promise<Answer>;
  return (event, entries) => {
    present = entries;
    return handler(event);
  };
}

function eventOf({ rawPath, asker }: Pick<GrantVector, "rawPath" | "asker">, method = "GET") {
  const headers = {
    ...(asker?.userAgent === undefined ? {} : { "user-agent": { value: asker.userAgent } }),
    ...(asker?.country === undefined ? {} : { "cloudfront-viewer-country": { value: asker.country } }),
  };
  return {
    viewer: { ip: asker?.address ?? "" },
    request: { method, uri: rawPath, querystring: { x: { value: "1" } }, headers },
  };
}

test("the CloudFront function judges every vector as the file says, and strips the grant", async () => {
  const ask = openFunction();
  for (const vector of vectors) {
    assert.equal(vector.nowSeconds, VECTOR_NOW);
    const answer = await ask(eventOf(vector), entriesOf(vectorKeys, listOf(vector.revoked)));
    if (vector.allow) {
      assert.equal(answer.uri, vector.rawPath.replace(/^\/v\/[^/]+/, ""), vector.name);
      assert.equal(JSON.stringify(answer.querystring), "{}");
    } else assert.equal(answer.statusCode, 403, vector.name);
  }
});

test("no object class is read without a grant, and only reading is allowed", async () => {
  const ask = openFunction();
  const entries = entriesOf(vectorKeys, listOf());
  const good = vectors.filter(({ allow, asker, revoked }) => allow && !asker && !revoked);
  for (const { rawPath } of good.slice(0, 30)) {
    const path = rawPath.replace(/^\/v\/[^/]+/, "");
    for (const bad of [path, `/v${path}`, `/v/x${path}`, `${rawPath}/..`, "/revocations.json", "/"]) {
      for (const method of ["GET", "HEAD", "POST"])
        assert.equal((await ask(eventOf({ rawPath: bad }, method), entries)).statusCode, 403, bad);
    }
    assert.equal((await ask(eventOf({ rawPath }, "POST"), entries)).statusCode, 405);
    assert.equal((await ask(eventOf({ rawPath }, "OPTIONS"), entries)).statusCode, 204);
    assert.equal((await ask(eventOf({ rawPath }), new Map())).statusCode, 403, "without any key");
  }
});

test("who asks which edge to play from is sent to the API, under a good grant alone", async () => {
  const ask = openFunction();
  const entries = entriesOf(vectorKeys, listOf());
  const good = vectors.find(({ allow, asker, revoked, rawPath }) => {
    return allow && !asker && !revoked && !rawPath.includes("/images");
  })!;
  const path = good.rawPath.replace(/^(\/v\/[^/]+\/[^/]+\/[^/]+\/).*$/, "$1steering.json");
  const event = eventOf({ rawPath: path });
  Object.assign(event.request.headers, { host: { value: "d1.test" } });
  Object.assign(event.request.querystring, { _HLS_pathway: { value: "." } });
  const answer = await ask(event, entries);
  assert.deepEqual(
    [answer.statusCode, answer.headers?.location?.value],
    [307, `${STEERING}/steering${path}?edge=d1.test&_HLS_pathway=.`],
  );
  assert.equal((await ask(eventOf({ rawPath: path.replace("/v/1.", "/v/1.x") }), entries)).statusCode, 403);
});

const hasNjs = spawnSync("njs", ["-v"]).status === 0;
test("in njs itself, of which CloudFront's runtime is made, the shared part judges every vector alike", {
  skip: hasNjs ? false : "there is no njs command",
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "matinee-njs-"));
  try {
    writeFileSync(join(folder, "grant.js"), read("infra/edge/grant.js"));
    const keys = Object.fromEntries(
      vectorKeys.map(({ kid, secret }) => [`kid ${kid}`, Buffer.from(secret).toString("hex")]),
    );
    const script = `import grants from 'grant.js';
const fs = require('fs');
const keys = ${JSON.stringify(keys)};
JSON.parse(fs.readFileSync(${JSON.stringify(join(root, "test/grant-vectors.json"))}, 'utf8')).vectors.forEach((vector) => {
  const grant = grants.readGrant(vector.rawPath);
  const revoked = vector.revoked || {};
  let allow = grant !== null && grants.isGood(grant, keys['kid ' + grant.kid], vector.nowSeconds, vector.asker || {});
  if (allow) grants.revocationsOf(grant).forEach((entry) => {
    const parts = entry.split('/');
    if ((revoked[parts[0]] || []).indexOf(parts[1]) >= 0) allow = false;
  });
  if (allow !== vector.allow) console.log(vector.name);
});
console.log('judged');
`;
    writeFileSync(join(folder, "judge.js"), script);
    const njs = spawnSync("njs", ["-p", folder, join(folder, "judge.js")], { encoding: "utf8" });
    assert.deepEqual([njs.stdout.trim(), njs.stderr.trim()], ["judged", ""]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the function is small enough, and asks for nothing that its runtime has not", () => {
  assert.ok(Buffer.byteLength(code) <= 10 * 1_024, `${Buffer.byteLength(code)} bytes`);
  assert.deepEqual(
    [...code.matchAll(/\brequire\('([^']+)'\)|^import .* from '([^']+)'/gm)].map(
      ([, one, two]) => one ?? two,
    ),
    ["crypto", "cloudfront"],
  );
  assert.doesNotMatch(
    code,
    /\b(fetch|setTimeout|setInterval|process|eval|BigInt|timingSafeEqual)\b|\?\.|\?\?|`/,
  );
});

test("the store of the function is brought into step: refusals first, and never a key that was revoked", () => {
  const keys = parseGrantKeys(`a:${"ab".repeat(32)},b:${"cd".repeat(32)}`);
  const before = entriesOf(keys, listOf({ sessions: ["ps_old"] }));
  const after = entriesOf(
    keys,
    listOf({ sessions: Array.from({ length: 60 }, (_, at) => `ps_${at}`), keys: ["a"] }),
  );
  assert.equal(after.has("key/a"), false);
  const present = new Map(before);
  const calls = changesBetween(before, after);
  assert.deepEqual(calls[0]?.deletes[0], { Key: "key/a" });
  for (const { puts, deletes } of calls) {
    assert.ok(puts.length + deletes.length <= 50);
    for (const { Key } of deletes) present.delete(Key);
    for (const { Key, Value } of puts) present.set(Key, Value);
  }
  assert.deepEqual(present, after);
  assert.deepEqual(changesBetween(after, after), []);
});

test("the bucket is private, the distribution alone reads it, and every request meets the function", () => {
  for (const needed of [
    /block_public_acls\s+= true/,
    /restrict_public_buckets\s+= true/,
    /origin_access_control_id\s+= aws_cloudfront_origin_access_control\.media\.id/,
    /signing_behavior\s+= "always"/,
    /variable = "AWS:SourceArn"/,
    /viewer_protocol_policy\s+= "https-only"/,
    /"TLSv1\.2_2021"/,
    /query_string_behavior = "none"/,
    /event_type\s+= "viewer-request"/,
    /runtime\s+= "cloudfront-js-2\.0"/,
  ]) {
    assert.match(terraform, needed);
  }
  assert.doesNotMatch(terraform, /ordered_cache_behavior|s3:ListBucket|acl\s+= "public/);
  const all = readdirSync(join(root, "infra/terraform"))
    .filter((name) => name.endsWith(".tf"))
    .map((name) => read(`infra/terraform/${name}`))
    .join("\n");
  const declared = new Set([...all.matchAll(/^variable "(\w+)"/gm)].map(([, name]) => name));
  assert.deepEqual(new Set([...all.matchAll(/\bvar\.(\w+)/g)].map(([, name]) => name)), declared);
});

const environment = { ...process.env, TF_CLI_CONFIG_FILE: "/dev/null", CHECKPOINT_DISABLE: "1" };
const hasTerraform = spawnSync("terraform", ["version"], { env: environment }).status === 0;
const skip = hasTerraform ? false : "there is no terraform here";
test("Terraform reads the files and puts the function together as this test did", { skip }, () => {
  const format = spawnSync("terraform", ["fmt", "-check", "-diff", join(root, "infra/terraform")], {
    env: environment,
    encoding: "utf8",
  });
  assert.equal(format.status, 0, format.stdout + format.stderr);
  const expression = /code = (replace\([\s\S]*?\n {2}\))\n/
    .exec(terraform)![1]!
    .replace(/\$\{path\.module\}/g, join(root, "infra/terraform"))
    .replace("var.steering_url", JSON.stringify(STEERING));
  const folder = mkdtempSync(join(tmpdir(), "matinee-terraform-"));
  try {
    // The console reads one line at a time.
    const input = `jsonencode(${expression.replace(/\n\s*/g, " ")})\n`;
    const console = spawnSync("terraform", ["console"], {
      cwd: folder,
      env: environment,
      input,
      encoding: "utf8",
    });
    assert.equal(console.status, 0, console.stderr);
    assert.equal(JSON.parse(JSON.parse(console.stdout)), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
