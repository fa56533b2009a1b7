import type { Api } from "../api-client.ts";
import type { EncodingWish } from "../encoding-wish.ts";
import type { ProgressLine } from "./progress-bar.ts";

/** What is wished of one file. */

export interface SubtitleFile {
  /** BCP-47. */
  language: string;
  path: string;
}

export interface FileIngest {
  api: Api;
  path: string;
  /** Go on with this upload instead of opening one. */
  uploadId: string | null;
  encoding: EncodingWish;
  /** null: none is made, or, where it is to be published, one that is named like the file. */
  titleName: string | null;
  publish: boolean;
  /** Files beside the film. */
  subtitles: readonly SubtitleFile[];
  signal: AbortSignal;
  line: ProgressLine;
  /** Hears of the upload as soon as there is one, and null once it needs no resuming any more. */
  onUpload(uploadId: string | null): void;
}
