import { GERMAN } from "./strings-de.ts";
import { ENGLISH, type StringKey } from "./strings-en.ts";

export const table = navigator.language.startsWith("de") ? GERMAN : ENGLISH;

export const pageLanguage = table === GERMAN ? "de" : "en";

/** The page's text for `key`, with `{name}` places filled. */
export function text(key: StringKey, values: Record<string, string | number> = {}): string {
  return table[key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** What to do about a failed asset with this code. */
export function nextStepText(code: string): string {
  const key = `next_${code}`;
  return key in ENGLISH ? text(key as StringKey) : text("next_retry");
}
