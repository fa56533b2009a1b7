import { GERMAN } from "./strings-de.ts";
import { ENGLISH, type StringKey } from "./strings-en.ts";

export const table = navigator.language.startsWith("de") ? GERMAN : ENGLISH;

export const pageLanguage = table === GERMAN ? "de" : "en";

/** A number in the page's language, with so many digits behind the point. */
export function numberText(value: number, digits: number): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(pageLanguage, options).format(value);
}

/** The page's text for `key`, with `{name}` places filled. */
export function text(key: StringKey, values: Record<string, string | number> = {}): string {
  return table[key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** What to do about a failed asset with this code. */
export function nextStepText(code: string): string {
  const key = `next_${code}`;
  return key in ENGLISH ? text(key as StringKey) : text("next_retry");
}
