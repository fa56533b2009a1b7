import type { PlanSettings } from "../core/plan.ts";
import type { TaskResult } from "../core/records/task-result.ts";
import { analyse } from "./analyse.ts";
import { checkDigest } from "./check-digest.ts";
import { encodeAudio } from "./encode-audio.ts";
import { encodeChunk } from "./encode-chunk.ts";
import { encodePreview } from "./encode-preview.ts";
import { fetchSource } from "./fetch-source.ts";
import { inspect } from "./inspect.ts";
import { look } from "./look.ts";
import { makeImages } from "./make-images.ts";
import { makeSubtitle } from "./make-subtitle.ts";
import { probeAsset } from "./probe-asset.ts";
import { publish } from "./publish.ts";
import { reuseCells } from "./reuse-cells.ts";
import { scoreLadder } from "./score-ladder.ts";
import type { TaskContext } from "./task-context.ts";
import { verifyPart } from "./verify-part.ts";

export interface StageOutcome {
  result: TaskResult | null;
  /** The task whose objects were copied; null where they were made. */
  reusedFrom: string | null;
}

/**
 * The whole flow of a title:
 *
 *     probe ──► video 0 ┐         (a ladder of its own: probe ─► analyse ─► …; a master from elsewhere: fetch ─► probe)
 *           ├─► video 1 ├─► images, score ┐         (a long film is looked at and read back in parts: … ─► look ─► inspect,
 *           ├─► …       ├─► inspect ──────┤          … ─► verify ─► publish)
 *           ├─► audio ──┘                 ├─► publish: verify → package → gate → proof → one compare-and-set
 *           ├─► text ─────────────────────┤
 *           ├─► preview 0 … (nobody waits for these but who looks)
 *           └─► checksum ─────────────────┘
 *
 * Cells that an earlier generation of the asset has already are copied, not made again. What follows what is decided in
 * core/work.ts from the asset's state; here each task meets its stage. Every stage may die at any point and be run again, on any machine.
 */
export async function runStage(context: TaskContext, settings: PlanSettings): Promise<StageOutcome> {
  const reused = await reuseCells(context);
  return reused ?? { result: await makeStage(context, settings), reusedFrom: null };
}

function makeStage(context: TaskContext, settings: PlanSettings): Promise<TaskResult | null> {
  switch (context.task.kind) {
    case "fetch":
      return fetchSource(context);
    case "probe":
      return probeAsset(context, settings);
    case "analyse":
      return analyse(context, settings);
    case "checksum":
      return checkDigest(context);
    case "preview":
      return encodePreview(context);
    case "video":
      return encodeChunk(context);
    case "audio":
      return encodeAudio(context);
    case "subtitle":
      return makeSubtitle(context);
    case "images":
      return makeImages(context);
    case "score":
      return scoreLadder(context);
    case "look":
      return look(context);
    case "inspect":
      return inspect(context);
    case "verify":
      return verifyPart(context);
    case "publish":
      return publish(context);
  }
}
