import type { EncodingWish } from "./encoding-wish.ts";

/** The API's answers as the studio reads them (docs/api.md). Only the members that are used here. */

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
  waivedBy?: string;
  waivedAt?: string;
  waivedReason?: string;
}

/** What a metric says of one rendition. */
export interface Scores {
  metric: string;
  mean: number;
  /** The 5th percentile of its frames. */
  p5: number;
  worst?: { segment: number; value: number };
}

export interface Rendition {
  id: string;
  kind: "video" | "audio" | "subtitle" | "image";
  codec: string;
  width?: number;
  height?: number;
  language?: string;
  label?: string;
  role?: string;
  loudnessLufs?: number;
  cueCount?: number;
  averageBps: number;
  peakBps: number;
  /** SSIM of every frame. */
  quality?: Scores;
  /** VMAF of sampled ones. */
  sampledQuality?: Scores;
  isCopied?: true;
  bytes: number;
}

/** Added beside the master. */
export interface AddedTrack {
  id: string;
  kind: "subtitle" | "audio";
  language: string;
  label: string | null;
  role: string;
}

export interface SourceFacts {
  durationSeconds: number;
  container: string;
  sizeBytes: number;
  video: { codec: string; width: number; height: number; frameRate: number };
  audio: { codec: string; channels?: number; language?: string; label?: string | null }[];
  subtitles: { codec: string; language?: string }[];
}

/** Why a ladder has its rungs: what could be chosen, what was, what it saves. */
export interface LadderEvidence {
  codec: string;
  metric: string | null;
  points: { averageBps: number; score: number }[];
  edge: { averageBps: number; score: number }[];
  rungs: {
    id: string;
    predicted: { averageBps: number; score: number } | null;
    averageBps: number | null;
    fixedTableBps: number | null;
    savedBytes: number | null;
  }[];
}

export interface Poster {
  id: string;
  url: string;
  atSeconds: number;
  chosen: boolean;
}

export interface Asset {
  id: string;
  state: AssetState;
  titleId?: string;
  filename: string;
  createdAt: string;
  updatedAt: string;
  generation: string | null;
  /** What viewers get. */
  published: { generation: string } | null;
  encoding: EncodingWish;
  progress: { ratio: number; stage: string; playable: boolean; secondsLeft: number | null };
  tracks: AddedTrack[];
  source: SourceFacts | null;
  findings: Finding[];
  renditions: Rendition[];
  ladder: { ladders: LadderEvidence[] } | null;
  /** Best first. */
  posters: Poster[];
  error: { code: string; message: string; retryable: boolean } | null;
}

export interface OpenedUpload {
  id: string;
  assetId: string;
  state: "open" | "completed" | "aborted" | "expired";
  partSizeBytes: number;
  partCount: number;
}

export interface UploadStatus extends OpenedUpload {
  sizeBytes?: number;
  parts: { partNumber: number; sizeBytes: number; etag: string }[];
}

export interface SignedPart {
  partNumber: number;
  url: string;
  method: "PUT";
  headers: Record<string, string>;
  expiresAt: string;
}

export interface Title {
  id: string;
  state: "draft" | "scheduled" | "published" | "unpublished";
  name: Record<string, string>;
  synopsis?: Record<string, string>;
  genres?: string[];
  cast?: string[];
  releaseYear?: number | null;
  maturity?: string | null;
  chapters?: Chapter[];
  assetId?: string | null;
  type?: "movie" | "series" | "season" | "episode";
  /** Of a season or an episode. */
  number?: number | null;
  availableFrom?: string | null;
  availableUntil?: string | null;
}

export interface Chapter {
  startSeconds: number;
  name: Record<string, string>;
  kind: "intro" | "recap" | "credits" | null;
}

export interface Preview {
  sessionId: string;
  manifestUrl: string;
  posterUrl: string | null;
  expiresAt: string;
  /** How its media is protected; absent where it is not. */
  protection?: { keySystem: "org.w3.clearkey"; licenseUrl: string };
}

export interface LedgerEntry {
  stage: string;
  worker: string;
  startedAt: string;
  endedAt: string | null;
  outcome: string;
  argv?: string[][];
  cpuSeconds?: number;
  bytesOut?: number;
  error?: { code: string; message: string } | null;
}

/** How something is watched. */
export interface Figures {
  sessions: number;
  plays: number;
  watchSeconds: number;
  errorRate: number | null;
  rebufferRatio: number | null;
  averageBps: number | null;
  startup: { p50Seconds: number; p95Seconds: number } | null;
}

export interface TitleFigures {
  from: string;
  to: string;
  total: Figures;
  rows: (Figures & { key: string })[];
}

/** One package that was made of an asset, and how its viewers fare. */
export interface Generation {
  generation: string;
  state: "making" | "published" | "superseded" | "failed" | "collecting" | "collected";
  restorable: boolean;
  createdAt: string;
  health: {
    verdict: "unknown" | "fine" | "worse";
    against: string | null;
    sessions: number;
    reasons: {
      figure: "errorRate" | "rebufferRatio" | "startupP95Seconds";
      before: number;
      now: number;
    }[];
  } | null;
}

export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}
