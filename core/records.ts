import type { EncodingChoice } from "./encoding.ts";
import type { Region } from "./picture-log.ts";
import type { Plan } from "./plan.ts";
import type { CellScores, Quality, Window } from "./quality.ts";
import type { RevocationKind } from "./revocation.ts";
import type { Sidecar } from "./sidecar.ts";
import type { AudioRole, PinnedSource, Source, SubtitleRole } from "./source.ts";
import type { TimeRange } from "./time-ranges.ts";
import type { TitleAnalysis } from "./title-analysis.ts";

/**
 * The records of the library (MongoDB), one document per thing that must change atomically. Times are
 * `Date`s of the database server's clock where they decide anything (leases, expiry), `version` counts every
 * change of the document, and everything belongs to a tenant.
 */

export type Role = "viewer" | "editor" | "admin";

/** Who asks: from a verified token. `subject` names the account within its tenant. */
export interface Caller {
  tenant: string;
  subject: string;
  role: Role;
  /** ISO 3166-1 alpha-2 in capitals, where the token says where the account is. */
  country?: string;
}

export type UploadState = "open" | "completed" | "aborted" | "expired";

/** What an upload becomes: the master of an asset of its own, another master for one that is there, or sound beside it. */
export type UploadTarget =
  | { kind: "new" }
  | { kind: "master" }
  | { kind: "sound"; sidecarId: string; language: string; label: string | null; role: AudioRole };

/** One multipart upload of one file. `_id` is an `up_` id. */
export interface UploadRecord {
  _id: string;
  tenant: string;
  ownerId: string;
  assetId: string;
  target: UploadTarget;
  state: UploadState;
  version: number;
  filename: string;
  contentType: string | null;
  sizeBytes: number;
  /** Hex SHA-256 of the whole file as the client claims it; checked before anything is published. */
  sha256: string | null;
  partSizeBytes: number;
  partCount: number;
  /** The store's own name for the multipart upload, and the server-made key it will become. */
  multipartId: string;
  sourceKey: string;
  createdAt: Date;
  expiresAt: Date;
  /** Set once a reaper has seen that storage holds no part of a dead upload. */
  reapedAt: Date | null;
  /** One completer at a time: until when the present one holds the right to call Complete. */
  completingUntil: Date | null;
}

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
  code: string;
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
  code: string;
  message: string;
  retryable: boolean;
}

/** One source file and what was made of it. `_id` is an `as_` id. */
export interface AssetRecord {
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

export type TaskKind =
  | "probe"
  | "analyse"
  | "checksum"
  | "preview"
  | "video"
  | "audio"
  | "subtitle"
  | "images"
  | "score"
  | "inspect"
  | "publish";
export type TaskState = "todo" | "claimed" | "done" | "failed" | "cancelled";

/** One produced segment: where it lies and what the playlists need to know of it. */
export interface CellRecord {
  /** Object key. */
  key: string;
  /** Index of the segment on the grid. */
  segment: number;
  bytes: number;
  /** Hex SHA-256 of the object. */
  sha256: string;
  /** Exact duration in the track's own timescale. */
  durationTicks: number;
  /** Byte ranges (offset, length) of each keyframe from its `moof` on, for the I-frame playlist. */
  keyframes: { offset: number; length: number; startTicks: number }[];
  /** Of pictures: how like the encoder's input each frame is. */
  ssim?: CellScores;
}

/** One segment of a text track. Its object is gzip; `textBytes` is what a player has unpacked. */
export interface TextCellRecord extends CellRecord {
  textBytes: number;
}

/** A text track: WebVTT segments on the video's grid, in its ticks, and all of it in one file. */
export interface TextResult {
  trackId: string;
  whole: { key: string; bytes: number; textBytes: number; sha256: string };
  cueCount: number;
  cells: TextCellRecord[];
}

/** What a task made: the cells per track and the init segment each of them goes with. */
export interface TaskResult {
  tracks: {
    trackId: string;
    initKey: string;
    initBytes: number;
    initSha256: string;
    /** RFC 6381 codec string, read from the produced init segment. */
    codec: string;
    timescale: number;
    /** Of sound: integrated loudness as encoded; null where it is silent. */
    loudnessLufs?: number | null;
    /** What its gain was to bring it to; null where a limiter had to take something of that. */
    aimedLufs?: number | null;
    /** Of sound: what was heard of the source. */
    heard?: HeardTrack;
    cells: CellRecord[];
  }[];
  images: ImageRecord[];
  /** Of subtitle tasks alone. */
  texts?: TextResult[];
  /** VMAF of the windows that were looked at, rung by rung. */
  scores?: { trackId: string; window: Window; vmaf: number[] }[];
  /** The decoder complained of the source: it is looked at closely then. */
  isSuspect?: boolean;
}

/** A made picture, or the text that says where in the storyboard's sheets each moment stands. */
export interface ImageRecord {
  kind: "poster" | "sheet" | "storyboard";
  /** Its name without ending, unique in the package. */
  id: string;
  key: string;
  bytes: number;
  /** Hex SHA-256 of the object as stored. */
  sha256: string;
  /** Of a storyboard: of one of its small pictures. */
  width: number;
  height: number;
  /** Of a poster: the moment that it shows. */
  atSeconds?: number;
}

/** A sound track as the source has it, on the film's timeline. */
export interface HeardTrack {
  silences: TimeRange[];
  /** null where it was not measured, or passed no gate. `truePeakDbtp` is null for digital silence. */
  loudness: { integratedLufs: number; truePeakDbtp: number | null } | null;
}

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
  /** Index of the chunk for `video`, of the unit for `preview`, 0 otherwise. */
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
  error: AssetError | null;
  result: TaskResult | null;
  attempts: AttemptRecord[];
}

export type TitleType = "movie" | "series" | "season" | "episode";
export type TitleState = "draft" | "scheduled" | "published" | "unpublished";

/** A text in several languages, by BCP-47 tag (`{ "en": "…", "de": "…" }`). */
export type Localized = Record<string, string>;

export const CHAPTER_KINDS = ["intro", "recap", "credits"] as const;

/** A part of a film that viewers can go to. Its kind lets a player offer to skip it, or what comes next. */
export interface Chapter {
  startSeconds: number;
  name: Localized;
  kind: (typeof CHAPTER_KINDS)[number] | null;
}

/** What viewers browse. `_id` is a `ti_` id. */
export interface TitleRecord {
  _id: string;
  tenant: string;
  state: TitleState;
  version: number;
  type: TitleType;
  name: Localized;
  synopsis: Localized;
  genres: string[];
  cast: string[];
  releaseYear: number | null;
  maturity: string | null;
  artwork: { posterUrl: string | null };
  /** By their start; absent where none were ever given. */
  chapters?: Chapter[];
  assetId: string | null;
  parentId: string | null;
  availableFrom: Date | null;
  availableUntil: Date | null;
  regions: string[] | null;
  createdAt: Date;
  updatedAt: Date;
  publishedAt: Date | null;
}

/** An API key: only its hash is kept. `_id` is the hex SHA-256 of the whole `mk_…` token. */
export interface ApiKeyRecord {
  _id: string;
  tenant: string;
  subject: string;
  role: Role;
  createdAt: Date;
  revokedAt: Date | null;
}

/**
 * One viewer watching one title. `_id` is the `session` of every grant minted for it: a `ps_` id, or a `pv_` id where
 * an editor previews.
 */
export interface PlaybackRecord {
  _id: string;
  tenant: string;
  subject: string;
  /** null where an editor previews an asset that is not published. */
  titleId: string | null;
  assetId: string;
  generation: string;
  /** Of what is shown before the package is ready. */
  isPreview?: boolean;
  /** The multivariant playlist that fits the device, below the package; absent where it is the whole one. */
  manifest?: string;
  /** The key that its media is under, where it is protected: the only one that the session is given. */
  keyId?: string;
  createdAt: Date;
  expiresAt: Date;
  /** When the grant given at the start ends; the later ones end five minutes after they are asked for. */
  firstGrantExpiresAt: Date;
  endedAt: Date | null;
}

/** Something called back before its grants end. `_id` is `<kind>:<name>`. */
export interface RevocationRecord {
  _id: string;
  kind: RevocationKind;
  name: string;
  revokedAt: Date;
  /** When it may be forgotten, since no grant that it could refuse is good any more; null is never. */
  until: Date | null;
}

/** The key that an asset's media is under. `_id` is the asset's: one key for all its generations. */
export interface ContentKeyRecord {
  _id: string;
  tenant: string;
  /** Names the key in playlists, boxes and licences. */
  keyId: string;
  /** The key itself, under a master key that is in no record (core/content-key.ts). */
  sealed: string;
  createdAt: Date;
}

/** Where an account left a title. `_id` is made of tenant, account and title, so that it is read by its id. */
export interface PositionRecord {
  _id: string;
  tenant: string;
  subject: string;
  titleId: string;
  positionSeconds: number;
  /** When the player was there: a report of an earlier moment changes nothing. */
  positionAt: Date;
  /** Which session said so, and when by its own clock; absent from records of an older release. */
  sessionId?: string;
  saidAt?: Date;
}

/** What plays for an account right now: it holds a grant that is good until `until`. */
export interface StreamRecord {
  titleId: string;
  startedAt: Date;
  until: Date;
}

/** Which sound and text an account wants, most wanted first, by BCP-47 tag. */
export interface TrackPreferences {
  audio: string[];
  subtitles: string[];
  /** Only the lines that the film cannot be followed without. */
  forcedOnly?: boolean;
}

/**
 * One account: what it plays and what it prefers. `_id` is made of tenant and account, so that it is read by its id.
 * Whoever changes `streams` names the `version` that was read.
 */
export interface AccountRecord {
  _id: string;
  tenant: string;
  subject: string;
  version: number;
  /** By session. Those whose time is over stay until somebody writes. */
  streams?: Record<string, StreamRecord>;
  preferences?: TrackPreferences;
}
