import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { GRANT_REACH_SECONDS } from "../../api/granted-url.ts";
import { reapAssets } from "../../api/reap-assets.ts";
import { reapGenerations } from "../../api/reap-generations.ts";
import { reapUploads } from "../../api/reap-uploads.ts";
import { packagePrefix } from "../../core/keys.ts";
import { buildPlan, DEFAULT_PLAN_SETTINGS } from "../../core/plan.ts";
import type { AssetRecord } from "../../core/records/asset.ts";
import { isWanted, tasksOf } from "../../core/work.ts";
import { findAsset } from "../../stores/library/assets.ts";
import { claimTask } from "../../stores/library/claims.ts";
import type { Library } from "../../stores/library/connect.ts";
import { findGeneration } from "../../stores/library/generations.ts";
import { restoreGeneration, reviseAsset } from "../../stores/library/revisions.ts";
import { ensureTasks, tasksOfAsset } from "../../stores/library/tasks.ts";
import { failAsset, publishAsset, recordPlan, startProbing } from "../../stores/library/work.ts";
import { dyingAfter } from "../rig/dying-library.ts";
import {
  GENERATION,
  madeAsset,
  openTestApi,
  publishedMovie,
  putParts,
  RENDITIONS,
  SOURCE,
} from "./api-for-test.ts";

const api = await openTestApi("generations");
const editor = api.as("alpha");
const { library, blobs } = api.deps;
const POLICY = { keepForRollback: 0, reachSeconds: GRANT_REACH_SECONDS };
const VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n";

const newGeneration = (): string => randomBytes(10).toString("hex");
const plan = buildPlan(SOURCE, DEFAULT_PLAN_SETTINGS, "test");

async function fresh({ _id }: AssetRecord): Promise<AssetRecord> {
  const asset = await findAsset(library, "alpha", _id);
  assert.ok(asset);
  return asset;
}

function planned(asset: AssetRecord, generation: string) {
  return { source: SOURCE, plan, generation, findings: [], sidecars: asset.sidecars };
}

/** What a worker does for an asset's present revision, with one object to stand for the package. */
async function make(asset: AssetRecord, generation = newGeneration(), own: Library = library) {
  const revised = await fresh(asset);
  await startProbing(own, revised);
  await recordPlan(own, revised, planned(revised, generation));
  await store(asset, generation);
  await publishAsset(own, revised, { generation, durationSeconds: 40, renditions: RENDITIONS });
  return generation;
}

async function store({ _id }: AssetRecord, generation: string): Promise<void> {
  const key = `${packagePrefix(_id, generation)}main.m3u8`;
  await blobs.put("media", key, Buffer.from("#EXTM3U"), { contentType: "text/plain" });
}

const isStored = async ({ _id }: AssetRecord, generation: string): Promise<boolean> =>
  (await blobs.head("media", `${packagePrefix(_id, generation)}main.m3u8`)) !== null;

/** An asset with two generations, the second one shown. */
async function twice(): Promise<{ asset: AssetRecord; second: string }> {
  const asset = await madeAsset(api, "alpha", "ready");
  await store(asset, GENERATION);
  await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
  return { asset, second: await make(asset) };
}

async function list(asset: AssetRecord) {
  const { body } = await editor("GET", `/v1/assets/${asset._id}/generations`);
  const rows = body.data as { generation: string; state: string; restorable: boolean }[];
  return Object.fromEntries(
    rows.map(({ generation, state, restorable }) => [generation, { state, restorable }]),
  );
}

describe("a new revision", () => {
  test("leaves what is shown alone until the new generation is made", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const path = `/v1/assets/${asset._id}`;
    const choice = { lane: "normal", hardware: "allow" };
    const answer = await editor("POST", `${path}/reprocess`, { encoding: { codecs: ["hevc"], ...choice } });
    assert.deepEqual(answer.body.encoding, { codecs: ["h264", "hevc"], ...choice });
    assert.deepEqual(
      [answer.status, answer.body.state, answer.body.published.generation, answer.body.encoding.codecs],
      [202, "queued", GENERATION, ["h264", "hevc"]],
    );
    assert.ok(api.offered.includes(asset._id));
    assert.deepEqual(answer.body.progress, { ratio: 0, stage: "queued", playable: true, secondsLeft: null });
    const viewer = api.as("alpha", "viewer");
    const play = async () => (await viewer("POST", "/v1/playback", { titleId })).body.manifestUrl as string;
    assert.match(await play(), new RegExp(`/${GENERATION}/main.m3u8$`));
    assert.equal((await viewer("GET", `/v1/catalog/titles/${titleId}`)).status, 200);
    const next = await make(asset);
    assert.match(await play(), new RegExp(`/${next}/main.m3u8$`));
    const { body } = await editor("GET", path);
    assert.deepEqual([body.state, body.generation, body.published.generation], ["ready", next, next]);
  });

  test("fences workers of the one before at every step", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    await ensureTasks(library, asset, tasksOf(asset));
    const [task] = tasksOf(asset);
    const claim = await claimTask(library, task?.id ?? "", "late", 60);
    assert.ok("claimed" in claim);
    const { body } = await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
    const before = await fresh(asset);
    assert.equal(body.state, "queued");
    const states = (await tasksOfAsset(library, asset._id)).map(({ state }) => state);
    assert.deepEqual([...new Set(states)], ["cancelled"]);
    assert.ok(!isWanted(claim.claimed, before));
    // All that it might still do.
    await startProbing(library, asset);
    await recordPlan(library, asset, planned(asset, GENERATION));
    await publishAsset(library, asset, { generation: GENERATION, durationSeconds: 30, renditions: [] });
    await failAsset(library, asset, { code: "internal", message: "late", retryable: true });
    const { unsettled: _a, ...after } = await fresh(asset);
    const { unsettled: _b, ...untouched } = before;
    assert.deepEqual(after, untouched);
    // Also while the next one is at the same stage.
    const next = newGeneration();
    await recordPlan(library, before, planned(before, next));
    assert.equal(
      await publishAsset(library, asset, { generation: GENERATION, durationSeconds: 30, renditions: [] }),
      false,
    );
    assert.deepEqual([(await fresh(asset)).state, (await fresh(asset)).generation], ["encoding", next]);
  });

  test("that fails leaves the film on, and retry and rollback lead out of it", async () => {
    for (const way of ["retry", "rollback"] as const) {
      const { asset, titleId } = await publishedMovie(api, "alpha");
      await store(asset, GENERATION);
      const path = `/v1/assets/${asset._id}`;
      await editor("POST", `${path}/tracks`, { kind: "subtitle", language: "en", vtt: VTT });
      const revised = await fresh(asset);
      const next = newGeneration();
      await recordPlan(library, revised, planned(revised, next));
      await failAsset(library, await fresh(asset), { code: "encode_failed", message: "no", retryable: true });
      const failed = (await editor("GET", path)).body;
      assert.deepEqual(
        [failed.state, failed.error.code, failed.published.generation],
        ["failed", "encode_failed", GENERATION],
      );
      assert.equal((await list(asset))[next]?.state, "failed");
      assert.equal((await api.as("alpha", "viewer")("POST", "/v1/playback", { titleId })).status, 201);
      const body = way === "retry" ? undefined : { generation: GENERATION };
      const answer = await editor("POST", `${path}/${way}`, body);
      const wanted = way === "retry" ? ["encoding", 1, "making"] : ["ready", 0, "superseded"];
      assert.deepEqual(
        [answer.body.state, answer.body.tracks.length, (await list(asset))[next]?.state],
        wanted,
        way,
      );
      assert.equal(answer.body.error, null);
    }
  });

  test("that comes to an earlier generation keeps what was made of it, and looks at it again", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    await ensureTasks(library, asset, tasksOf(asset));
    await library.tasks.updateMany({ assetId: asset._id }, { $set: { state: "done" } });
    await publishAsset(library, asset, {
      generation: GENERATION,
      durationSeconds: 30,
      renditions: RENDITIONS,
    });
    await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
    const revised = await fresh(asset);
    await recordPlan(library, revised, planned(revised, GENERATION));
    const again = await fresh(asset);
    await ensureTasks(library, again, tasksOf(again));
    const wanted = new Set(tasksOf(again).map(({ id }) => id));
    const open = (await tasksOfAsset(library, asset._id)).filter(
      ({ _id, state }) => wanted.has(_id) && state !== "done",
    );
    assert.deepEqual(open.map(({ kind }) => kind).sort(), ["inspect", "publish"]);
  });

  test("is refused of what is deleted or has no master, and of strangers", async () => {
    const { body: upload } = await editor("POST", "/v1/uploads", { filename: "f.mp4", sizeBytes: 5 });
    const deleted = await madeAsset(api, "alpha", "ready");
    await editor("DELETE", `/v1/assets/${deleted._id}`);
    const codes = [];
    for (const id of [upload.assetId, deleted._id]) {
      const { status, body } = await editor("POST", `/v1/assets/${id}/reprocess`, {});
      codes.push([status, body.code]);
    }
    assert.deepEqual(codes, [
      [409, "asset_not_uploaded"],
      [409, "asset_gone"],
    ]);
  });
});

describe("a rollback", () => {
  test("goes back and forward in one step, with what the generation was made from", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    await store(asset, GENERATION);
    const path = `/v1/assets/${asset._id}`;
    await editor("POST", `${path}/tracks`, { kind: "subtitle", language: "en", vtt: VTT });
    const second = await make(asset);
    assert.deepEqual(await list(asset), {
      [GENERATION]: { state: "superseded", restorable: true },
      [second]: { state: "published", restorable: true },
    });
    const back = await editor("POST", `${path}/rollback`, { generation: GENERATION });
    assert.deepEqual(
      [back.status, back.body.state, back.body.published.generation, back.body.tracks],
      [202, "ready", GENERATION, []],
    );
    const version = (await fresh(asset)).version;
    await editor("POST", `${path}/rollback`, { generation: GENERATION });
    assert.equal((await fresh(asset)).version, version, "once more changes nothing");
    const forward = await editor("POST", `${path}/rollback`, { generation: second });
    assert.deepEqual([forward.body.published.generation, forward.body.tracks.length], [second, 1]);
    await reapGenerations(api.deps, POLICY);
    assert.deepEqual(await list(asset), {
      [GENERATION]: { state: "superseded", restorable: true },
      [second]: { state: "published", restorable: true },
    });
  });

  test("gives up what is being made", async () => {
    const { asset, second } = await twice();
    const { body: queued } = await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
    assert.equal(queued.state, "queued");
    const making = await fresh(asset);
    await ensureTasks(library, making, tasksOf(making));
    await editor("POST", `/v1/assets/${asset._id}/rollback`, { generation: second });
    await recordPlan(library, making, planned(making, newGeneration()));
    const { body } = await editor("GET", `/v1/assets/${asset._id}`);
    assert.deepEqual([body.state, body.generation], ["ready", second]);
    assert.ok((await tasksOfAsset(library, asset._id)).every(({ state }) => state === "cancelled"));
  });

  test("is refused to what is not known, not whole or not there any more", async () => {
    const { asset } = await twice();
    const path = `/v1/assets/${asset._id}/rollback`;
    assert.equal((await editor("POST", path, { generation: "no-such" })).status, 404);
    await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
    const revised = await fresh(asset);
    const half = newGeneration();
    await recordPlan(library, revised, planned(revised, half));
    await store(asset, half);
    await blobs.removePrefix("media", packagePrefix(asset._id, GENERATION));
    for (const generation of [half, GENERATION]) {
      const { status, body } = await editor("POST", path, { generation });
      assert.deepEqual([status, body.code], [409, "generation_gone"], generation);
    }
    assert.equal((await editor("GET", `/v1/assets/${asset._id}`)).body.state, "encoding");
  });
});

describe("a track", () => {
  const at = (asset: AssetRecord) => `/v1/assets/${asset._id}/tracks`;
  const english = { kind: "subtitle", language: "EN-gb", label: "English", vtt: VTT };

  test("is kept as it was sent and starts a revision; the same again replaces it", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const added = await editor("POST", at(asset), english);
    assert.equal(added.status, 202);
    const [track] = added.body.tracks;
    assert.deepEqual([track.language, track.label, track.role], ["en-GB", "English", "main"]);
    const [sidecar] = (await fresh(asset)).sidecars;
    const stored = await blobs.read("sources", sidecar?.key ?? "");
    assert.equal(Buffer.from(stored ?? []).toString(), VTT);
    assert.equal((await fresh(asset)).source?.container, SOURCE.container, "what was probed stays");

    const srt = "1\n00:00:00,000 --> 00:00:01,000\nHello\n";
    const { vtt: _vtt, ...named } = english;
    const replaced = await editor("POST", at(asset), { ...named, srt });
    const sdh = await editor("POST", at(asset), { ...english, role: "sdh" });
    assert.equal(replaced.body.tracks.length, 1);
    assert.notEqual(replaced.body.tracks[0].id, track.id);
    assert.deepEqual(
      sdh.body.tracks.map(({ role }: { role: string }) => role),
      ["main", "sdh"],
    );
    assert.deepEqual((await fresh(asset)).retiredSources, [sidecar?.key]);
    const gone = await editor("DELETE", `${at(asset)}/${replaced.body.tracks[0].id}`);
    assert.deepEqual([gone.status, gone.body.tracks.length], [202, 1]);
    assert.equal((await editor("DELETE", `${at(asset)}/${track.id}`)).status, 404);
  });

  test("comes once under an Idempotency-Key, also when the first try died", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const headers = { "Idempotency-Key": `track-${asset._id}` };
    const first = await editor("POST", at(asset), english, headers);
    const { revision } = await fresh(asset);
    assert.deepEqual((await editor("POST", at(asset), english, headers)).body, first.body);
    // As if the answer had never been kept: the same names are made again.
    await library.claims.updateMany(
      { answer: { $ne: null } },
      { $set: { answer: null, leaseUntil: new Date(0) } },
    );
    await editor("POST", at(asset), english, headers);
    const after = await fresh(asset);
    assert.deepEqual([after.revision, after.sidecars.length], [revision, 1]);
    const other = await editor("POST", at(asset), { ...english, label: "Other" }, headers);
    assert.deepEqual([other.status, other.body.code], [409, "idempotency_conflict"]);
  });

  test("is noted while the master is still on its way", async () => {
    const { body: upload } = await editor("POST", "/v1/uploads", { filename: "f.mp4", sizeBytes: 5 });
    const { body } = await editor("POST", `/v1/assets/${upload.assetId}/tracks`, english);
    assert.deepEqual([body.state, body.tracks.length], ["waiting", 1]);
  });

  test("may be a mebibyte of text; no other body may", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const long = `${VTT}\nNOTE ${"x".repeat(2 ** 20 - VTT.length - 10)}\n`;
    assert.equal((await editor("POST", at(asset), { ...english, vtt: long })).status, 202);
    const longer = await editor("POST", at(asset), {
      ...english,
      vtt: `${VTT}\nNOTE ${"x".repeat(2 ** 20)}`,
    });
    assert.deepEqual([longer.status, longer.body.code], [413, "subtitle_too_large"]);
    const huge = await editor("POST", at(asset), { ...english, vtt: "x".repeat(3 * 2 ** 20) });
    const usual = await editor("POST", "/v1/titles", { name: { en: "x".repeat(70_000) } });
    assert.deepEqual([huge.body.code, usual.body.code], ["body_too_large", "body_too_large"]);
  });

  test("is refused where a player could not show it", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const { vtt: _vtt, ...named } = english;
    const bad: [object, number, string][] = [
      [{ ...english, language: "not a tag" }, 400, "language"],
      [{ ...english, language: "en-x-own" }, 400, "language"],
      [{ ...english, label: 'a "quoted" one' }, 400, "label"],
      [{ ...english, label: "two\nlines" }, 400, "label"],
      [{ ...english, role: "description" }, 400, "role"],
      [{ ...english, srt: "x" }, 400, "vtt"],
      [named, 400, "vtt"],
      [{ ...english, kind: "audio" }, 400, "kind"],
      [{ ...english, more: 1 }, 400, "more"],
      [{ ...named, srt: VTT }, 422, "srt"],
      [{ ...english, vtt: "WEBVTT\n\nno cue" }, 422, "vtt"],
    ];
    for (const [body, status, path] of bad) {
      const answer = await editor("POST", at(asset), body);
      assert.deepEqual([answer.status, answer.body.errors[0].path], [status, path], JSON.stringify(body));
    }
    assert.equal((await fresh(asset)).version, asset.version);
  });
});

describe("an upload for an asset that is there", () => {
  /** Opens, sends and completes 5 bytes. */
  async function send(more: object): Promise<{ id: string; bytes: Buffer }> {
    const bytes = randomBytes(5);
    const { body } = await editor("POST", "/v1/uploads", { filename: "b.wav", sizeBytes: 5, ...more });
    await putParts(api, body.id, body.partSizeBytes, bytes, [1]);
    return { id: body.id, bytes };
  }
  const complete = (id: string) => editor("POST", `/v1/uploads/${id}/complete`, {});

  test("pins another master; the old one stays shown, and its file while something needs it", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const { id } = await send({ assetId: asset._id });
    assert.equal((await fresh(asset)).state, "ready", "nothing happens before all of it is there");
    assert.deepEqual((await complete(id)).body, { assetId: asset._id });
    const next = await fresh(asset);
    assert.deepEqual(
      [next.state, next.filename, next.source, next.published?.generation, next.revision],
      ["queued", "b.wav", null, GENERATION, 2],
    );
    assert.deepEqual(next.retiredSources, [asset.pinned?.key]);
    await complete(id);
    assert.equal((await fresh(asset)).revision, 2, "once");
  });

  test("becomes a track of it, in the place of the one of the same name", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const track = { assetId: asset._id, kind: "audio", language: "fr", role: "description" };
    for (const uploads of [1, 2]) {
      await complete((await send({ track })).id);
      const { sidecars, revision } = await fresh(asset);
      const wanted = [["audio", "fr", "description", null]];
      assert.deepEqual(
        sidecars.map(({ kind, language, role, label }) => [kind, language, role, label]),
        wanted,
      );
      assert.equal(revision, 1 + uploads);
    }
  });

  test("that is called off or comes too late takes nothing with it", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const { id } = await send({ assetId: asset._id });
    await editor("DELETE", `/v1/uploads/${id}`);
    assert.equal((await fresh(asset)).state, "ready");
    const late = await send({ assetId: asset._id });
    await editor("DELETE", `/v1/assets/${asset._id}`);
    const answer = await complete(late.id);
    assert.deepEqual([answer.status, answer.body.code], [409, "upload_aborted"]);
    await reapUploads(api.deps);
    const upload = await library.uploads.findOne({ _id: late.id });
    assert.equal(upload?.state, "aborted");
    assert.equal(await blobs.head("sources", upload?.sourceKey ?? ""), null);
  });

  test("is refused for what is not there, not there yet, or said twice", async () => {
    const { body: waiting } = await editor("POST", "/v1/uploads", { filename: "f", sizeBytes: 1 });
    const asset = await madeAsset(api, "beta", "ready");
    const track = { kind: "audio", language: "fr" };
    for (const more of [
      { assetId: waiting.assetId },
      { assetId: asset._id },
      { track: { ...track, assetId: asset._id } },
      { assetId: "x", track: { ...track, assetId: "x" } },
      { assetId: "x", encoding: { codecs: ["hevc"] } },
      { track: { ...track, assetId: "x", kind: "subtitle" } },
    ]) {
      const { status, body } = await editor("POST", "/v1/uploads", { filename: "f", sizeBytes: 1, ...more });
      assert.deepEqual([status, body.code], [400, "invalid_request"], JSON.stringify(more));
    }
  });
});

describe("the collector", () => {
  /** Makes it so that the grants for what is superseded have long ended. */
  async function letGrantsEnd(asset: AssetRecord): Promise<void> {
    await reapGenerations(api.deps, POLICY);
    await library.generations.updateMany(
      { assetId: asset._id, state: "superseded" },
      { $set: { collectAt: new Date(0), supersededAt: new Date(0) } },
    );
  }

  test("removes what no grant can reach, and the master that only that was made from", async () => {
    const { asset, second } = await twice();
    const old = `alpha/${asset._id}/old`;
    for (const key of [old, asset.pinned?.key ?? ""]) {
      await blobs.put("sources", key, Buffer.from("old"), { contentType: "video/mp4" });
    }
    const replaced = { key: old, etag: '"o"', sizeBytes: 3, sha256: null };
    await library.generations.updateOne(
      { _id: `${asset._id}.${GENERATION}` },
      { $set: { pinned: replaced } },
    );
    await library.assets.updateOne({ _id: asset._id }, { $set: { retiredSources: [old] } });
    await reapGenerations(api.deps, POLICY);
    await reapGenerations(api.deps, POLICY);
    assert.ok(await isStored(asset, GENERATION), "a grant may still reach it");
    assert.ok(await blobs.head("sources", old));
    await letGrantsEnd(asset);
    await reapGenerations(api.deps, POLICY);
    assert.deepEqual([await isStored(asset, GENERATION), await isStored(asset, second)], [false, true]);
    assert.equal(await blobs.head("sources", old), null);
    assert.ok(await blobs.head("sources", asset.pinned?.key ?? ""));
    assert.deepEqual((await fresh(asset)).retiredSources, []);
    assert.deepEqual((await list(asset))[GENERATION], { state: "collected", restorable: false });
    const answer = await editor("POST", `/v1/assets/${asset._id}/rollback`, { generation: GENERATION });
    assert.deepEqual([answer.status, answer.body.code], [409, "generation_gone"]);
    assert.match(await (await api.request("/metrics")).text(), /matinee_collected_objects_total [1-9]/);
  });

  test("keeps the last to go back to", async () => {
    const { asset } = await twice();
    await letGrantsEnd(asset);
    await library.assets.updateOne({ _id: asset._id }, { $set: { unsettled: true } });
    await reapGenerations(api.deps, { ...POLICY, keepForRollback: 1 });
    assert.ok(await isStored(asset, GENERATION));
  });

  test("what was collected can be made again", async () => {
    const { asset } = await twice();
    await letGrantsEnd(asset);
    await reapGenerations(api.deps, POLICY);
    await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
    await make(asset, GENERATION);
    await reapGenerations(api.deps, POLICY);
    assert.deepEqual((await list(asset))[GENERATION], { state: "published", restorable: true });
    assert.ok(await isStored(asset, GENERATION));
  });

  test("leaves no work to do of what it removed, and all of it once that is wanted again", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    await ensureTasks(library, asset, tasksOf(asset));
    const states = async () => [
      ...new Set((await tasksOfAsset(library, asset._id)).map(({ state }) => state)),
    ];
    await library.tasks.updateMany({ assetId: asset._id }, { $set: { state: "done" } });
    await make(asset, GENERATION);
    await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
    await make(asset);
    await letGrantsEnd(asset);
    await reapGenerations(api.deps, POLICY);
    assert.deepEqual((await list(asset))[GENERATION], { state: "collected", restorable: false });
    assert.deepEqual(await states(), ["cancelled"]);
    await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
    await make(asset, GENERATION);
    // Publishing is a task of each revision.
    const again = (await tasksOfAsset(library, asset._id)).filter(({ kind }) => kind !== "publish");
    assert.deepEqual([...new Set(again.map(({ state }) => state))], ["todo"]);
  });

  test("leaves nothing of a deleted asset", async () => {
    const { asset, second } = await twice();
    await editor("DELETE", `/v1/assets/${asset._id}`);
    await reapAssets(api.deps);
    for (let round = 0; round < 3; round++) await reapGenerations(api.deps, POLICY);
    const states = await library.generations.find({ assetId: asset._id }).toArray();
    assert.deepEqual([...new Set(states.map(({ state }) => state))], ["collected"]);
    assert.ok(!(await isStored(asset, GENERATION)) && !(await isStored(asset, second)));
  });
});

describe("a process that dies between any two writes", () => {
  const died = (work: Promise<unknown>) =>
    work.then(
      () => false,
      (thrown: Error) => thrown.message === "died" || Promise.reject(thrown),
    );

  /** Runs `work` with a library that dies after 0, 1, 2 … writes, until it lives; each time on a fixture of its own. */
  async function atEachWrite<T>(
    prepare: () => Promise<T>,
    work: (own: Library, fixture: T) => Promise<unknown>,
    after: (fixture: T, writes: number) => Promise<void>,
  ): Promise<number> {
    for (let writes = 0; ; writes++) {
      const fixture = await prepare();
      const hasDied = await died(work(dyingAfter(library, writes), fixture));
      await after(fixture, writes);
      if (!hasDied) return writes;
    }
  }

  test("while it publishes: done again, it ends the same", async () => {
    const points = await atEachWrite(
      async () => {
        const asset = await madeAsset(api, "alpha", "ready");
        await editor("POST", `/v1/assets/${asset._id}/reprocess`, {});
        return { asset, generation: newGeneration() };
      },
      (own, { asset, generation }) => make(asset, generation, own),
      async ({ asset, generation }, writes) => {
        // What the reconciler has a worker do: the same again, unless it is done.
        if ((await fresh(asset)).state !== "ready") await make(asset, generation);
        await reapGenerations(api.deps, POLICY);
        const { state, published, revision, unsettled } = await fresh(asset);
        assert.deepEqual(
          [state, published?.generation, revision, unsettled],
          ["ready", generation, 2, false],
          `${writes}`,
        );
        const records = await library.generations.find({ assetId: asset._id }).toArray();
        const seen = records.map((one) => [
          one.generation === generation,
          one.state,
          one.publishedAt !== null,
        ]);
        assert.deepEqual(
          seen.sort(),
          [
            [false, "superseded", true],
            [true, "published", true],
          ],
          `${writes}`,
        );
      },
    );
    assert.ok(points >= 6, `${points} writes`);
  });

  test("while it goes back: nothing, or all of it; and it may be asked again", async () => {
    const settledTwice = async () => {
      const made = await twice();
      await reapGenerations(api.deps, POLICY);
      return made;
    };
    const back = async (own: Library, { asset }: { asset: AssetRecord }) => {
      const record = await findGeneration(own, "alpha", asset._id, GENERATION);
      assert.ok(record);
      return restoreGeneration(own, "alpha", record);
    };
    const points = await atEachWrite(settledTwice, back, async ({ asset, second }, writes) => {
      await reapGenerations(api.deps, POLICY);
      const shown = (await fresh(asset)).published?.generation;
      assert.ok(shown === GENERATION || shown === second);
      const records = await library.generations.find({ assetId: asset._id, state: "published" }).toArray();
      assert.deepEqual(
        records.map(({ generation }) => generation),
        [shown],
        `${writes}: one is shown, and on record`,
      );
      assert.equal((await back(library, { asset })).published?.generation, GENERATION);
    });
    assert.ok(points >= 3, `${points} writes`);
  });

  test("while a track comes: the same request ends the same", async () => {
    const add = async (own: Library, asset: AssetRecord) =>
      reviseAsset(own, "alpha", asset._id, ({ sidecars }) =>
        sidecars.length > 0
          ? null
          : { sidecars: [{ ...SIDECAR, id: `sc_${asset._id}`, key: `s/${asset._id}` }] },
      );
    await atEachWrite(
      async () => {
        const asset = await madeAsset(api, "alpha", "encoding");
        await ensureTasks(library, asset, tasksOf(asset));
        return asset;
      },
      add,
      async (asset, writes) => {
        const revised = await add(library, asset);
        assert.deepEqual(
          [revised.state, revised.revision, revised.sidecars.length],
          ["queued", 2, 1],
          `${writes}`,
        );
        await reapGenerations(api.deps, POLICY);
        const open = (await tasksOfAsset(library, asset._id)).filter((task) => task.state === "todo");
        assert.ok(open.every((task) => !isWanted(task, revised)));
      },
    );
  });

  test("while it collects: the next round ends it, and what is shown stays", async () => {
    const points = await atEachWrite(
      async () => {
        const made = await twice();
        await reapGenerations(api.deps, POLICY);
        const due = { collectAt: new Date(0), supersededAt: new Date(0) };
        await library.generations.updateOne({ _id: `${made.asset._id}.${GENERATION}` }, { $set: due });
        return made;
      },
      async (own, { asset }) => {
        const quiet = { warn: () => undefined, info: () => undefined } as unknown as typeof api.deps.log;
        await reapGenerations({ ...api.deps, log: quiet, library: own }, POLICY);
        const { state } = (await findGeneration(library, "alpha", asset._id, GENERATION)) ?? {};
        if (state !== "collected") throw new Error("died");
      },
      async ({ asset, second }, writes) => {
        await reapGenerations(api.deps, POLICY);
        assert.deepEqual(
          (await list(asset))[GENERATION],
          { state: "collected", restorable: false },
          `${writes}`,
        );
        assert.deepEqual([await isStored(asset, GENERATION), await isStored(asset, second)], [false, true]);
      },
    );
    assert.ok(points >= 3, `${points} writes`);
  });
});

const SIDECAR = {
  kind: "subtitle" as const,
  role: "main" as const,
  format: "vtt" as const,
  language: "en",
  label: null,
  etag: '"s"',
  sizeBytes: 1,
  sha256: null,
  createdAt: new Date(0),
};
