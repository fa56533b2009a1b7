import { requestFailure } from "./errors.ts";
import type { SubtitleFormat } from "./sidecar.ts";

/** RELIABILITY T10. Three hours of talk are a tenth of it. */
export const MOST_SUBTITLE_BYTES = 2 ** 20;

/** What at least one line of each format looks like: without one there is nothing to show. */
const FORMS: Record<SubtitleFormat, { name: string; head: RegExp | null; line: RegExp }> = {
  vtt: {
    name: "WebVTT",
    head: /^WEBVTT(?:[ \t\r\n]|$)/,
    line: /^[ \t]*(?:\d{2,}:)?\d\d:\d\d\.\d{3}[ \t]*-->[ \t]*(?:\d{2,}:)?\d\d:\d\d\.\d{3}/m,
  },
  srt: {
    name: "SubRip",
    head: null,
    line: /^[ \t]*\d{1,3}:\d{1,2}:\d{1,2}[,.]\d{1,3}[ \t]*-->[ \t]*\d{1,3}:\d{1,2}:\d{1,2}[,.]\d{1,3}/m,
  },
  ass: { name: "SSA or ASS", head: /^[ \t]*\[Script Info\]/im, line: /^Dialogue:/m },
};

/**
 * Refuses a text that no track can be made of: 413 `subtitle_too_large`, 422 `subtitle_invalid`. It says nothing of what
 * the text is made into: that is parsed and written anew, whatever stands in it.
 */
export function checkSubtitleText(text: string, format: SubtitleFormat): void {
  if (new TextEncoder().encode(text).length > MOST_SUBTITLE_BYTES)
    throw requestFailure(413, "subtitle_too_large", "A subtitle file has at most 1 MiB.");
  const { name, head, line } = FORMS[format];
  const body = text.replace(/^\ufeff/, "");
  if (!(head?.test(body) ?? true) || !line.test(body))
    throw requestFailure(422, "subtitle_invalid", `The text is no ${name} file with at least one line.`, [
      { path: format, message: `must be ${name}` },
    ]);
}
