import { type DestinationStream, type Logger, pino } from "pino";

/** A structured log: `log.info({ assetId }, "published")`; `log.child({ requestId })` for what belongs together. */
export type Log = Logger;

/** Members whose value never stands in a log, at the top, one and two levels down. */
const SECRET_MEMBERS = [
  "authorization",
  "cookie",
  "token",
  "secret",
  "password",
  "secretAccessKey",
  "grant",
  "apiKey",
];

/** What gives its bearer rights, wherever in a line it stands (URLs, messages, stacks), and what is left of it. */
const SECRET_TEXTS: [RegExp, string][] = [
  [/\/v\/[^/"\\\s?#]+/g, "/v/***"],
  [/\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^&"\\\s]*/gi, "$1***"],
  [/\b(Bearer\s+)[^"\\\s,]+/gi, "$1***"],
  [/\bmk_[A-Za-z0-9_-]+/g, "mk_***"],
];

/** A line as it may be kept: grants, presigned signatures, bearer tokens and API keys are gone (RELIABILITY T29, T44). */
export function withoutSecrets(line: string): string {
  let text = line;
  for (const [pattern, rest] of SECRET_TEXTS) text = text.replace(pattern, rest);
  return text;
}

/** Opens a JSON log on stdout (or `destination`), one object a line, with secrets removed from every line. */
export function openLog(options: { name: string; level: string; destination?: DestinationStream }): Log {
  const paths = SECRET_MEMBERS.flatMap((member) => [member, `*.${member}`, `*.*.${member}`]);
  return pino(
    {
      name: options.name,
      level: options.level,
      redact: { paths, censor: "***" },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: withoutSecrets },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
