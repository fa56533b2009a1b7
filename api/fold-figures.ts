import { shownGeneration } from "../stores/library/assets.ts";
import type { Library } from "../stores/library/connect.ts";
import { listWorse, markWorse } from "../stores/library/figures.ts";
import { foldNextBatch } from "../stores/library/fold-reports.ts";
import type { Log } from "../stores/log.ts";
import { healthOf } from "./generation-health.ts";
import type { Metrics } from "./metrics.ts";

/** With 200 reports a batch, more sessions than end in one round; what is left waits for the next one. */
const BATCHES_A_ROUND = 50;
const WORSE_A_ROUND = 100;

interface Parts {
  library: Library;
  log: Log;
  metrics: Pick<Metrics, "watched">;
}

/**
 * One round: what players told becomes figures, and the generations that it is of are judged. Several processes may run
 * it at once, and each may die anywhere.
 */
export async function foldFigures({ library, log, metrics }: Parts): Promise<void> {
  const touched = new Map<string, { assetId: string; generation: string }>();
  for (let batch = 0; batch < BATCHES_A_ROUND; batch++) {
    const folded = await foldNextBatch(library);
    if (folded === null) break;
    metrics.watched(folded.all);
    for (const one of folded.generations) touched.set(`${one.assetId}.${one.generation}`, one);
  }
  // Those that were flagged, too: a rollback takes the flag away without anybody watching.
  for (const { assetId, generation } of await listWorse(library, WORSE_A_ROUND)) {
    if (assetId === undefined || generation === undefined) continue;
    touched.set(`${assetId}.${generation}`, { assetId, generation });
  }
  for (const { assetId, generation } of touched.values()) await flag({ library, log }, assetId, generation);
}

async function flag(
  { library, log }: Pick<Parts, "library" | "log">,
  assetId: string,
  generation: string,
): Promise<void> {
  const isShown = (await shownGeneration(library, assetId)) === generation;
  const health = isShown ? ((await healthOf(library, assetId)).get(generation) ?? null) : null;
  const isWorse = health?.verdict === "worse";
  if (!(await markWorse(library, assetId, generation, isWorse))) return;
  const line = { assetId, generation, against: health?.against, reasons: health?.reasons };
  if (isWorse) log.warn(line, "generation is worse for its viewers than the one before");
}
