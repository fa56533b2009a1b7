import type { EncodingChoice } from "../encoding.ts";
import type { AssetErrorCode } from "../errors.ts";
import type { FindingCode } from "../finding-codes.ts";
import type { Plan } from "../plan.ts";
import type { Quality } from "../quality.ts";
import type { Region } from "../seen-parts.ts";
import type { Sidecar } from "../sidecar.ts";
import type { AudioRole, PinnedSource, Source, SubtitleRole } from "../source.ts";
import type { TitleAnalysis } from "../title-analysis.ts";
import type { Outbox } from "../webhook-event.ts";
import type { PullRecord } from "./pull.ts";

/**
 * The records of the library (MongoDB), one document per thing that must change atomically. Times are
 * `Date`s of the database server's clock where they decide anything (leases, expiry), `version` counts every
 * change of the document, and everything belongs to a tenant.
 */

export type AssetState =
  | "waiting"
  | "queued"
  | "probing"
  | "encoding"
  | "ready"
  | "failed"
  | "cancelled"
  | "deleted";

export interface Finding {
  code: FindingCode;
  severity: "info" | "warning" | "error";
  message: string;
  startSeconds?: number;
  endSeconds?: number;
  /** Of bars: the picture within them, in samples as shown. */
  region?: Region;
}

/** A named person accepts a finding of one master. */
export interface Waiver {
  code: string;
  sourceEtag: string;
  by: string;
  at: Date;
  reason: string;
}

export interface Rendition {
  id: string;
  kind: "video" | "audio" | "subtitle" | "image";
  codec: string;
  width?: number;
  height?: number;
  /** Of a picture in high dynamic range. */
  range?: "PQ" | "HLG";
  /** The master's own coded pictures: nothing is lost, and so nothing is scored. */
  isCopied?: true;
  language?: string;
  /** Of sound and text: its name for people and what it is for. */
  label?: string;
  role?: AudioRole | SubtitleRole;
  /** Of sound: how many channels, and how loud it came out (BS.1770). */
  channels?: number;
  loudnessLufs?: number;
  /** Of a poster: the moment that it shows. */
  atSeconds?: number;
  /** Of text: lines in it; 0 is a track that nothing could be read of. */
  cueCount?: number;
  averageBps: number;
  peakBps: number;
  /** SSIM of every frame, and VMAF of sampled ones where it could be had: never to be compared with each other. */
  quality?: Quality;
  sampledQuality?: Quality;
  bytes: number;
}

export interface AssetError {
  code: AssetErrorCode;
  message: string;
  retryable: boolean;
}

/** One source file and what was made of it. `_id` is an `as_` id. */
export interface AssetRecord extends Outbox {
  _id: string;
  tenant: string;
  ownerId: string;
  titleId: string | null;
  state: AssetState;
  version: number;
  filename: string;
  /** What was asked for; the plan is made from it. */
  encoding: EncodingChoice;
  /**
   * Counts what was asked for: another master, other settings, another track, a step back. Whatever is made names the
   * revision it is made for, so that a worker of an earlier one changes nothing.
   */
  revision: number;
  createdAt: Date;
  updatedAt: Date;
  pinned: PinnedSource | null;
  /** Absent where the master was uploaded. */
  pull?: PullRecord;
  /** Subtitles and sound added beside the master, in the order in which they came. */
  sidecars: Sidecar[];
  source: Source | null;
  /** What trial encodes of a master told; absent where none were made. It says which master it is of. */
  analysis?: TitleAnalysis | undefined;
  /** Present from the end of probing on; `generation` is derived from it and from the pinned source. */
  plan: Plan | null;
  /** The generation being made, or, once `ready`, the published one; null until it is planned. */
  generation: string | null;
  /**
   * The generation of the plan that was there before the film's own ladder was known: the preview is of it, then and
   * later. null where the first plan is the last.
   */
  draftGeneration?: string | null;
  /**
   * What viewers get: the compare-and-set of this pointer is the publication. It stays while another is being made. `keyId`
   * where its media is protected.
   */
  published: {
    generation: string;
    at: Date;
    durationSeconds: number;
    keyId?: string;
    /** The generation whose place it took; null: nothing was shown. */
    follows?: string | null;
  } | null;
  /** The generation of which there is a preview to look at; absent where there is none, or it was removed again. */
  preview?: string;
  findings: Finding[];
  /** Every waiver ever given, of this master and of those before it; absent from records made before there were any. */
  waivers?: Waiver[];
  /** Of the published generation. */
  renditions: Rendition[];
  error: AssetError | null;
  /** The moment whose poster an editor chose; null: the best one. A moment means something in other generations too. */
  posterAtSeconds: number | null;
  /** Largest ratio ever shown, so that what a person sees never goes back. */
  shownRatio: number;
  /** The records of its generations may not say yet what this one does; the reaper brings them in line. */
  unsettled: boolean;
  /** Files that were replaced or taken out: the collector removes those that no generation needs. */
  retiredSources: string[];
  /** Of a deleted asset: when its storage was last seen empty. */
  emptiedAt: Date | null;
}
