import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createApp } from "../../api/app.ts";
import { openRevoker } from "../../api/revoker.ts";
import { newId } from "../../core/ids.ts";
import { dyingAfter } from "../rig/dying-library.ts";
import { madeAsset, openTestApi, type Tenant, tokenOf } from "./api-for-test.ts";

const api = await openTestApi("take-down");
const { library } = api.deps;
const viewer = api.as("alpha", "viewer");
const editor = api.as("alpha");
const inAnHour = new Date(Date.now() + 3_600_000).toISOString();

const down = (id: string) => editor("POST", `/v1/titles/${id}/unpublish`);
const stateOf = async (id: string): Promise<string> => (await editor("GET", `/v1/titles/${id}`)).body.state;

/** A title of the tenant, shown as `publication` says; null leaves it a draft. */
async function made(
  type: "series" | "season" | "episode",
  parentId: string | null,
  publication: object | null = {},
  tenant: Tenant = "alpha",
): Promise<{ id: string; assetId: string | null }> {
  const call = api.as(tenant);
  const assetId = type === "episode" ? (await madeAsset(api, tenant, "ready"))._id : null;
  const { status, body } = await call("POST", "/v1/titles", { type, name: "N", parentId, assetId });
  assert.equal(status, 201);
  if (publication !== null)
    assert.equal((await call("POST", `/v1/titles/${body.id}/publish`, publication)).status, 200);
  return { id: body.id, assetId };
}

/** A series with a season of three episodes and a special of its own. */
async function series() {
  const whole = await made("series", null);
  const season = await made("season", whole.id);
  return {
    whole,
    season,
    first: await made("episode", season.id),
    later: await made("episode", season.id, { availableFrom: inAnHour }),
    draft: await made("episode", season.id, null),
    special: await made("episode", whole.id),
  };
}

async function watching(titleId: string): Promise<string> {
  const { status, body } = await viewer("POST", "/v1/playback", {
    titleId,
    capabilities: { renews: true },
  });
  assert.equal(status, 201);
  return body.sessionId;
}

const renewed = async (session: string) => (await viewer("POST", `/v1/playback/${session}/renew`)).status;

/** What is to be told of a title that was not told yet. */
async function toldOf(id: string): Promise<string[]> {
  const record = await library.titles.findOne({ _id: id });
  return (record?.outbox ?? []).filter(({ isForetold }) => !isForetold).map(({ type }) => type);
}

const isCalledBack = async (assetId: string | null) =>
  (await library.revocations.findOne({ _id: `withdrawn:${assetId}` })) !== null;

describe("a series that is taken down", () => {
  test("takes its seasons and episodes along, each as if by itself; drafts and others' titles stay", async () => {
    const { whole, season, first, later, draft, special } = await series();
    const other = await made("episode", (await made("series", null)).id);
    const foreign = await made("series", null, {}, "beta");
    // Not to be had through the API: a part of another tenant's series.
    const stray = await made("episode", foreign.id, {}, "beta");
    await library.titles.updateOne({ _id: stray.id }, { $set: { parentId: whole.id } });
    const sessions = [await watching(first.id), await watching(special.id)];
    const elsewhere = await watching(other.id);
    const before = (await editor("GET", `/v1/titles/${first.id}`)).body.version;

    const answer = await down(whole.id);
    assert.deepEqual([answer.status, answer.body.state, answer.body.id], [200, "unpublished", whole.id]);
    for (const { id } of [season, first, later, special]) assert.equal(await stateOf(id), "unpublished");
    assert.equal((await editor("GET", `/v1/titles/${first.id}`)).body.version, before + 1);
    assert.equal(await stateOf(draft.id), "draft");
    for (const session of sessions) assert.equal(await renewed(session), 409);
    for (const { assetId } of [first, later, special]) assert.ok(await isCalledBack(assetId));
    for (const { id } of [first, special])
      assert.equal((await viewer("POST", "/v1/playback", { titleId: id })).status, 404);
    for (const { id } of [whole, season, first, special])
      assert.deepEqual(await toldOf(id), ["title.published", "title.unpublished"]);
    assert.deepEqual([await toldOf(later.id), await toldOf(draft.id)], [[], []], "nobody had seen them");
    assert.equal(await isCalledBack(draft.assetId), false);

    assert.equal(await renewed(elsewhere), 200);
    assert.equal((await api.as("beta")("GET", `/v1/titles/${stray.id}`)).body.state, "published");

    const versions = async () =>
      Promise.all(
        [whole, season, first].map(async ({ id }) => (await library.titles.findOne({ _id: id }))?.version),
      );
    const once = await versions();
    assert.equal((await down(whole.id)).status, 200);
    assert.deepEqual(await versions(), once, "the same call again changes nothing");
    assert.equal((await editor("POST", `/v1/titles/${whole.id}/publish`, {})).body.state, "published");
    assert.equal(await stateOf(first.id), "unpublished", "each is published by itself");
  });

  test("and a season its own episodes alone; a season that is a draft does not keep its episodes up", async () => {
    const { whole, season, first, special } = await series();
    const hidden = await made("season", whole.id, null);
    const direct = await made("episode", hidden.id);
    await down(season.id);
    const states = async () => Promise.all([whole, first, special, direct].map(({ id }) => stateOf(id)));
    assert.deepEqual(await states(), ["published", "unpublished", "published", "published"]);
    await down(whole.id);
    assert.deepEqual(await states(), ["unpublished", "unpublished", "unpublished", "unpublished"]);
    assert.equal(await stateOf(hidden.id), "draft");
    assert.equal((await down(hidden.id)).body.code, "title_not_published");
  });

  test("wherever that died: the same call again does the rest of it", async () => {
    const { blobs, log, config } = api.deps;
    let isWhole = false;
    let writes = 0;
    for (; !isWhole; writes++) {
      const { whole, season, first, later, special } = await series();
      const session = await watching(first.id);
      const dying = dyingAfter(library, writes);
      const revoker = openRevoker({ library: dying, blobs, log, grantKeys: [...config.grantKeys] });
      const app = createApp({ ...api.deps, library: dying, revoker }, new Map());
      const headers = { Authorization: `Bearer ${tokenOf("alpha", "editor")}` };
      const { status } = await app.request(`/v1/titles/${whole.id}/unpublish`, { method: "POST", headers });
      revoker.close();
      isWhole = status === 200;
      assert.equal((await down(whole.id)).status, 200, `${writes} writes`);
      for (const { id } of [season, first, later, special])
        assert.equal(await stateOf(id), "unpublished", `${writes} writes`);
      for (const { assetId } of [first, later, special])
        assert.ok(await isCalledBack(assetId), `${writes} writes`);
      assert.equal(await renewed(session), 409, `${writes} writes`);
      assert.deepEqual(await toldOf(first.id), ["title.published", "title.unpublished"], `${writes} writes`);
    }
    assert.ok(writes > 8, `${writes} moments`);
  });

  test("with more parts than are held at a time, while an editor changes them", async () => {
    const whole = await made("series", null);
    const { id, assetId } = await made("episode", whole.id);
    const pattern = await library.titles.findOne({ _id: id });
    assert.ok(pattern);
    const ids = Array.from({ length: 130 }, () => newId("ti"));
    await library.titles.insertMany(ids.map((_id) => ({ ...pattern, _id })));
    const renamed = ids.filter((_, index) => index % 10 === 0);
    const [answer, ...changes] = await Promise.all([
      down(whole.id),
      ...renamed.map((one) => editor("PATCH", `/v1/titles/${one}`, { name: "Later" }, { "If-Match": "*" })),
      down(whole.id),
    ]);
    assert.equal(answer.status, 200);
    for (const { status } of changes) assert.ok(status === 200 || status === 412);
    const states = await library.titles.distinct("state", { tenant: "alpha", parentId: whole.id });
    assert.deepEqual(states, ["unpublished"]);
    assert.ok(await isCalledBack(assetId));
  });
});
