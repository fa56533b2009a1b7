import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openRevoker } from "../../api/revoker.ts";
import { splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import { isRevoked, parseRevocations, REVOCATIONS_KEY, type Revocations } from "../../core/revocation.ts";
import { dyingAfter } from "../rig/dying-library.ts";
import { installationToken, madeAsset, openTestApi, publishedMovie, tokenOf } from "./api-for-test.ts";

const api = await openTestApi("revocations");
const viewer = api.as("alpha", "viewer");
const editor = api.as("alpha");
const allKeys = [...api.deps.config.grantKeys];
/** The list as the edges will have it, once its turn has come. */
async function published(): Promise<Revocations> {
  await api.deps.revoker.refresh();
  const stored = await api.deps.blobs.read("media", REVOCATIONS_KEY);
  assert.ok(stored);
  return parseRevocations(Buffer.from(stored).toString());
}

/** Whether an edge with that list lets the URL be read. */
async function plays(url: string): Promise<boolean> {
  const split = splitGrantedPath(new URL(url).pathname);
  assert.ok(split);
  const verdict = verifyGrant(allKeys, split.grant, split.path, Date.now() / 1000);
  assert.ok(verdict.ok);
  return !isRevoked(await published(), verdict);
}

async function started(titleId: string, capabilities?: object) {
  const { status, body } = await viewer("POST", "/v1/playback", { titleId, capabilities });
  assert.equal(status, 201);
  return body;
}

describe("grants are called back", () => {
  test("when a session ends, and for no longer than its grants could last", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const lengths: [object | undefined, number][] = [
      [{ renews: true }, 5 * 60],
      // Of a film of half a minute.
      [undefined, 3_600],
    ];
    for (const [capabilities, grantSeconds] of lengths) {
      const [one, other] = [await started(titleId, capabilities), await started(titleId, capabilities)];
      assert.equal(await plays(one.manifestUrl), true);
      for (let times = 0; times < 2; times++)
        assert.equal((await viewer("DELETE", `/v1/playback/${one.sessionId}`)).status, 204);
      assert.equal(await plays(one.manifestUrl), false);
      assert.equal(await plays(other.manifestUrl), true);
      const record = await api.deps.library.revocations.findOne({ _id: `sessions:${one.sessionId}` });
      const kept = (record!.until!.getTime() - Date.now()) / 1_000;
      assert.ok(kept > grantSeconds && kept < grantSeconds + 900, `${kept} s for ${grantSeconds} s`);
    }
  });

  test("when a title is taken down: viewers stop, an editor's preview does not, and it comes back", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const { manifestUrl } = await started(titleId);
    await editor("POST", `/v1/titles/${titleId}/unpublish`);
    assert.equal(await plays(manifestUrl), false);
    const preview = await editor("POST", `/v1/assets/${asset._id}/preview`);
    assert.equal(preview.status, 201);
    assert.equal(await plays(preview.body.manifestUrl), true);
    const later = new Date(Date.now() + 3_600_000);
    await editor("POST", `/v1/titles/${titleId}/publish`, { availableFrom: later.toISOString() });
    assert.equal(await plays(manifestUrl), false, "not before its time");
    const record = await api.deps.library.revocations.findOne({ _id: `withdrawn:${asset._id}` });
    assert.deepEqual(record?.until, later);
    await editor("POST", `/v1/titles/${titleId}/publish`, {});
    assert.equal(await plays(manifestUrl), true);
    assert.equal((await editor("DELETE", `/v1/titles/${titleId}`)).status, 204);
    assert.equal(await plays(manifestUrl), false);
  });

  test("and not those of another title that shows the same asset, now or later", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const again = async (publication: object): Promise<string> => {
      const movie = { type: "movie", name: { en: "Again" }, assetId: asset._id };
      const { id } = (await editor("POST", "/v1/titles", movie)).body;
      await editor("POST", `/v1/titles/${id}/publish`, publication);
      return id;
    };
    const second = await again({});
    const [one, other] = [await started(titleId), await started(second)];
    await editor("POST", `/v1/titles/${titleId}/unpublish`);
    assert.equal(await plays(one.manifestUrl), false);
    assert.equal(await plays(other.manifestUrl), true);
    assert.equal((await viewer("POST", `/v1/playback/${one.sessionId}/renew`)).status, 409);
    const later = new Date(Date.now() + 3_600_000);
    await again({ availableFrom: later.toISOString() });
    await editor("POST", `/v1/titles/${second}/unpublish`);
    assert.equal(await plays(other.manifestUrl), false);
    const record = await api.deps.library.revocations.findOne({ _id: `withdrawn:${asset._id}` });
    assert.deepEqual(record?.until, later, "its viewers are let in from then on");
    await again({});
    assert.equal(await plays(other.manifestUrl), true);
  });

  test("when a title shows another asset by then, or none: viewers of both stop", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const show = async (id: string, assetId: string | null) => {
      const { headers } = await editor("GET", `/v1/titles/${id}`);
      const ifMatch = { "If-Match": headers.get("ETag") ?? "" };
      assert.equal((await editor("PATCH", `/v1/titles/${id}`, { assetId }, ifMatch)).status, 200);
    };
    const before = await started(titleId);
    await show(titleId, (await madeAsset(api, "alpha", "ready"))._id);
    const after = await started(titleId);
    assert.deepEqual([await plays(before.manifestUrl), await plays(after.manifestUrl)], [true, true]);
    await editor("POST", `/v1/titles/${titleId}/unpublish`);
    assert.deepEqual([await plays(before.manifestUrl), await plays(after.manifestUrl)], [false, false]);
    const emptied = await publishedMovie(api, "alpha");
    const alone = await started(emptied.titleId);
    await show(emptied.titleId, null);
    await editor("POST", `/v1/titles/${emptied.titleId}/unpublish`);
    assert.equal(await plays(alone.manifestUrl), false);
  });

  test("where a title is shown in fewer regions, or later: of those who may not watch it any more", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const [known, unknown] = [await started(titleId), await started(titleId)];
    const { playbacks } = api.deps.library;
    await playbacks.updateOne({ _id: known.sessionId }, { $set: { country: "JP" } });
    await editor("POST", `/v1/titles/${titleId}/publish`, { regions: ["DE", "JP"] });
    assert.deepEqual([await plays(known.manifestUrl), await plays(unknown.manifestUrl)], [true, false]);
    await editor("POST", `/v1/titles/${titleId}/publish`, { regions: ["DE"] });
    assert.equal(await plays(known.manifestUrl), false);
    await editor("POST", `/v1/titles/${titleId}/publish`, {});
    const third = await started(titleId);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    await editor("POST", `/v1/titles/${titleId}/publish`, { availableFrom: later });
    assert.equal(await plays(third.manifestUrl), false);
  });

  test("when a title's time is over, and no grant that is given knowing it lasts longer", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const early = await started(titleId);
    const until = new Date(Date.now() + 120_000).toISOString();
    await editor("POST", `/v1/titles/${titleId}/publish`, { availableUntil: until });
    const late = await started(titleId);
    assert.equal(late.expiresAt, until);
    const renewed = await viewer("POST", `/v1/playback/${early.sessionId}/renew`);
    assert.deepEqual([renewed.status, renewed.body.expiresAt], [200, until]);
    await api.deps.revoker.closeWindows();
    assert.equal(await plays(early.manifestUrl), true);
    const gone = new Date(Date.now() - 1_000);
    await api.deps.library.titles.updateOne({ _id: titleId }, { $set: { availableUntil: gone } });
    await api.deps.revoker.closeWindows();
    assert.equal(await plays(early.manifestUrl), false);
  });

  test("once for each window that ends, and the edges are told once a turn; no turn runs into another", async () => {
    const { library, blobs, log, config } = api.deps;
    const untilOf = async (assetId: string) =>
      (await library.revocations.findOne({ _id: `withdrawn:${assetId}` }))?.until?.getTime();
    const end = (ids: string[]) => {
      const gone = { availableUntil: new Date(library.serverNow().getTime() - 1_000) };
      return library.titles.updateMany({ _id: { $in: ids } }, { $set: gone, $inc: { version: 1 } });
    };
    let reads = 0;
    let readsAtOnce = 0;
    let mostAtOnce = 0;
    const watched = {
      ...blobs,
      async read(...asked: Parameters<typeof blobs.read>) {
        reads += 1;
        readsAtOnce += 1;
        mostAtOnce = Math.max(mostAtOnce, readsAtOnce);
        const bytes = await blobs.read(...asked);
        readsAtOnce -= 1;
        return bytes;
      },
    };
    const revoker = openRevoker({ library, blobs: watched, log, grantKeys: [...config.grantKeys] });
    try {
      await revoker.closeWindows();
      const [one, other] = [await publishedMovie(api, "alpha"), await publishedMovie(api, "alpha")];
      await end([one.titleId, other.titleId]);
      reads = 0;
      await revoker.closeWindows();
      assert.equal(reads, 1);
      const before = [await untilOf(one.asset._id), await untilOf(other.asset._id)];
      assert.ok(before.every((until) => until !== undefined));
      await Promise.all([revoker.closeWindows(), revoker.closeWindows()]);
      assert.deepEqual([reads, mostAtOnce], [3, 1], "one turn at a time");
      assert.deepEqual([await untilOf(one.asset._id), await untilOf(other.asset._id)], before);
      // Ended by an editor who was slow to write: behind the last turn's moment, and another version.
      await end([one.titleId]);
      await revoker.closeWindows();
      assert.notEqual(await untilOf(one.asset._id), before[0]);
      assert.equal(await untilOf(other.asset._id), before[1]);
    } finally {
      revoker.close();
    }
    const { asset, titleId } = await publishedMovie(api, "alpha");
    await end([titleId]);
    const dying = openRevoker({
      library: dyingAfter(library, 0),
      blobs,
      log,
      grantKeys: [...config.grantKeys],
    });
    await dying.closeWindows();
    dying.close();
    assert.equal(await untilOf(asset._id), undefined, "it died before");
    const next = openRevoker({ library, blobs, log, grantKeys: [...config.grantKeys] });
    await next.closeWindows();
    next.close();
    assert.ok(await untilOf(asset._id), "and the next one closes it");
  });

  test("when an asset is deleted, for viewers and editors", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const preview = await editor("POST", `/v1/assets/${asset._id}/preview`);
    assert.equal((await editor("DELETE", `/v1/assets/${asset._id}`)).status, 202);
    assert.equal(await plays(preview.body.manifestUrl), false);
    assert.equal((await api.as("beta")("DELETE", `/v1/assets/${asset._id}`)).status, 404);
    assert.equal((await editor("DELETE", "/v1/assets/as_nothing")).status, 404);
    assert.ok(!(await published()).assets.has("as_nothing"));
  });

  test("with the key that signed them, which signs no more (T32)", async () => {
    const { titleId } = await publishedMovie(api, "alpha");
    const { manifestUrl } = await started(titleId);
    const [first, second] = allKeys.map(({ kid }) => kid);
    const weak = await installationToken(api, "editor");
    const strong = await installationToken(api, "admin");
    const revoke = (token: string, kid: string) =>
      api.request(`/v1/grant-keys/${kid}/revoke`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}` },
      });
    assert.equal((await revoke(weak, first!)).status, 403);
    assert.equal((await revoke(tokenOf("alpha", "admin"), first!)).status, 404);
    assert.equal((await revoke(strong, "none")).status, 404);
    const answer = await revoke(strong, first!);
    assert.deepEqual([answer.status, await answer.json()], [200, { kid: first, liveKids: [second] }]);
    assert.equal(await plays(manifestUrl), false);
    const fresh = await started(titleId);
    assert.match(fresh.manifestUrl, new RegExp(`/v/1\\.${second}\\.`));
    assert.equal(await plays(fresh.manifestUrl), true);
    assert.equal((await revoke(strong, second!)).status, 200);
    const refused = await viewer("POST", "/v1/playback", { titleId });
    assert.deepEqual([refused.status, refused.body.code], [503, "no_signing_key"]);
  });
});
