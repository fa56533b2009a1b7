import type { AssetError } from "./asset.ts";
import type { TaskResult } from "./task-result.ts";

export type TaskKind =
  | "fetch"
  | "probe"
  | "analyse"
  | "checksum"
  | "preview"
  | "video"
  | "audio"
  | "subtitle"
  | "images"
  | "score"
  | "look"
  | "inspect"
  | "verify"
  | "publish";

export type TaskState = "todo" | "claimed" | "done" | "failed" | "cancelled";

/** One line of the ledger: an attempt at a task, kept for ever. */
export interface AttemptRecord {
  stage: string;
  worker: string;
  startedAt: Date;
  endedAt: Date;
  outcome: "done" | "reused" | "failed" | "lost";
  /** Where the outcome is `reused`: the task of an earlier generation whose objects were copied. */
  reusedFrom?: string;
  argv: string[][];
  /** Of what it ran on, by name; absent from records of an older release. */
  versions?: Record<string, string>;
  cpuSeconds: number;
  bytesOut: number;
  error: { class: string; code: string; message: string } | null;
}

/** A claim that another one was begun beside. */
export interface ClaimBeside {
  epoch: number;
  worker: string | null;
  claimedAt: Date;
  leaseUntil: Date;
  /** How far it was when the other one began. */
  ratio: number;
}

/**
 * One unit of work, of retry and of loss. `_id` is `<assetId>.<generation or "source">.<kind>.<part>.<chunk>`.
 * A claim raises `epoch`; every later write names the epoch it was claimed under and fails where another
 * claim came after, but for the one that was begun beside it.
 */
export interface TaskRecord {
  _id: string;
  assetId: string;
  tenant: string;
  generation: string | null;
  kind: TaskKind;
  /** What it is about within its kind: a ladder, a track, a revision of the asset; `all` where there is only one. */
  part: string;
  /** Index of the chunk for `video`, of the unit for `preview`, of the part of the film for `look` and `verify`, of the go for `score`, 0 otherwise. */
  chunk: number;
  /** Hash of all that its bytes depend on: tasks with the same one make the same. null where it is done anew each time. */
  recipe: string | null;
  /** Share of the asset's work, for progress. */
  weight: number;
  state: TaskState;
  epoch: number;
  worker: string | null;
  leaseUntil: Date | null;
  /** When the claim began; absent where there has been none since this was kept. */
  claimedAt?: Date | null;
  ratio: number;
  /** The claim before this one, which was so slow that the same was begun beside it: it may still come first. */
  beside?: ClaimBeside | null;
  /** Attempts that ended in a failure, and claims whose worker vanished: each has its own budget. */
  failures: number;
  deaths: number;
  /** Deaths before any frame came out. */
  earlyDeaths: number;
  /** Not before this time (back-off after a failure). */
  notBefore: Date | null;
  /** Somebody waits for what it makes, or did; only of units of a preview. */
  isAwaited?: true;
  /** How often somebody's wish to see what it makes had it tried anew after all its attempts; absent where it never did. */
  revivals?: number;
  error: AssetError | null;
  result: TaskResult | null;
  attempts: AttemptRecord[];
}
