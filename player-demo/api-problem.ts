/** What an account watches on another screen. */
export interface OtherStream {
  title: string;
  startedAt: string;
}

/** An answer that is no success; status 0 and `unreachable` where nothing answered. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  /** Of `too_many_streams`: what plays elsewhere. */
  readonly streams: readonly OtherStream[];

  constructor(status: number, code: string, streams: readonly OtherStream[] = []) {
    super(`${status} ${code}`);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.streams = streams;
  }
}
