import type { AudioRole } from "../source.ts";
import type { Outbox } from "../webhook-event.ts";

export type UploadState = "open" | "completed" | "aborted" | "expired";

/** What an upload becomes: the master of an asset of its own, another master for one that is there, or sound beside it. */
export type UploadTarget =
  | { kind: "new" }
  | { kind: "master" }
  | { kind: "sound"; sidecarId: string; language: string; label: string | null; role: AudioRole };

/** One multipart upload of one file. `_id` is an `up_` id. */
export interface UploadRecord extends Outbox {
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
