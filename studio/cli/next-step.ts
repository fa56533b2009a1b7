import { ApiProblem } from "../api-client.ts";
import { PartRefused } from "../upload-file.ts";

/** What the command could not do, in the words of the contract. */
export class IngestFailure extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable = false) {
    super(message);
    this.name = "IngestFailure";
    this.code = code;
    this.retryable = retryable;
  }
}

/** For each code, what a person can do about it. */
const NEXT_STEPS: Record<string, string> = {
  unreachable: "Is the product running? `npm start` starts it; --api names another one.",
  unauthenticated: "The token is not valid (any more): give one with --token or MATINEE_TOKEN.",
  forbidden: "The token is a viewer's: give an editor's with --token or MATINEE_TOKEN.",
  invalid_request: "Change what is named above, then run the command again.",
  unsupported_container: "Export the film as MP4, MOV, Matroska or MPEG-TS and send it again.",
  unsupported_codec: "Export the film with a common codec (H.264, HEVC, ProRes, AV1) and send it again.",
  no_video: "The file has no picture. Send the file that has one.",
  source_damaged: "Play the file to its end; if it breaks off there too, export it again.",
  source_too_large: "The file is beyond the size limit of this server.",
  source_refused:
    "Look at the URL: it must lead to the file itself, at a public address, without signing in.",
  source_unreachable: "See that the file's server is up, then retry it in the studio.",
  pull_ingest_disabled:
    "Its operator can enable it (MATINEE_PULL_INGEST=on); otherwise download the film and send the file.",
  too_many_streams: "Export the film with fewer tracks.",
  dimensions_refused: "Export the picture at a size within the limit that is named above.",
  timeline_invalid: "The file's clock makes no sense; export or remux it again.",
  checksum_mismatch: "The file changed while it was sent. Send it again once nothing writes to it.",
  upload_incomplete: "Send the rest with --resume and the id of the upload.",
  upload_expired: "The upload was open for too long. Send the file anew.",
  upload_aborted: "The upload was called off. Send the file anew.",
  storage_refused: "Check the blob storage, then go on with --resume and the id of the upload.",
  file_unreadable: "Check the path and whether you may read the file.",
  file_empty: "Name the film itself: this file has nothing in it (yet).",
  not_a_file: "Name the films in it, as in FOLDER/*.mp4.",
  other_file: "Resume with the very file that the upload was begun with.",
  subtitle_invalid: "Send the subtitles as .srt, .vtt or .ass with at least one line in them.",
  subtitle_too_large:
    "Split the subtitles or take styling out of them; three hours of talk are a tenth of 1 MiB.",
  cancelled: "Somebody stopped the work. Retry it in the studio.",
  codec_unavailable: "Install an ffmpeg that has the encoder, then retry; or upload without that codec.",
  track_unusable: "Send the track again as a file that plays to its end; the film itself is as it was.",
  protection_unavailable:
    "Its operator can set a master key (MATINEE_MASTER_KEYS); otherwise send it without --clearkey.",
  findings_not_waived: "Look at the findings; waive them in the studio, or send another master.",
  encode_failed: "Retry it in the studio; its ledger shows what ffmpeg said.",
};

export interface Explained {
  code: string;
  message: string;
  nextStep: string;
}

/** Any failure of the command as code, message and what to do next. */
export function explainFailure(thrown: unknown): Explained {
  const { code, message, retryable } = facts(thrown);
  const fallback = retryable
    ? "This may pass: retry it in the studio, or run the command again."
    : "See the server's log for this time of day.";
  return { code, message, nextStep: NEXT_STEPS[code] ?? fallback };
}

function facts(thrown: unknown): { code: string; message: string; retryable: boolean } {
  if (thrown instanceof IngestFailure) return thrown;
  if (thrown instanceof PartRefused) {
    return {
      code: "storage_refused",
      message: `Part ${thrown.partNumber}: ${thrown.message}`,
      retryable: true,
    };
  }
  if (thrown instanceof ApiProblem) {
    const code = thrown.status === 401 ? "unauthenticated" : thrown.code;
    const fields = thrown.fields.map(({ path, message }) => `${path} ${message}`).join("; ");
    return {
      code,
      message: fields === "" ? thrown.message : `${thrown.message} (${fields})`,
      retryable: thrown.status >= 500,
    };
  }
  return {
    code: "internal",
    message: thrown instanceof Error ? thrown.message : String(thrown),
    retryable: false,
  };
}
