import type { PlanSettings } from "../core/plan.ts";
import type { TaskResult } from "../core/records.ts";
import { encodeAudio } from "./encode-audio.ts";
import { encodeChunk } from "./encode-chunk.ts";
import { makeImages } from "./make-images.ts";
import { probeAsset } from "./probe-asset.ts";
import { publish } from "./publish.ts";
import type { TaskContext } from "./task-context.ts";

/**
 * The whole flow of a title:
 *
 *     probe ──► video 0 ┐
 *           ├─► video 1 ├─► images ┐
 *           ├─► …       ┘          ├─► publish: verify → package → gate → one compare-and-set
 *           └─► audio ─────────────┘
 *
 * What follows what is decided in core/work.ts from the asset's state; here each task meets its stage. Every stage
 * may die at any point and be run again, on any machine.
 */
export async function runStage(context: TaskContext, settings: PlanSettings): Promise<TaskResult | null> {
  switch (context.task.kind) {
    case "probe":
      return probeAsset(context, settings);
    case "video":
      return encodeChunk(context);
    case "audio":
      return encodeAudio(context);
    case "images":
      return makeImages(context);
    case "publish":
      return publish(context);
  }
}
