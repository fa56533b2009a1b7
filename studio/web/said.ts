import { SAID_WHOLE } from "./sentences-de.ts";

/** Something for the reader to read that the API may have said in English. */
export interface Said {
  words: string;
  /** The words are the API's own, and not in the page's language. */
  isForeign: boolean;
  /** The API's own words, where they say more than these: numbers, names. */
  original: string | null;
}

/** In the page's own words. */
export function plain(words: string): Said {
  return { words, isForeign: false, original: null };
}

/** What `code` means as one of the sentences; `message`, which is English, where there is none for it. */
export function inGerman(sentences: Readonly<Record<string, string>>, code: string, message: string): Said {
  const words = Object.hasOwn(sentences, code) ? sentences[code] : undefined;
  if (words === undefined) return { words: message, isForeign: true, original: null };
  return { words, isForeign: false, original: SAID_WHOLE.has(code) ? null : message };
}
