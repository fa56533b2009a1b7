import { Failure } from "../core/errors.ts";
import { hardwareFor, recentBuildFor } from "../core/plan.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskRecord } from "../core/records/task.ts";
import { isAtWork } from "../stores/library/open-work.ts";
import type { Workshop } from "./task-context.ts";

/** Tasks that need an encoder, in hardware or of a build, which not every worker has. */

/** What a worker has, by the names that its ledger's lines say it under. */
export function encodersHere({
  hardware,
  recentAv1,
}: Pick<Workshop, "hardware" | "recentAv1">): Record<string, string> {
  return {
    ...(hardware.family === null ? {} : { hardware: hardware.family }),
    ...(recentAv1 === null ? {} : { av1: recentAv1.build }),
  };
}

/** What a task needs, by the same names; null where any worker will do. */
export function encoderNeeded(
  task: Pick<TaskRecord, "kind" | "part">,
  plan: AssetRecord["plan"],
): { name: string; is: string } | null {
  const family = hardwareFor(task, plan);
  if (family !== null) return { name: "hardware", is: family };
  const build = recentBuildFor(task, plan);
  return build === null ? null : { name: "av1", is: build };
}

/** A task without anybody for it is claimed and handed back every two seconds: after half an hour it is asked whether there is anybody. */
const PATIENCE_CLAIMS = 900;
const ASK_EVERY_CLAIMS = 8;
/** Whoever has the encoder and did nothing for so long is gone: the slowest chunk takes less. */
const GONE_AFTER_MS = 3_600_000;

/**
 * Throws `codec_unavailable` where a task has waited for long and no worker that has its encoder is at work any more: all
 * may have been replaced by others in mid-film, which would wait for ever.
 */
export async function requireSomebodyFor(
  { library }: Pick<Workshop, "library">,
  { kind, part, epoch }: Pick<TaskRecord, "kind" | "part" | "epoch">,
  { plan }: Pick<AssetRecord, "plan">,
): Promise<void> {
  const needed = encoderNeeded({ kind, part }, plan);
  if (needed === null || epoch < PATIENCE_CLAIMS || epoch % ASK_EVERY_CLAIMS !== 0) return;
  const since = new Date(library.serverNow().getTime() - GONE_AFTER_MS);
  if (await isAtWork(library, needed, since)) return;
  throw new Failure(
    "request",
    "codec_unavailable",
    `No worker has the encoder any more that this film was planned with (${needed.is}). A new encoding of it will do without.`,
  );
}
