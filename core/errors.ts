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
  code: string,
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
