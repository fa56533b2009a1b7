import assert from "node:assert/strict";
import { test } from "node:test";
import { readDeliveryConfig } from "../../delivery/config.ts";

const GOOD = {
  MATINEE_S3_ENDPOINT: "http://127.0.0.1:9000",
  MATINEE_S3_ACCESS_KEY_ID: "id",
  MATINEE_S3_SECRET_ACCESS_KEY: "secret",
  MATINEE_S3_MEDIA_BUCKET: "media",
  MATINEE_GRANT_KEYS: `k1:${"ab".repeat(32)}`,
};

test("settings are typed, with defaults for what may be left out", () => {
  const config = readDeliveryConfig({ ...GOOD, MATINEE_CORS_ORIGINS: "http://a.test, https://b.test:8443" });
  assert.deepEqual(config.http, { host: "127.0.0.1", port: 8081, maxConnections: 4096 });
  assert.deepEqual(config.corsOrigins, ["http://a.test", "https://b.test:8443"]);
  assert.equal(config.grantKeys[0]?.kid, "k1");
  assert.equal(config.logLevel, "info");
});

test("every setting at fault is named, and no secret is shown", () => {
  const secret = "ab".repeat(31);
  const bad = {
    MATINEE_S3_ENDPOINT: "ftp://x",
    MATINEE_HTTP_PORT: "80a",
    MATINEE_MAX_CONNECTIONS: "0",
    MATINEE_GRANT_KEYS: `k1:${secret}`,
    MATINEE_CORS_ORIGINS: "http://a.test/path",
    MATINEE_LOG_LEVEL: "loud",
  };
  assert.throws(
    () => readDeliveryConfig(bad),
    (thrown: Error) =>
      [...Object.keys(bad), "MATINEE_S3_MEDIA_BUCKET is missing"].every((name) =>
        thrown.message.includes(name),
      ) && !thrown.message.includes(secret),
  );
});

test("an empty key list, * beside an origin, and an origin with a slash are refused", () => {
  for (const change of [
    { MATINEE_GRANT_KEYS: "" },
    { MATINEE_CORS_ORIGINS: "*,http://a.test" },
    { MATINEE_CORS_ORIGINS: "http://a.test/" },
    { MATINEE_CORS_ORIGINS: "null" },
  ]) {
    assert.throws(() => readDeliveryConfig({ ...GOOD, ...change }), JSON.stringify(change));
  }
});
