import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { exportSPKI, generateKeyPair } from "jose";
import { readApiConfig } from "../../api/config.ts";
import { countingInRedis, openTestApi } from "./api-for-test.ts";
import { openIssuer } from "./issuer-for-test.ts";

const stranger = await generateKeyPair("ES256");
const { publicKey, jwt, signed } = await openIssuer();
const api = await openTestApi("auth", (config) => ({ ...config, jwt }));

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

async function statusOf(token: string): Promise<number> {
  return (await api.request("/v1/assets", { headers: { Authorization: `Bearer ${token}` } })).status;
}

describe("a JWT", () => {
  test("of the right issuer, audience and time is taken, with its tenant and role", async () => {
    assert.equal(await statusOf(await signed({})), 200);
    assert.equal(await statusOf(await signed({ role: undefined, roles: ["viewer", "admin"] })), 200);
    assert.equal(await statusOf(await signed({ role: "viewer" })), 403);
  });

  test("T28: that is anything else is 401", async () => {
    const now = Math.floor(Date.now() / 1000);
    const spki = await exportSPKI(publicKey);
    const claims = { iss: jwt.issuer, aud: jwt.audience, sub: "u1", exp: now + 600, role: "admin" };
    const shared = `${base64url({ alg: "HS256", kid: "k1" })}.${base64url(claims)}`;
    const good = await signed({});
    const [head, , signature] = good.split(".");
    const bad: Record<string, string> = {
      "alg none": `${base64url({ alg: "none" })}.${base64url(claims)}.`,
      "a public key as shared secret": `${shared}.${createHmac("sha256", spki).update(shared).digest("base64url")}`,
      "other claims under a good signature": `${head}.${base64url(claims)}.${signature}`,
      "another key": await signed({}, stranger.privateKey),
      "another issuer": await signed({ iss: "https://evil.test" }),
      "another audience": await signed({ aud: "other" }),
      expired: await signed({ exp: now - 3_600 }),
      "not yet": await signed({ nbf: now + 3_600 }),
      "no expiry": await signed({ exp: undefined }),
      "no subject": await signed({ sub: undefined }),
      "no role": await signed({ role: undefined }),
      "an unknown role": await signed({ role: "root" }),
      "a role that is an object": await signed({ role: { $ne: 1 } }),
      "a tenant that is a path": await signed({ tenant: "../other" }),
      "a tenant that is an object": await signed({ tenant: { $ne: 1 } }),
    };
    for (const [what, token] of Object.entries(bad)) assert.equal(await statusOf(token), 401, what);
  });
});

describe("who asks too often", () => {
  test("is told how much there is and when to come again, whether known or a stranger", async () => {
    const scarce = await openTestApi("scarce", (config) => ({
      ...config,
      rates: { perAccount: 2, perStranger: 2 },
    }));
    await countingInRedis(scarce);
    const wrong = { headers: { Authorization: "Bearer mk_wrong" } };
    let guesses = 0;
    const ask = {
      account: () => scarce.as("alpha")("GET", "/v1/assets"),
      stranger: () => scarce.request("/v1/assets", wrong),
      // Another word each time: the same one again costs nothing.
      guesser: () => scarce.request(`/l/no-such-words-${guesses++}`),
    };
    for (const [who, one] of Object.entries(ask)) {
      const answers = [await one(), await one(), await one()];
      const { status, headers } = answers[2]!;
      assert.deepEqual(
        [status, headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")],
        [429, "2", "0"],
        who,
      );
      const resetSeconds = Number(headers.get("ratelimit-reset"));
      assert.ok(resetSeconds >= 1 && resetSeconds <= 60, who);
      assert.equal(Number(headers.get("retry-after")), resetSeconds, who);
    }
  });
});

describe("without Redis (F08)", () => {
  test("requests are answered and budgets still hold", async () => {
    const cut = await openTestApi("noredis", (config) => ({
      ...config,
      queue: { ...config.queue, url: "redis://127.0.0.1:1" },
      rates: { perAccount: 3, perStranger: 3 },
    }));
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await cut.as("alpha")("GET", "/v1/assets")).status);
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
    const ready = await cut.request("/readyz");
    const body = await ready.json();
    assert.deepEqual([ready.status, body.status, body.dependencies.redis.ok], [200, "degraded", false]);
  });
});

describe("the settings", () => {
  test("name every one that is wrong and no secret", () => {
    const secret = randomBytes(8).toString("hex");
    const read = () =>
      readApiConfig({
        MATINEE_GRANT_KEYS: `k:${secret}`,
        MATINEE_HTTP_PORT: "x",
        MATINEE_BOOT_KEYS: `{"${secret}`,
        MATINEE_S3_ENDPOINT: "ftp://x",
      });
    assert.throws(read, (thrown: Error) => {
      for (const name of [
        "MONGO_URL",
        "REDIS_URL",
        "GRANT_KEYS",
        "HTTP_PORT",
        "BOOT_KEYS",
        "S3_ENDPOINT",
        "DELIVERY_URL",
      ]) {
        assert.match(thrown.message, new RegExp(`MATINEE_${name}`));
      }
      assert.ok(!thrown.message.includes(secret));
      return true;
    });
  });
});
