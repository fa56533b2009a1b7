import type { NamedKey } from "../core/named-keys.ts";
import type { Network } from "../core/public-address.ts";
import type { PaceLimits } from "../core/pull-pace.ts";
import type { AssetRecord } from "../core/records/asset.ts";
import type { TaskRecord } from "../core/records/task.ts";
import type { Blobs } from "../stores/blobs.ts";
import type { Library } from "../stores/library/connect.ts";
import type { Log } from "../stores/log.ts";
import type { Hardware } from "./hardware.ts";
import type { Launcher, RunOutcome } from "./launcher.ts";
import type { RecentAv1 } from "./recent-av1.ts";
import type { Scratch } from "./scratch.ts";

/** Of masters that are fetched from where a stranger says. */
export interface PullSettings {
  /** Where from, beside the public internet. */
  networks: readonly Network[];
  maxBytes: number;
  pace: PaceLimits;
}

/** What every stage may use. */
export interface Workshop {
  library: Library;
  blobs: Blobs;
  launcher: Launcher;
  scratch: Scratch;
  log: Log;
  /** Whether this worker takes VMAF of what it can. */
  scoresVmaf: boolean;
  hardware: Hardware;
  /** null: AV1 is made by what makes the rest. */
  recentAv1: RecentAv1 | null;
  workerId: string;
  /** What opens the keys of protected assets; none: nothing can be protected here. */
  masterKeys: readonly NamedKey[];
  /** null: this worker fetches nothing. */
  pull: PullSettings | null;
}

/** One claimed task on its way: what it is about, how it reports, and when it must stop. */
export interface TaskContext extends Workshop {
  task: TaskRecord;
  asset: AssetRecord;
  /** Aborted when the claim is lost, the task is called off or the worker stops. */
  signal: AbortSignal;
  /** 0..1; shown to people at the next renewal of the lease. */
  report(ratio: number): void;
  /** Notes a finished ffmpeg or ffprobe run for the ledger. */
  note(run: Pick<RunOutcome, "argv" | "cpuSeconds">): void;
}
