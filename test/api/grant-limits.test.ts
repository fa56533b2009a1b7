import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readApiConfig } from "../../api/config.ts";
import { splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import type { Asker } from "../../core/grant-limits.ts";
import { openTestApi, publishedMovie } from "./api-for-test.ts";

const api = await openTestApi("grant-limits", (config) => ({
  ...config,
  countryHeader: "X-Country",
  addressHeader: "X-Address",
  grantLimits: ["network", "country", "device"],
}));
const viewer = api.as("alpha", "viewer");
const AT_HOME: Asker = { address: "192.0.2.7", country: "DE", userAgent: "player/1" };

/** As the proxy before the API says it. */
function headersOf({ address, country, userAgent }: Asker): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ "X-Address": address, "X-Country": country, "User-Agent": userAgent }).filter(
      (header): header is [string, string] => header[1] !== null,
    ),
  );
}

async function open(titleId: string, asker: Asker) {
  const { status, body } = await viewer("POST", "/v1/playback", { titleId }, headersOf(asker));
  assert.equal(status, 201);
  return body;
}

/** What an edge says to who asks with that URL. */
function verdict(url: string, asker: Asker): string {
  const split = splitGrantedPath(new URL(url).pathname);
  assert.ok(split);
  const found = verifyGrant(api.deps.config.grantKeys, split.grant, split.path, Date.now() / 1000, asker);
  return found.ok ? "ok" : found.reason;
}

describe("grants that are bound to their viewer", () => {
  test("are good in the same network, country and on the same device alone, renewed ones too", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const opened = await open(titleId, AT_HOME);
    const renewal = `/v1/playback/${opened.sessionId}/renew`;
    const renewed = await viewer("POST", renewal, undefined, headersOf(AT_HOME));
    const others: [Partial<Asker>, string][] = [
      [{}, "ok"],
      [{ address: "192.0.2.200" }, "ok"],
      [{ address: "::ffff:192.0.2.9" }, "ok"],
      [{ address: "198.51.100.7" }, "limits"],
      [{ address: null }, "limits"],
      [{ country: "FR" }, "limits"],
      [{ userAgent: "player/2" }, "limits"],
    ];
    for (const { manifestUrl } of [opened, renewed.body])
      for (const [other, expected] of others)
        assert.equal(verdict(manifestUrl, { ...AT_HOME, ...other }), expected, JSON.stringify(other));
    const away = { ...AT_HOME, address: "2001:db8:1::7" };
    const moved = await viewer("POST", renewal, undefined, headersOf(away));
    assert.equal(verdict(moved.body.manifestUrl, { ...away, address: "2001:db8:1:ffff::8" }), "ok");
    assert.equal(verdict(moved.body.manifestUrl, AT_HOME), "limits");
  });

  test("are good in every region of their title", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    await api.as("alpha")("POST", `/v1/titles/${titleId}/publish`, { regions: ["DE", "AT"] });
    const { manifestUrl } = await open(titleId, AT_HOME);
    const answers = ["DE", "AT", "CH"].map((country) => verdict(manifestUrl, { ...AT_HOME, country }));
    assert.deepEqual(answers, ["ok", "ok", "limits"]);
  });

  test("are not bound to what nobody knows", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { manifestUrl } = await open(titleId, { ...AT_HOME, address: null, country: null });
    assert.equal(verdict(manifestUrl, { ...AT_HOME, address: "198.51.100.7", country: "FR" }), "ok");
  });

  test("are shown to the steering server from where they are good", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { pathname } = new URL((await open(titleId, AT_HOME)).manifestUrl);
    const steering = `/steering${pathname.replace("main.m3u8", "steering.json")}`;
    const statusFrom = async (asker: Asker) =>
      (await api.request(steering, { headers: headersOf(asker) })).status;
    assert.equal(await statusFrom(AT_HOME), 200);
    assert.equal(await statusFrom({ ...AT_HOME, address: "198.51.100.7" }), 403);
  });

  test("are what the setting names, and another word in it is refused in words", () => {
    const read = (limits: string) => () => readApiConfig({ MATINEE_GRANT_LIMITS: limits });
    assert.throws(read("country, device"), (error: Error) => !error.message.includes("GRANT_LIMITS"));
    assert.throws(read("country,moon"), /MATINEE_GRANT_LIMITS: may name network, country, device, by commas/);
  });
});
