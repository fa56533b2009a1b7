import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { GRANT_LEEWAY_SECONDS, splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import { isRevoked, parseRevocations, REVOCATIONS_KEY } from "../../core/revocation.ts";
import { accountId } from "../../stores/library/accounts.ts";
import { upsertApiKeys } from "../../stores/library/api-keys.ts";
import { type Answer, openTestApi, publishedMovie } from "./api-for-test.ts";

const LIMIT = 2;
const api = await openTestApi("streams", (config) => ({ ...config, streamsPerAccount: LIMIT }));
const { titleId } = await publishedMovie(api, "alpha");

type Call = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** An account that has played nothing yet. */
async function newViewer(name: string, at = api): Promise<Call> {
  const token = `mk_streams-${name}`;
  const _id = createHash("sha256").update(token).digest("hex");
  await upsertApiKeys(at.deps.library, [{ _id, tenant: "alpha", subject: name, role: "viewer" }]);
  return async (method, path, body) => {
    const answer = await at.request(path, {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === "" ? {} : JSON.parse(text) };
  };
}

const play = (call: Call, more: object = {}) => call("POST", "/v1/playback", { titleId, ...more });
const renew = (call: Call, sessionId: string) => call("POST", `/v1/playback/${sessionId}/renew`);

/** Whether an edge that has the newest list lets the URL be read. */
async function plays(url: string): Promise<boolean> {
  await api.deps.revoker.refresh();
  const list = parseRevocations(
    Buffer.from((await api.deps.blobs.read("media", REVOCATIONS_KEY))!).toString(),
  );
  const { grant, path } = splitGrantedPath(new URL(url).pathname)!;
  const verdict = verifyGrant(api.deps.config.grantKeys, grant, path, Date.now() / 1_000);
  return verdict.ok && !isRevoked(list, verdict);
}

describe("streams of one account", () => {
  test("one too many is refused with what plays; stopping one makes room", async () => {
    const call = await newViewer("one-too-many");
    const [first, second] = [await play(call), await play(call)];
    const refused = await play(call);
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.limit],
      [409, "too_many_streams", LIMIT],
    );
    assert.match(refused.headers.get("Content-Type") ?? "", /problem\+json/);
    assert.deepEqual(
      refused.body.streams.map((one: object) => Object.keys(one)),
      [first, second].map(() => ["sessionId", "titleId", "title", "startedAt"]),
    );
    assert.deepEqual(
      refused.body.streams.map((one: { sessionId: string; title: string }) => [one.sessionId, one.title]),
      [first, second].map(({ body }) => [body.sessionId, "A Film"]),
    );
    assert.equal((await call("DELETE", `/v1/playback/${first.body.sessionId}`)).status, 204);
    assert.equal((await play(call)).status, 201);
    assert.equal((await play(await newViewer("another"))).status, 201, "another account is not held back");
  });

  test("takeover ends the oldest, or the one that is named, on the edges too", async () => {
    const call = await newViewer("takeover");
    const [first, second] = [await play(call, { capabilities: { renews: true } }), await play(call)];
    const events = [
      { type: "startup", seq: 0, startupSeconds: 1, at: "2026-01-01T00:00:00Z", positionSeconds: 1 },
    ];
    await call("POST", `/v1/playback/${first.body.sessionId}/beacons`, { events });
    const closeAt = async () =>
      (await api.deps.library.reports.findOne({ _id: first.body.sessionId }))!.closeAt.getTime();
    const inSilence = await closeAt();
    const third = await play(call, { takeover: true });
    assert.ok((await closeAt()) < inSilence, "nothing more is waited for");
    assert.equal(third.status, 201);
    assert.deepEqual(
      [await plays(first.body.manifestUrl), await plays(second.body.manifestUrl)],
      [false, true],
    );
    assert.equal((await renew(call, first.body.sessionId)).body.code, "playback_over");
    const fourth = await play(call, { takeover: third.body.sessionId });
    assert.equal(fourth.status, 201);
    assert.deepEqual(
      [await plays(third.body.manifestUrl), await plays(second.body.manifestUrl)],
      [false, true],
    );
    assert.equal((await play(call, { takeover: "ps_nothing" })).body.code, "too_many_streams");
    assert.equal((await play(call, { takeover: first.body.sessionId })).body.code, "too_many_streams");
  });

  test("of many that begin at one moment no more than the limit get a place", async () => {
    const call = await newViewer("race");
    const answers = await Promise.all(Array.from({ length: 12 }, () => play(call)));
    const won = answers.filter(({ status }) => status === 201);
    assert.equal(won.length, LIMIT);
    for (const { status, body } of answers)
      if (status !== 201) assert.deepEqual([status, body.code], [409, "too_many_streams"]);
    const account = await api.deps.library.accounts.findOne({ _id: accountId("alpha", "race") });
    assert.deepEqual(
      Object.keys(account?.streams ?? {}).sort(),
      won.map(({ body }) => body.sessionId as string).sort(),
    );
    const taken = await Promise.all(Array.from({ length: 6 }, () => play(call, { takeover: true })));
    const live = taken.filter(({ status }) => status === 201);
    assert.equal(live.length, 6);
    const playing = await Promise.all(live.map(({ body }) => plays(body.manifestUrl)));
    assert.equal(playing.filter(Boolean).length, LIMIT, "each that took over ended another one");
  });

  test("of two processes' sessions that begin at one moment one gets the last place", async () => {
    const beside = await openTestApi("streams", (config) => ({ ...config, streamsPerAccount: LIMIT }));
    for (let times = 0; times < 5; times++) {
      const name = `last-place-${times}`;
      const [call, elsewhere] = [await newViewer(name), await newViewer(name, beside)];
      assert.equal((await play(call)).status, 201);
      const answers = await Promise.all([play(call), play(elsewhere)]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409]);
    }
  });

  test("what is renewed while it is stopped plays no more, whichever comes first", async () => {
    const beside = await openTestApi("streams", (config) => ({ ...config, streamsPerAccount: LIMIT }));
    const [call, elsewhere] = [await newViewer("stopped"), await newViewer("stopped", beside)];
    const { sessionId, manifestUrl } = (await play(call, { capabilities: { renews: true } })).body;
    const [stopped, ...renewed] = await Promise.all([
      call("DELETE", `/v1/playback/${sessionId}`),
      renew(call, sessionId),
      renew(elsewhere, sessionId),
      renew(elsewhere, sessionId),
    ]);
    assert.equal(stopped.status, 204);
    for (const { status, body } of renewed) {
      if (status !== 200) assert.equal(body.code, "playback_over");
      else assert.equal(await plays(body.manifestUrl), false);
    }
    assert.equal(await plays(manifestUrl), false);
    for (const one of [call, elsewhere])
      assert.equal((await renew(one, sessionId)).body.code, "playback_over");
  });

  test("a session counts while its grant is good; one that comes back needs a place again", async () => {
    const call = await newViewer("comes-back");
    const first = await play(call, { capabilities: { renews: true } });
    const { sessionId } = first.body;
    const renewed = await renew(call, sessionId);
    assert.equal(renewed.status, 200);
    const own = { _id: accountId("alpha", "comes-back") };
    const account = await api.deps.library.accounts.findOne(own);
    const place = account?.streams?.[sessionId]?.until.getTime();
    const edgesUntil = Date.parse(renewed.body.expiresAt) + GRANT_LEEWAY_SECONDS * 1_000;
    assert.equal(place, edgesUntil, "as long as edges take the grant");
    // As if its five minutes were over.
    const past = { $set: { [`streams.${sessionId}.until`]: new Date(0) } };
    await api.deps.library.accounts.updateOne(own, past);
    const others = [await play(call), await play(call)];
    assert.deepEqual(
      others.map(({ status }) => status),
      [201, 201],
    );
    assert.equal((await renew(call, sessionId)).body.code, "too_many_streams");
    assert.equal((await call("DELETE", `/v1/playback/${others[0]!.body.sessionId}`)).status, 204);
    assert.equal((await renew(call, sessionId)).status, 200);
    assert.equal((await play(call)).body.code, "too_many_streams");
  });

  test("an editor's preview takes no place", async () => {
    const { asset } = await publishedMovie(api, "alpha");
    const editor = api.as("alpha");
    for (let times = 0; times <= LIMIT; times++)
      assert.equal((await editor("POST", `/v1/assets/${asset._id}/preview`)).status, 201);
  });
});
