import { Hono } from "hono";
import { Failure, notFound } from "../core/errors.ts";
import { previewCellOf } from "../core/preview.ts";
import { previewedGeneration } from "../core/work.ts";
import { findAssetForWork } from "../stores/library/open-work.ts";
import { isTaskDone } from "../stores/library/tasks.ts";
import type { ApiDeps, ApiEnv } from "./deps.ts";
import { shownGrant } from "./shown-grant.ts";

/** Below the ten seconds after which players give a segment up (hls.js), so that they hear why and ask again. */
const LONGEST_WAIT_MS = 8_000;
/** One small read of one record, shared by all who wait for the same cells here. */
const LOOK_EVERY_MS = 100;

/**
 * `POST /preview-demands/v/<grant>/<cell>`: the edge says that a viewer waits for a cell of a preview that is not made
 * yet. Its unit is put before everything else. 204 once the cell is in storage, 404 where the film has no such cell, 503
 * where it takes too long. Who may ask is who holds a grant for the cell, as the edge does that passes it on.
 */
export function previewDemandRoutes(deps: ApiDeps) {
  const { library, hint } = deps;
  const waiting = new Map<string, Promise<boolean>>();
  const made = (taskId: string): Promise<boolean> => {
    const known = waiting.get(taskId) ?? untilDone(deps, taskId).finally(() => waiting.delete(taskId));
    waiting.set(taskId, known);
    return known;
  };
  return new Hono<ApiEnv>().post("/preview-demands/*", async (c) => {
    const { path } = shownGrant(deps, c.req.path.slice("/preview-demands".length));
    const wanted = previewCellOf(path.slice(1));
    const asset = wanted && (await findAssetForWork(library, wanted.assetId));
    if (wanted === null || asset === null || previewedGeneration(asset) !== wanted.generation)
      throw notFound("object");
    const taskId = await hint.offerCell(asset, wanted.cell);
    if (taskId === null) throw notFound("object");
    if (await made(taskId)) return c.body(null, 204);
    throw new Failure("transient", "preview_not_ready", "This part of the film is still being made.", {
      retryAfterSeconds: 1,
    });
  });
}

async function untilDone({ library }: ApiDeps, taskId: string): Promise<boolean> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  while (performance.now() < deadline) {
    if (await isTaskDone(library, taskId)) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}
