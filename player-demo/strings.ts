import { GERMAN } from "./strings-de.ts";
import { ENGLISH, type StringKey } from "./strings-en.ts";

export type { StringKey } from "./strings-en.ts";

const isGerman = navigator.language.startsWith("de");
const table: Record<StringKey, string> = isGerman ? GERMAN : ENGLISH;
export const pageLanguage = isGerman ? "de" : "en";

/** A number in the page's language, with so many digits behind the point. */
export function numberText(value: number, digits: number): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(pageLanguage, options).format(value);
}

/** The page's text for `key`, with `{name}` places filled. */
export function text(key: StringKey, values: Record<string, string | number> = {}): string {
  return table[key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
