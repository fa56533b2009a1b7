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
  assert.deepEqual([config.cache, config.tls], [null, null]);
  assert.deepEqual(config.trustedHeaders, { address: null, country: null });
});

test("a cache, a certificate and headers of a proxy are there where they are named", () => {
  const config = readDeliveryConfig({
    ...GOOD,
    MATINEE_EDGE_CACHE_DIR: "/var/cache/matinee",
    MATINEE_EDGE_MEMORY_BYTES: "0",
    MATINEE_TLS_CERT_FILE: "/c.pem",
    MATINEE_TLS_KEY_FILE: "/k.pem",
    MATINEE_CLIENT_ADDRESS_HEADER: "X-Forwarded-For",
  });
  assert.deepEqual(config.cache, {
    folder: "/var/cache/matinee",
    diskBytes: 10 * 1_024 ** 3,
    memoryBytes: 0,
  });
  assert.deepEqual(config.tls, { certFile: "/c.pem", keyFile: "/k.pem" });
  assert.deepEqual(config.trustedHeaders, { address: "x-forwarded-for", country: null });
  const alone = { ...GOOD, MATINEE_TLS_CERT_FILE: "/c.pem" };
  assert.throws(() => readDeliveryConfig(alone), /MATINEE_TLS_KEY_FILE go together/);
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

test("grant keys stand in the settings or in a file, and never in both", () => {
  const inFile = { ...GOOD, MATINEE_GRANT_KEYS: "", MATINEE_GRANT_KEYS_FILE: "/run/secrets/keys" };
  const { grantKeys, grantKeysFile } = readDeliveryConfig(inFile);
  assert.deepEqual([grantKeys, grantKeysFile], [[], "/run/secrets/keys"]);
  assert.equal(readDeliveryConfig(GOOD).grantKeysFile, null);
  const both = { ...GOOD, MATINEE_GRANT_KEYS_FILE: "/run/secrets/keys" };
  assert.throws(() => readDeliveryConfig(both), /MATINEE_GRANT_KEYS_FILE exclude each other/);
  const neither = { ...GOOD, MATINEE_GRANT_KEYS: undefined };
  assert.throws(() => readDeliveryConfig(neither), /MATINEE_GRANT_KEYS is missing/);
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
