import { createHash } from "node:crypto";
import type { Context } from "hono";
import type { Localized } from "../core/records/title.ts";
import { acceptedLanguages, inLanguage } from "./title-view.ts";

interface PageWords {
  heading: Localized;
  text: Localized;
}

const GONE: PageWords = {
  heading: { en: "This link is over", de: "Dieser Link ist abgelaufen" },
  text: {
    en: "It was good for a certain time only. Ask whoever sent it for a new one.",
    de: "Er galt nur für eine bestimmte Zeit. Wer ihn dir geschickt hat, kann dir einen neuen geben.",
  },
};
const UNKNOWN: PageWords = {
  heading: { en: "There is nothing here", de: "Hier ist nichts" },
  text: {
    en: "The link may be misspelt or taken back, or its film is not showing now.",
    de: "Der Link ist vielleicht falsch geschrieben oder zurückgenommen, oder sein Film läuft gerade nicht.",
  },
};
const BUSY: PageWords = {
  heading: { en: "One moment", de: "Einen Augenblick" },
  text: {
    en: "The link cannot be opened right now. Try again in a little while.",
    de: "Der Link kann gerade nicht geöffnet werden. Versuche es in Kürze noch einmal.",
  },
};
const TO_FILMS: Localized = { en: "To the films", de: "Zu den Filmen" };
const LANGUAGE: Localized = { en: "en", de: "de" };

const STYLE = `:root{color-scheme:dark;font:16px/1.5 system-ui,sans-serif;background:#0d0f12;color:#eef0f2}
body{display:grid;place-content:center;gap:.8rem;min-height:100dvh;margin:0 auto;padding:1.5rem;max-width:30rem}
h1{margin:0;font-size:1.6rem}p{margin:0;color:#a2abb5}a{color:#f2b45c}`;
/** Nothing is loaded, and of styles only the page's own (CSP3 §6.7.3). */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join("; ");

/**
 * The page that a person sees whose link leads nowhere, with the status and the headers of `answer`; null for those who do not ask for a page.
 * `playerUrl` is of the settings.
 */
export function linkProblemPage(c: Context, answer: Response, playerUrl: string): Response | null {
  const { status } = answer;
  answer.headers.append("Vary", "Accept");
  if (!/\btext\/html\b/.test(c.req.header("Accept") ?? "")) return null;
  const words = status === 410 ? GONE : status === 429 || status >= 500 ? BUSY : UNKNOWN;
  const wanted = acceptedLanguages(c.req.header("Accept-Language"));
  const headers = new Headers(answer.headers);
  headers.append("Vary", "Accept-Language");
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Content-Security-Policy", POLICY);
  return new Response(pageOf(words, wanted, playerUrl), { status, headers });
}

/** Nothing of the request is in it. */
function pageOf({ heading, text }: PageWords, wanted: readonly string[], playerUrl: string): string {
  const language = inLanguage(LANGUAGE, wanted);
  const href = playerUrl.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${inLanguage(heading, wanted)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<h1>${inLanguage(heading, wanted)}</h1>
<p>${inLanguage(text, wanted)}</p>
<p><a href="${href}">${inLanguage(TO_FILMS, wanted)}</a></p>
</body>
</html>
`;
}
