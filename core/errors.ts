/**
 * The closed set of failures. Every failure that leaves a room is one of these; vendor errors are
 * translated where they enter (stores, launcher), keeping `cause`.
 *
 * - `source`    the uploaded file is at fault: never retried, the owner sees the code
 * - `resource`  this machine ran short (memory, disk, time): tried again, elsewhere or later
 * - `transient` an outer part was away: tried again
 * - `ours`      a defect or a refused invariant: tried a few times, then set aside
 * - `request`   the caller's request cannot be served as it is: answered, never retried
 */
export type FailureClass = "source" | "resource" | "transient" | "ours" | "request";

/** Codes of a failed asset that a client may rely on. */
export const ASSET_FAILURE_CODES = [
  "unsupported_container",
  "unsupported_codec",
  "no_video",
  "source_damaged",
  "source_too_large",
  "source_refused",
  "source_unreachable",
  "too_many_streams",
  "dimensions_refused",
  "timeline_invalid",
  "checksum_mismatch",
  "codec_unavailable",
  "track_unusable",
  "protection_unavailable",
  "encode_failed",
  "findings_not_waived",
  "internal",
] as const;
export type AssetFailureCode = (typeof ASSET_FAILURE_CODES)[number];

/** All that `error.code` of an asset may say: why it failed, or how the upload ended that it waited for. */
export const ASSET_ERROR_CODES = [...ASSET_FAILURE_CODES, "upload_aborted", "upload_expired"] as const;
export type AssetErrorCode = (typeof ASSET_ERROR_CODES)[number];

/** Codes of refused requests: pages have words for each in every language of theirs. */
export const REQUEST_FAILURE_CODES = [
  "alias_taken",
  "asset_gone",
  "asset_not_uploaded",
  "asset_not_waiting",
  "body_too_large",
  "codec_unavailable",
  "forbidden",
  "generation_gone",
  "grant_refused",
  "idempotency_conflict",
  "idempotency_in_progress",
  "invalid_request",
  "link_expired",
  "method_not_allowed",
  "not_cancellable",
  "not_found",
  "not_playable",
  "not_protected",
  "not_retryable",
  "nothing_to_waive",
  "playback_over",
  "precondition_failed",
  "precondition_required",
  "protection_unavailable",
  "pull_ingest_disabled",
  "range_not_satisfiable",
  "rate_limited",
  "request_refused",
  "signature_refused",
  "signing_unavailable",
  "source_changed",
  "source_refused",
  "subtitle_invalid",
  "subtitle_too_large",
  "title_incomplete",
  "title_not_published",
  "too_many_links",
  "too_many_open_uploads",
  "too_many_streams",
  "too_many_webhooks",
  "unauthenticated",
  "unsupported_media_type",
  "upload_aborted",
  "upload_busy",
  "upload_completed",
  "upload_expired",
  "upload_incomplete",
  "version_conflict",
  "webhook_disabled",
] as const;
export type RequestFailureCode = (typeof REQUEST_FAILURE_CODES)[number];

/** One member of `errors[]` in a problem answer: where in the body, and what is wrong. */
export interface FieldError {
  path: string;
  message: string;
}

interface FailureOptions {
  cause?: unknown;
  status?: number;
  fields?: FieldError[];
  retryAfterSeconds?: number;
  requestLimit?: number;
  retryable?: boolean;
  details?: Record<string, unknown>;
}

/** The one error type that crosses room borders. `message` is safe to show; `cause` never leaves the process. */
export class Failure extends Error {
  readonly failureClass: FailureClass;
  readonly code: string;
  /** HTTP status for `request` failures; derived from the class for the others. */
  readonly status: number;
  readonly fields: FieldError[];
  readonly retryAfterSeconds: number | undefined;
  /** Of too many requests: how many there may be until `retryAfterSeconds` have passed. */
  readonly requestLimit: number | undefined;
  /** Whether another try may help: of a file at fault only where a person can decide otherwise. */
  readonly retryable: boolean;
  /** More that a client may need to go on, by member of the problem; safe to show. */
  readonly details: Record<string, unknown>;

  constructor(failureClass: "request", code: RequestFailureCode, message: string, options?: FailureOptions);
  constructor(
    failureClass: Exclude<FailureClass, "request">,
    code: string,
    message: string,
    options?: FailureOptions,
  );
  constructor(failureClass: FailureClass, code: string, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Failure";
    this.failureClass = failureClass;
    this.code = code;
    this.status = options.status ?? STATUS_OF_CLASS[failureClass];
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.requestLimit = options.requestLimit;
    this.retryable = options.retryable ?? failureClass !== "source";
    this.details = options.details ?? {};
  }
}

const STATUS_OF_CLASS: Record<FailureClass, number> = {
  source: 422,
  resource: 503,
  transient: 503,
  ours: 500,
  request: 400,
};

/** A failure of the uploaded file itself; `code` is what the owner sees. */
export function sourceFailure(code: AssetFailureCode, message: string, cause?: unknown): Failure {
  return new Failure("source", code, message, { cause });
}

/** A request that is refused: `status` is the HTTP status, `code` the stable machine word. */
export function requestFailure(
  status: number,
  code: RequestFailureCode,
  message: string,
  fields: FieldError[] = [],
): Failure {
  return new Failure("request", code, message, { status, fields });
}

/** 400 `invalid_request`: what is wrong with the body (or the query), by path. */
export function invalidFields(fields: FieldError[]): Failure {
  return requestFailure(400, "invalid_request", "The request is not valid.", fields);
}

/** 400 `invalid_request`: nothing in it can be read. */
export function notJson(): Failure {
  return requestFailure(400, "invalid_request", "The body is not valid JSON.", [
    { path: "", message: "is not valid JSON" },
  ]);
}

/** 415 `unsupported_media_type`: a body that does not say that it is JSON is not read. */
export function notDeclaredJson(): Failure {
  return requestFailure(415, "unsupported_media_type", "Send JSON as application/json.");
}

/** The same answer for "does not exist" and "not yours" (nothing may be learnt from the difference). */
export function notFound(what: string): Failure {
  return requestFailure(404, "not_found", `No such ${what}.`);
}

/** Any thrown value as a Failure: what is not one already is a defect of ours. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure("ours", "internal", "Something went wrong on our side.", { cause: thrown });
}
