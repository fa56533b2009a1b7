import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AssetView } from "../../api/asset-view.ts";
import { emptyAsset } from "../../api/reap-assets.ts";
import { IMAGES_SESSION, splitGrantedPath, verifyGrant } from "../../core/grant.ts";
import { sidecarKey } from "../../core/keys.ts";
import type { AssetRecord, Rendition } from "../../core/records/asset.ts";
import type { TaskKind, TaskState } from "../../core/records/task.ts";
import { retryAsset } from "../../stores/library/asset-changes.ts";
import { findAsset } from "../../stores/library/assets.ts";
import { completeTask, renewLease } from "../../stores/library/claimed-work.ts";
import { claimTask } from "../../stores/library/claims.ts";
import { saveConformance } from "../../stores/library/conformance.ts";
import { ratioOf, stageOf, type TaskProgress } from "../../stores/library/progress.ts";
import { ensureTasks, tasksOfAsset } from "../../stores/library/tasks.ts";
import { failAsset, publishAsset } from "../../stores/library/work.ts";
import {
  GENERATION,
  madeAsset,
  openTestApi,
  publishedMovie,
  RENDITIONS,
  type TestApi,
  tokenOf,
} from "./api-for-test.ts";

const api = await openTestApi("assets");
const editor = api.as("alpha");
const { library } = api.deps;

/** An encoding asset with two video tasks and a publishing one. */
async function busyAsset(): Promise<AssetRecord> {
  const asset = await madeAsset(api, "alpha", "encoding");
  const spec = (kind: TaskKind, part: string, chunk: number, weight: number) => ({
    id: `${asset._id}.${GENERATION}.${kind}.${part}.${chunk}`,
    kind,
    part,
    chunk,
    weight,
  });
  await ensureTasks(library, asset, [
    spec("video", "h264", 0, 10),
    spec("images", "h264", 0, 10),
    spec("publish", "r1", 0, 1),
  ]);
  return asset;
}

async function claim(id: string) {
  const outcome = await claimTask(library, id, "w", 60);
  assert.ok("claimed" in outcome);
  return outcome.claimed;
}

const attempt = {
  stage: "video",
  worker: "w",
  startedAt: new Date(0),
  endedAt: new Date(1),
  outcome: "done" as const,
  argv: [["ffmpeg"]],
  versions: { ffmpeg: "7" },
  cpuSeconds: 1,
  bytesOut: 2,
  error: null,
};

interface SseEvent {
  id: string;
  asset: AssetView;
}

/** Reads events of a stream until `last` says so; the connection is given up then. */
async function eventsUntil(
  own: TestApi,
  path: string,
  last: (event: SseEvent) => boolean,
  onEvent: (event: SseEvent) => unknown = () => undefined,
  headers = {},
): Promise<SseEvent[]> {
  const stop = new AbortController();
  const answer = await own.request(path, {
    headers: { Authorization: `Bearer ${tokenOf("alpha", "editor")}`, ...headers },
    signal: stop.signal,
  });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const events: SseEvent[] = [];
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = new Map(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
      );
      text = text.slice(end + 2);
      if (fields.get("event") !== "asset") continue;
      const event = { id: fields.get("id") ?? "", asset: JSON.parse(fields.get("data") ?? "") };
      events.push(event);
      await onEvent(event);
      if (last(event)) {
        stop.abort();
        return events;
      }
    }
  }
  return events;
}

describe("an asset", () => {
  test("shows its source, renditions and progress as the contract says", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const { body } = await editor("GET", `/v1/assets/${asset._id}`);
    assert.deepEqual(body.progress, { ratio: 1, stage: "ready", playable: true, secondsLeft: null });
    assert.equal(body.generation, GENERATION);
    assert.equal(body.source.video.frameRate, 24);
    assert.deepEqual(body.renditions, RENDITIONS);
    assert.equal(body.error, null);
  });

  test("offers posters for pictures alone, the best one chosen until an editor chooses another", async () => {
    const { asset, titleId } = await publishedMovie(api, "alpha");
    const path = `/v1/assets/${asset._id}`;
    const chosenIn = (body: AssetView) => body.posters.filter(({ chosen }) => chosen).map(({ id }) => id);
    const { body } = await editor("GET", path);
    assert.deepEqual(
      body.posters.map(({ id, atSeconds }: AssetView["posters"][number]) => [id, atSeconds]),
      [
        ["poster-0", 12],
        ["poster-1", 4],
      ],
    );
    assert.deepEqual(chosenIn(body), ["poster-0"]);
    const { pathname } = new URL(body.posters[1].url);
    assert.match(pathname, /\/images\/poster-1\.jpg$/);
    const { grant, path: granted } = splitGrantedPath(pathname)!;
    const verdict = verifyGrant(api.deps.config.grantKeys, grant, granted, Date.now() / 1000);
    assert.ok(verdict.ok && verdict.claims.session === IMAGES_SESSION);

    const choose = (id: string) => editor("POST", `${path}/poster`, { id });
    assert.equal((await choose("poster-7")).body.code, "not_found");
    assert.equal((await choose("storyboard")).body.code, "not_found");
    const before = await findAsset(library, "alpha", asset._id);
    const chosen = await choose("poster-1");
    assert.equal(chosen.status, 200);
    assert.deepEqual(chosenIn(chosen.body), ["poster-1"]);
    const after = await findAsset(library, "alpha", asset._id);
    assert.equal(after?.version, (before?.version ?? 0) + 1, "so that whoever watches it is told");
    const card = await api.as("alpha", "viewer")("GET", `/v1/catalog/titles/${titleId}`);
    assert.match(card.body.posterUrl, /\/images\/poster-1\.jpg$/);
  });

  test("offers no poster while there is no package", async () => {
    const asset = await madeAsset(api, "alpha", "encoding");
    assert.deepEqual((await editor("GET", `/v1/assets/${asset._id}`)).body.posters, []);
    const answer = await editor("POST", `/v1/assets/${asset._id}/poster`, { id: "poster-0" });
    assert.equal(answer.status, 404);
  });

  test("tells each change in order, never going back, to all who listen", async () => {
    const asset = await busyAsset();
    const first = await claim(`${asset._id}.${GENERATION}.video.h264.0`);
    const steps = [
      () => renewLease(library, first, 0.5, 60),
      () => renewLease(library, first, 0.7, 60),
      () => completeTask(library, first, null, attempt),
      () =>
        publishAsset(library, asset, {
          generation: GENERATION,
          durationSeconds: 30,
          renditions: RENDITIONS,
        }),
    ];
    const path = `/v1/assets/${asset._id}/events`;
    const done = ({ asset: { state } }: SseEvent) => state === "ready";
    const [told, alsoTold] = await Promise.all([
      eventsUntil(api, path, done, () => steps.shift()?.()),
      eventsUntil(api, path, done),
    ]);
    for (const events of [told, alsoTold]) {
      const ratios = events.map(({ asset: { progress } }) => progress.ratio);
      assert.deepEqual(
        ratios,
        [...ratios].sort((a, b) => a - b),
      );
      assert.equal(ratios.at(-1), 1);
      assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
    }
    assert.ok(told.length >= 4, `${told.length} events`);
    const resumed = await eventsUntil(api, path, () => true, undefined, { "Last-Event-ID": "1-0-waiting" });
    assert.deepEqual(
      resumed.map(({ id }) => id),
      [told.at(-1)?.id],
    );
  });

  test("never looks less far than it has looked before", async () => {
    const asset = await busyAsset();
    const claimed = await claim(`${asset._id}.${GENERATION}.video.h264.0`);
    const shown = async () => (await editor("GET", `/v1/assets/${asset._id}`)).body.progress.ratio;
    await renewLease(library, claimed, 0.5, 60);
    const far = await shown();
    await renewLease(library, claimed, 0.1, 60);
    assert.equal(await shown(), far);
    assert.equal((await editor("GET", "/v1/assets?limit=1")).body.data[0].progress.ratio, far);
  });

  test("does not repeat what the client has seen (Last-Event-ID)", async () => {
    const asset = await busyAsset();
    const path = `/v1/assets/${asset._id}/events`;
    const [seen] = await eventsUntil(api, path, () => true);
    const events = eventsUntil(api, path, () => true, undefined, { "Last-Event-ID": seen?.id ?? "" });
    await failAsset(library, asset, { code: "encode_failed", message: "no", retryable: true });
    assert.equal((await events)[0]?.asset.state, "failed");
  });

  test("cancelled stops its tasks; retried does only what is missing", async () => {
    const asset = await busyAsset();
    const ids = ["video", "images"].map((kind) => `${asset._id}.${GENERATION}.${kind}.h264.0`);
    await completeTask(library, await claim(ids[0] as string), null, attempt);
    const running = await claim(ids[1] as string);
    const cancelled = await editor("POST", `/v1/assets/${asset._id}/cancel`);
    assert.deepEqual([cancelled.status, cancelled.body.state], [202, "cancelled"]);
    assert.equal((await editor("POST", `/v1/assets/${asset._id}/cancel`)).status, 202);
    assert.equal(await completeTask(library, running, null, attempt), false);
    const retried = await editor("POST", `/v1/assets/${asset._id}/retry`);
    assert.deepEqual([retried.status, retried.body.state], [202, "encoding"]);
    assert.ok(api.offered.includes(asset._id));
    const states = (await tasksOfAsset(library, asset._id)).map(({ _id, state }) => [_id, state]);
    assert.deepEqual(Object.fromEntries(states), {
      [ids[0] as string]: "done",
      [ids[1] as string]: "todo",
      [`${asset._id}.${GENERATION}.publish.r1.0`]: "todo",
    });
    assert.equal(await completeTask(library, running, null, attempt), false);
    assert.deepEqual([(await editor("POST", `/v1/assets/${asset._id}/retry`)).body.code], ["not_retryable"]);
    assert.equal(await retryAsset(library, "beta", asset._id), null);
  });

  test("keeps a ledger of every attempt", async () => {
    const asset = await busyAsset();
    await completeTask(library, await claim(`${asset._id}.${GENERATION}.images.h264.0`), null, attempt);
    const { body } = await editor("GET", `/v1/assets/${asset._id}/ledger`);
    assert.deepEqual(
      body.data.map(({ taskId, outcome, argv }: typeof body) => [taskId, outcome, argv]),
      [[`${asset._id}.${GENERATION}.images.h264.0`, "done", [["ffmpeg"]]]],
    );
    assert.deepEqual([body.data[0].versions, body.nextCursor], [{ ffmpeg: "7" }, null]);
  });

  test("tells its ledger page by page, each attempt once, oldest first, also of those that began together", async () => {
    const asset = await busyAsset();
    const tasks = (await tasksOfAsset(library, asset._id)).map(({ _id }) => _id);
    const at = (ms: number) => ({ ...attempt, startedAt: new Date(ms), bytesOut: ms });
    await library.tasks.updateOne({ _id: tasks[0]! }, { $set: { attempts: [at(5), at(5), at(9)] } });
    await library.tasks.updateOne({ _id: tasks[1]! }, { $set: { attempts: [at(5), at(2), at(5)] } });
    const path = `/v1/assets/${asset._id}/ledger`;
    const told: [string, number][] = [];
    const sizes: number[] = [];
    for (let cursor = ""; cursor !== "&cursor=null"; ) {
      const { body } = await editor("GET", `${path}?limit=2${cursor}`);
      cursor = `&cursor=${body.nextCursor}`;
      sizes.push(body.data.length);
      for (const { taskId, bytesOut } of body.data) told.push([taskId, bytesOut]);
    }
    assert.deepEqual(sizes, [2, 2, 2]);
    assert.deepEqual(
      told.map(([, ms]) => ms),
      [2, 5, 5, 5, 5, 9],
    );
    const ofFirst = told.filter(([taskId]) => taskId === tasks[0]);
    assert.deepEqual([ofFirst.length, told.length - ofFirst.length], [3, 3]);
    for (const query of ["limit=101", "cursor=no", "since=1"])
      assert.equal((await editor("GET", `${path}?${query}`)).body.code, "invalid_request", query);
  });

  test("has in its report how good each rung came out, as the asset says it, of what is shown alone", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const id = asset.plan?.ladders[0]?.rungs[0]?.id ?? "";
    const quality = { metric: "ssim", mean: 0.99, p5: 0.97, worst: { segment: 2, value: 0.9 }, frames: 720 };
    const video = RENDITIONS.filter(({ kind }) => kind === "video").map((one) => ({ ...one, id, quality }));
    const rest = RENDITIONS.filter(({ kind }) => kind !== "video");
    await library.assets.updateOne(
      { _id: asset._id },
      { $set: { renditions: [...video, ...rest] as Rendition[] } },
    );
    const report = { tenant: "alpha", assetId: asset._id, generation: GENERATION, results: [] };
    await saveConformance(library, report);
    const { body } = await editor("GET", `/v1/assets/${asset._id}/conformance`);
    const view = (await editor("GET", `/v1/assets/${asset._id}`)).body;
    const { savedBytes } = view.ladder.ladders[0].rungs[0];
    assert.equal(typeof savedBytes, "number");
    assert.deepEqual(body.renditions, [{ id, quality: view.renditions[0].quality, savedBytes }]);
    await library.assets.updateOne({ _id: asset._id }, { $set: { "published.generation": "another" } });
    assert.deepEqual((await editor("GET", `/v1/assets/${asset._id}/conformance`)).body.renditions, []);
  });

  test("deleted leaves nothing in storage and is not listed", async () => {
    const asset = await madeAsset(api, "alpha", "ready");
    const key = `${asset._id}/${GENERATION}/main.m3u8`;
    await api.deps.blobs.put("media", key, Buffer.from("#EXTM3U"), {
      contentType: "application/vnd.apple.mpegurl",
    });
    // As by an API that died before it had put the track on record.
    const track = sidecarKey("alpha", asset._id, "sc_never");
    await api.deps.blobs.put("sources", track, Buffer.from("WEBVTT"), { contentType: "text/plain" });
    const answer = await editor("DELETE", `/v1/assets/${asset._id}`);
    assert.deepEqual(
      [answer.status, answer.body.state, answer.body.progress.playable],
      [202, "deleted", false],
    );
    assert.equal((await editor("DELETE", `/v1/assets/${asset._id}`)).status, 202);
    await emptyAsset(api.deps, (await findAsset(library, "alpha", asset._id)) as AssetRecord);
    assert.equal(await api.deps.blobs.head("media", key), null);
    assert.equal(await api.deps.blobs.head("sources", track), null);
    const listed = (await editor("GET", "/v1/assets?limit=100")).body.data;
    assert.ok(!listed.some(({ id }: AssetView) => id === asset._id));
    assert.equal((await editor("POST", `/v1/assets/${asset._id}/preview`)).body.code, "not_playable");
  });
});

describe("progress", () => {
  const task = (
    kind: TaskKind,
    state: TaskState,
    ratio: number,
    weight = 1,
    generation: string | null = "g",
  ): TaskProgress => ({ _id: kind, assetId: "a", generation, kind, weight, state, ratio });
  const asset = { state: "encoding" as const, generation: "g", revision: 1 };

  test("is the weighted share of what this generation's tasks have done, 1 only when ready", () => {
    assert.equal(ratioOf({ ...asset, state: "queued" }, []), 0);
    assert.equal(ratioOf({ ...asset, state: "ready" }, []), 1);
    assert.equal(ratioOf({ ...asset, state: "probing" }, [task("probe", "done", 1, 1, null)]), 0);
    assert.equal(
      ratioOf(asset, [task("video", "claimed", 0.5, 3), task("audio", "done", 0)]),
      0.02 + 0.98 * 0.625,
    );
    assert.equal(ratioOf(asset, [task("video", "todo", 0), task("video", "done", 1, 9, "older")]), 0.02);
    assert.equal(ratioOf(asset, [task("video", "done", 1)]), 0.999);
  });

  test("begins with the fetching of a master that is fetched, once", () => {
    const pull = { sourceUrl: "https://films.example/a.mov", sha256: null, transfer: null };
    const waiting = { ...asset, state: "waiting" as const, generation: null, pull };
    assert.equal(ratioOf(waiting, []), 0);
    assert.equal(ratioOf(waiting, [task("fetch", "claimed", 0.5, 1, null)]), 0.05);
    assert.equal(stageOf(waiting, []), "fetching");
    const here = { ...asset, pull: { ...pull, sourceUrl: null } };
    assert.equal(ratioOf({ ...here, state: "queued" }, []), 0.1);
    assert.equal(ratioOf(here, [task("video", "done", 1)]), 0.999);
    assert.equal(ratioOf({ ...here, state: "queued", revision: 2 }, []), 0);
    assert.equal(stageOf({ ...waiting, state: "cancelled" }, []), "cancelled");
  });

  test("names packaging once the last cell is there", () => {
    assert.equal(stageOf(asset, [task("video", "claimed", 1), task("publish", "todo", 0)]), "encoding");
    assert.equal(stageOf(asset, [task("video", "done", 1), task("publish", "todo", 0)]), "packaging");
    assert.equal(stageOf({ ...asset, state: "failed" }, []), "failed");
  });
});
